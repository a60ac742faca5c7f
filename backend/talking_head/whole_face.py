"""Audio2Face-3D in the verb `speech`: asked once, kept for a resumed job, and turned by the same
sliders as what our own ear hears.
"""

import numpy as np

from ..formats.arkit import BLENDSHAPES
from ..geometry.arrays import Floats
from ..media.sound import Samples
from ..runtime.job import Job
from ..runtime.kept_stage import StageKeeper
from .audio2face.face import HeardFace, face_of
from .audio2face.face_network import NEUTRAL, FaceNetwork, answers, emotion_vector, load
from .motion.face_motion import SPOKEN
from .speech.visemes import VisemeStyle, closed_on
from .speech_verb import SpeechOptions


def loaded(job: Job[SpeechOptions]) -> FaceNetwork | None:
    """None where none is named, which is told if an emotion is. InputError as for `load`, and for
    an emotion that the network lacks.
    """
    options = job.options
    if options.audio2face:
        network = load(options.audio2face)
        emotion_vector(network, options.emotion, options.emotion_strength)  # before the work
        return network
    if options.emotion != NEUTRAL:
        job.warn(
            "EMOTION",
            "The emotion changes nothing: no Audio2Face network is chosen. Download one with Get a "
            "Voice Model.",
        )
    return None


def manner(network: FaceNetwork | None, emotion: str) -> str:
    """For people."""
    if network is None:
        return "in a universal style"
    felt = "" if emotion == NEUTRAL else f", with {emotion}"
    return f"as {network.info.actor.capitalize() or 'Audio2Face-3D'} would{felt}"


def heard(
    job: Job[SpeechOptions],
    network: FaceNetwork,
    samples: Samples,
    count: int,
    keeper: StageKeeper,
) -> HeardFace:
    """What the network hears in a sound (S,), for `count` moments at FEATURE_RATE."""
    emotion = emotion_vector(network, job.options.emotion, job.options.emotion_strength)
    rows = keeper.stage(
        "audio2face", Floats, lambda: answers(network, samples, emotion, job.progress)
    )
    return face_of(network, rows, count, job.request.seed)


def in_style(face: HeardFace, probabilities: Floats, style: VisemeStyle, exact: bool) -> Floats:
    """(T, 52 + E) of the face, turned by the sliders; lips close where a transcript says so."""
    mouth = _turned(face, style)
    closed = closed_on(mouth, probabilities, style) if exact else mouth
    return np.concatenate([closed, (face.others * style.intensity).clip(0, 1)], 1)


def above_the_mouth(face: HeardFace, mouth: Floats, style: VisemeStyle) -> Floats:
    """A speaker's coefficients (T, 52 + E), with brows, eyes and cheeks of the face."""
    upper = [k for k, name in enumerate(BLENDSHAPES) if not name.startswith(SPOKEN)]
    mixed = mouth.copy()
    mixed[:, upper] = _turned(face, style)[:, upper]
    return mixed


def _turned(face: HeardFace, style: VisemeStyle) -> Floats:
    scale = np.full(len(BLENDSHAPES), style.intensity, np.float32)
    scale[BLENDSHAPES.index("jawOpen")] *= style.jaw
    return np.asarray((face.coefficients * scale).clip(0, 1), np.float32)
