"""The verb `speech`: a sound becomes the motion of a face, in a speaker's manner or in one that
suits all.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..formats.arkit import BLENDSHAPES
from ..formats.face_names import VISEME_CURVES
from ..formats.gate import is_file, read_text
from ..formats.motion_file import HEAD
from ..geometry.arrays import Floats
from ..media.sound import RATE, read_sound
from ..protocol import InputError
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from .motion.idle import NOD, blinks, loudness_of, sway
from .motion.lively import bumps, expression, gaze
from .motion.motion_output import frame_times, write_motion
from .motion.motion_training import speak
from .motion.motion_translator import MotionTranslator
from .motion.speaker_file import load_speaker
from .motion.universal import universal_mouth
from .speech.audio_features import (
    BANDS,
    CHANNELS,
    heard_visemes,
    shown_by_sound,
    speech_features,
)
from .speech.log_mel import FEATURE_RATE
from .speech.pretrained import load_pretrained
from .speech.prosody import Prosody, prosody
from .speech.recognised import recognised_visemes, vocabulary
from .speech.smoothing import smoothed
from .speech.transcript import Transcript, parse
from .speech.transcript_alignment import said_track
from .speech.viseme_encoder import load_encoder
from .speech.visemes import VISEMES, VisemeStyle, closed_on, viseme_shares
from .speech.voice_activity import SILENT, load_voice_model, sounds_like_speech
from .speech_verb import SpeechOptions

AROUND, SOFT = 0.2, 0.05  # seconds that a mouth moves before and after its own lines
SHOWN = 8  # notes and names in a sentence
FILES = (".srt", ".vtt", ".txt")  # a text that ends so, in one word, names a file


def run(job: Job[SpeechOptions]) -> Outcome:
    """Leaves motion.npz, live_link.csv and curves.png."""
    options, path = job.options, Path(job.request.input)
    speaker = load_speaker(Path(options.speaker)) if options.speaker else None
    script = _transcript(job)
    voice = load_voice_model(options.voice_model)
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
    probabilities = keeper.stage("heard", Floats, lambda: _probabilities(job, features, script))
    job.stage("Moving the face", 3, 3)
    times = frame_times(len(samples) / RATE, options.fps)
    heard = times + options.lead / 1000
    style = VisemeStyle(options.intensity, options.jaw, options.closure)
    mouth, own = universal_mouth(probabilities, features[:, :BANDS], style), list[str]()
    if speaker:
        mouth, own = _in_the_manner(speaker, features, mouth, probabilities, style, bool(script))
        if options.character:  # the speaker's decoder hears the others too
            mouth = mouth * _own_lines(probabilities)[:, None]
    spoken = np.concatenate([mouth, viseme_shares(probabilities, style) * options.intensity], 1)
    values = smoothed(_at(spoken, heard), options.smoothing * options.fps)
    told = prosody(samples, features)
    mine = _at(_own_lines(probabilities)[:, None], heard)[:, 0] if options.character else 1.0
    for name, curve in _beside(options, told, heard, job.request.seed).items():
        values[:, BLENDSHAPES.index(name)] = curve * mine
    ends = told.pauses[:, 0] - options.lead / 1000
    lids = blinks(times, options.blinks, job.request.seed, ends)
    for side in ("Left", "Right"):
        values[:, BLENDSHAPES.index(f"eyeBlink{side}")] = lids
    head = sway(heard, loudness_of(features[:, :BANDS]), options.sway, job.request.seed)
    accents = bumps(heard, told.accents, told.strengths)
    head[:, 0] -= NOD * options.sway * accents * mine
    names = [*BLENDSHAPES, *own, *VISEME_CURVES, *HEAD]
    values = np.concatenate([values, head], 1)
    keys = write_motion(
        job.folder.staging, options.fps, names, values, options.tolerance, str(path.resolve())
    )
    seconds = len(samples) / RATE
    manner = "in the speaker's manner" if speaker else "in a universal style"
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


def _text(given: str) -> str:
    """A transcript, or what stands in the file that it names."""
    path = Path(given) if given and len(given) < 1000 and "\n" not in given else None
    named = path and " " not in path.name and (path.suffix.lower() in FILES or path.is_absolute())
    if path and named and not is_file(path):
        raise InputError(
            f"There is no file {given}.", "Choose the transcript again, or give the text itself."
        )
    try:
        return read_text(path) if path and is_file(path) else given
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"{given} can't be read as text.", "Give a plain text file in UTF-8."
        ) from error


def _transcript(job: Job[SpeechOptions]) -> Transcript | None:
    """What is said, if it is told; what of it is not spoken is named."""
    if not job.options.transcript:
        return None
    script, who = parse(_text(job.options.transcript)), job.options.character
    if script.notes:
        shown = ", ".join(list(dict.fromkeys(script.notes))[:SHOWN])
        job.warn("NOTES", f"Notes in the transcript are not spoken ({len(script.notes)}): {shown}.")
    if not script.lines:
        raise InputError(
            "The transcript holds nothing that is spoken.", "Leave it out to go by ear."
        )
    if who and who not in script.speakers:
        raise InputError(
            f"Nobody called {who} speaks in the transcript.",
            f"Its names: {', '.join(script.speakers) or 'none'}.",
        )
    if len(script.speakers) > 1 and not who:
        job.warn(
            "SPEAKERS",
            f"The face says the lines of all: {', '.join(script.speakers[:SHOWN])}. Name one with "
            "--character (Character).",
        )
    return script


def _probabilities(job: Job[SpeechOptions], features: Floats, script: Transcript | None) -> Floats:
    """(T, 15) of visemes: by ear, or exactly, where it is known what is said."""
    options = job.options
    if script is None:
        return _by_ear(job, features)
    track, unread = said_track(
        script,
        options.language,
        heard_visemes(features),
        options.trust_transcript,
        options.character,
    )
    for reason, count in unread.items():
        job.warn("TRANSCRIPT", f"{count} {reason}.")
    return np.eye(len(VISEMES), dtype=np.float32)[track]


def _own_lines(probabilities: Floats) -> Floats:
    """(T,) 1 around what is said by chances (T, 15), 0 elsewhere, with soft edges."""
    said = (probabilities[:, VISEMES.index("sil")] < 0.5).astype(np.float32)
    width = round(AROUND * FEATURE_RATE)
    near = np.convolve(said, np.ones(2 * width + 1), "same") > 0
    return smoothed(near.astype(np.float32), SOFT * FEATURE_RATE)


def _by_ear(job: Job[SpeechOptions], features: Floats) -> Floats:
    """(T, 15) of visemes as they are heard: by our own ear or, where the sound model tells what is
    said, by both.
    """
    shown, model = shown_by_sound(features), job.options.sound_model
    scores = features[:, CHANNELS:]
    if not model or job.options.speaker:
        return shown
    signs = vocabulary(model, scores.shape[1])
    if not signs:
        job.warn(
            "SOUND_MODEL",
            "Without a speaker this sound model changes nothing: no vocab.json beside it says what "
            "it hears.",
        )
        return shown
    exact, missed = recognised_visemes(
        scores, signs, job.options.language, shown, heard_visemes(features)
    )
    if missed:
        job.warn("RECOGNISED", f"{missed} stretches are moved by ear: too much was recognised.")
    return exact


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
