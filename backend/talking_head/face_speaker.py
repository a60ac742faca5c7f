"""How the person of `face` speaks: a decoder of their own, by the speech of all clips."""

from pathlib import Path

import numpy as np

from ..geometry.arrays import Floats
from ..media.sound import RATE, Samples, read_sound
from ..networks.onnx_model import OnnxModel
from ..protocol import InputError
from ..runtime.job import Job
from ..runtime.kept_stage import StageKeeper
from .face_clips import FaceClip
from .face_verb import PRESETS, FaceOptions
from .fitting.head_motion import HeadMotion
from .motion.face_motion import SPOKEN, resampled
from .motion.matched_training import train_matched
from .motion.motion_output import frame_times
from .motion.motion_training import MotionTrainingConfig
from .motion.motion_translator import MotionTranslatorConfig
from .motion.speaker_file import NAME as SPEAKER, save_speaker
from .motion.speech_clip import SpeechClip, still_face
from .rigs.correspondence import Correspondence
from .rigs.rig import Rig
from .speech.audio_features import BANDS, HUSH, speech_features
from .speech.log_mel import FEATURE_RATE
from .speech.viseme_encoder import load_encoder
from .speech.voice_activity import load_voice_model, sounds_like_speech
from .tracking.face_mesh import LOWER_LIP, UPPER_LIP

MOVED = 30.0  # a second: what motions of all clips are brought to


def opening(rig: Rig, where: Correspondence) -> Floats:
    """(K,) centimetres by which each shape takes the lips apart, in their middle."""
    upper, lower = (rig.shapes[:, where.vertices[point], 1] for point in (UPPER_LIP, LOWER_LIP))
    return np.asarray(upper - lower, np.float32)


def teach(
    job: Job[FaceOptions],
    clips: list[FaceClip],
    motions: list[HeadMotion],
    lips: Floats,
    pretrained: OnnxModel | None,
) -> bool:
    """Trains the speaker's decoder on the clips that hold speech, and notes how long each is.
    False, with a word, where all together have too little.
    """
    names = motions[0].names
    spoken = [k for k, name in enumerate(names) if name.startswith(SPOKEN)]
    try:
        heard = _heard(job, clips, motions, spoken, pretrained)
        config = MotionTranslatorConfig(
            channels=heard[0].features.shape[1], coefficients=len(spoken)
        )
        steps = PRESETS[job.request.preset].speech_steps
        model = train_matched(
            heard,
            config,
            MotionTrainingConfig(steps=steps, seed=job.request.seed),
            still_face(heard, lips[spoken]),
            lips[spoken],
            progress=lambda share: job.progress(int(steps * share), steps),
            keeper=StageKeeper(job),
        )
    except InputError as error:
        for clip in clips:
            clip.seconds = 0.0
        read = "The face's motion is read all the same."
        job.warn("NO_SPEAKER", " ".join(part for part in (error.what, read, error.advice) if part))
        return False
    save_speaker(model, [names[k] for k in spoken], job.folder.staging / SPEAKER)
    return True


def _heard(
    job: Job[FaceOptions],
    clips: list[FaceClip],
    motions: list[HeadMotion],
    spoken: list[int],
    pretrained: OnnxModel | None,
) -> list[SpeechClip]:
    """Of the clips in which someone speaks; the others are named. InputError where none does."""
    spoken_in, silent = list[SpeechClip](), list[InputError]()
    for clip, motion in zip(clips, motions, strict=True):
        try:
            spoken_in.append(_speech(job.options, clip.path, motion, spoken, pretrained))
            clip.seconds = spoken_in[-1].seconds
        except InputError as error:
            silent.append(error)
    if not spoken_in:
        raise silent[0]
    for left_out in silent:
        text = f"{left_out.what} It is not learned from; its face is."
        job.warn("NO_SPEECH", f"{text} {left_out.advice}".strip())
    return spoken_in


def _speech(
    options: FaceOptions,
    path: Path,
    motion: HeadMotion,
    spoken: list[int],
    pretrained: OnnxModel | None,
) -> SpeechClip:
    times = frame_times(motion.times[-1] - motion.times[0], MOVED)[:-1] + motion.times[0]
    samples = read_sound(path, options.channel)
    sounds = speech_features(samples, load_encoder(), pretrained)
    begin, end = float(motion.times[0]), float(motion.times[-1])
    features = sounds[round(begin * FEATURE_RATE) : round(end * FEATURE_RATE) + 1]
    demand_speech(options, path, features, samples[round(begin * RATE) : round(end * RATE) + 1])
    return SpeechClip(
        features, resampled(motion.coefficients[:, spoken], motion.times, times), MOVED
    )


def demand_speech(options: FaceOptions, path: Path, features: Floats, samples: Samples) -> None:
    """InputError where the part of the video that is read holds no sound, or none that sounds like
    speech and was not said to be.
    """
    if not len(features) or features[:, :BANDS].max() < HUSH:
        raise InputError(f"No speech is heard in {path.name}.", "Its sound is silent there.")
    voice = load_voice_model(options.voice_model)
    if not options.assume_speech and not sounds_like_speech(samples, voice):
        raise InputError(
            f"No speech is heard in {path.name}.",
            "If there is some, give --assume-speech (Treat as Speech).",
        )
