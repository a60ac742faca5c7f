"""The verb `speech`: a sound becomes the motion of a face, in a speaker's manner or in one that
suits all.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..formats import words_file
from ..formats.arkit import BLENDSHAPES
from ..formats.face_names import VISEME_CURVES
from ..formats.motion_file import HEAD
from ..geometry.arrays import Floats
from ..media.sound import RATE, read_sound
from ..protocol import InputError
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from . import what_is_said, whole_face
from .motion.idle import NOD, blinks, loudness_of, sway
from .motion.lively import bumps, expression, gaze
from .motion.motion_output import frame_times, write_motion
from .motion.motion_training import speak
from .motion.motion_translator import MotionTranslator
from .motion.speaker_file import load_speaker
from .motion.universal import universal_mouth
from .speech.audio_features import BANDS, speech_features
from .speech.log_mel import FEATURE_RATE
from .speech.pretrained import load_pretrained
from .speech.prosody import Prosody, prosody
from .speech.smoothing import smoothed
from .speech.viseme_encoder import load_encoder
from .speech.visemes import VISEMES, VisemeStyle, closed_on, viseme_shares
from .speech.voice_activity import SILENT, load_voice_model, sounds_like_speech
from .speech_verb import SpeechOptions
from .what_is_said import Said

AROUND, SOFT = 0.2, 0.05  # seconds that a mouth moves before and after its own lines


def run(job: Job[SpeechOptions]) -> Outcome:
    """Leaves motion.npz, live_link.csv, curves.png and, where words are known, words.json."""
    options, path = job.options, Path(job.request.input)
    speaker = load_speaker(Path(options.speaker)) if options.speaker else None
    known = what_is_said.known_before(job)
    voice = load_voice_model(options.voice_model)
    network = whole_face.loaded(job)
    keeper = StageKeeper(job)
    job.stage("Reading the sound", 1, 3)
    samples = read_sound(path, options.channel)
    if np.abs(samples).max() < SILENT:
        job.warn("SILENT", f"{path.name} is silent: the face will only blink.")
    elif not options.assume_speech and not sounds_like_speech(samples, voice):
        job.warn(
            "NO_SPEECH",
            f"{path.name} hardly sounds like speech: is it music, or the wrong file? The face "
            "moves all the same; --assume-speech (Treat as Speech) leaves this warning out.",
        )
    job.stage("Listening", 2, 3)
    features = keeper.stage(
        "features",
        Floats,
        lambda: speech_features(samples, load_encoder(), load_pretrained(options.sound_model)),
    )
    said = keeper.stage("heard", Said, lambda: what_is_said.said(job, features, known))
    probabilities = said.probabilities
    job.stage("Moving the face", 3, 3)
    times = frame_times(len(samples) / RATE, options.fps)
    heard = times + options.lead / 1000
    style = VisemeStyle(options.intensity, options.jaw, options.closure)
    mouth, own = universal_mouth(probabilities, features[:, :BANDS], style), list[str]()
    face = whole_face.heard(job, network, samples, len(features), keeper) if network else None
    if face is not None:
        mouth, own = whole_face.in_style(face, probabilities, style, known.exact), list(face.own)
    if speaker:
        mouth, own = _in_the_manner(speaker, features, mouth, probabilities, style, known.exact)
        mouth = mouth if face is None else whole_face.above_the_mouth(face, mouth, style)
    if options.character and (speaker or face):  # they hear the others too
        mouth = mouth * _own_lines(probabilities)[:, None]
    spoken = np.concatenate([mouth, viseme_shares(probabilities, style) * options.intensity], 1)
    values = smoothed(_at(spoken, heard), options.smoothing * options.fps)
    told = prosody(samples, features)
    mine = _at(_own_lines(probabilities)[:, None], heard)[:, 0] if options.character else 1.0
    if face is None:  # which has brows and eyes of its own
        for name, curve in _beside(options, told, heard, job.request.seed).items():
            values[:, BLENDSHAPES.index(name)] = curve * mine
    ends = told.pauses[:, 0] - options.lead / 1000
    lids = blinks(times, options.blinks, job.request.seed, ends)
    for side in ("Left", "Right"):
        column = BLENDSHAPES.index(f"eyeBlink{side}")
        values[:, column] = np.maximum(values[:, column], lids)
    head = sway(heard, loudness_of(features[:, :BANDS]), options.sway, job.request.seed)
    accents = bumps(heard, told.accents, told.strengths)
    head[:, 0] -= NOD * options.sway * accents * mine
    names = [*BLENDSHAPES, *own, *VISEME_CURVES, *HEAD]
    values = np.concatenate([values, head], 1)
    keys = write_motion(
        job.folder.staging, options.fps, names, values, options.tolerance, str(path.resolve())
    )
    if said.words:
        words_file.write(job.folder.staging / words_file.NAME, said.words)
    seconds = len(samples) / RATE
    manner = "in the speaker's manner" if speaker else whole_face.manner(network, options.emotion)
    return Outcome(
        f"{seconds:.1f} s of speech {manner}, {keys:,} keys",
        {"seconds": seconds, "keys": float(keys)},
    )


def _beside(
    options: SpeechOptions, told: Prosody, heard: NDArray[np.float64], seed: int
) -> dict[str, Floats]:
    """Brows, eyes and gaze, by ARKit's names."""
    brows = expression(heard, told, options.expression, seed)
    return brows | gaze(heard, told, options.gaze, seed)


def _own_lines(probabilities: Floats) -> Floats:
    """(T,) 1 around what is said by chances (T, 15), 0 elsewhere, with soft edges."""
    said = (probabilities[:, VISEMES.index("sil")] < 0.5).astype(np.float32)
    width = round(AROUND * FEATURE_RATE)
    near = np.convolve(said, np.ones(2 * width + 1), "same") > 0
    return smoothed(near.astype(np.float32), SOFT * FEATURE_RATE)


def _in_the_manner(
    speaker: tuple[MotionTranslator, list[str]],
    features: Floats,
    universal: Floats,
    probabilities: Floats,
    style: VisemeStyle,
    exact: bool,
) -> tuple[Floats, list[str]]:
    """(T, 52 + E) at FEATURE_RATE: the speaker's coefficients, others as universal; lips close
    where a transcript says so. And the names of the E that are not ARKit's.
    """
    model, names = speaker
    if model.config.channels != features.shape[1]:
        raise InputError(
            "This speaker was taught with another sound model.",
            "Name the one that `face` was given, with --sound-model.",
        )
    coefficients = universal.copy()
    known = [name for name in names if name in BLENDSHAPES]
    spoken = speak(model, features) * style.intensity
    coefficients[:, [BLENDSHAPES.index(name) for name in known]] = spoken[
        :, [names.index(name) for name in known]
    ].clip(0, 1)
    coefficients[:, BLENDSHAPES.index("jawOpen")] = (
        coefficients[:, BLENDSHAPES.index("jawOpen")] * style.jaw
    ).clip(0, 1)
    own = [name for name in names if name not in BLENDSHAPES]
    closed = closed_on(coefficients, probabilities, style) if exact else coefficients
    return np.concatenate(
        [closed, spoken[:, [names.index(name) for name in own]].clip(-1, 1)], 1
    ), own


def _at(rows: Floats, times: NDArray[np.float64]) -> Floats:
    """Rows (T, K) at FEATURE_RATE, at other times; the ends are held."""
    place = times * FEATURE_RATE
    return np.stack([np.interp(place, np.arange(len(rows)), column) for column in rows.T], 1)
