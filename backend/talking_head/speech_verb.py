"""The verb `speech`: what it can be told."""

from dataclasses import dataclass
from typing import Literal

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class SpeechOptions:
    """What the verb can be told."""

    fps: float = option(24.0, "frames a second of the scene that the keys are for", 1, 1000)
    speaker: str = option(
        "", "what `face` learned of a speaker (speaker.safetensors); empty: a universal style"
    )
    transcript: str = option(
        "",
        "what is said, or a file with it (text, .srt, .vtt): lips then close exactly (empty: by "
        "ear)",
    )
    words: str = option(
        "",
        "what is said and when, instead of a transcript: the words.json of an earlier speech, with "
        "times that you may have changed",
    )
    character: str = option(
        "", "whose lines the face says, of a transcript with names (ANNA: …); empty: all"
    )
    trust_transcript: bool = option(
        False, "align the transcript even where it does not seem to belong to the sound"
    )
    channel: Literal["mix", "left", "right"] = option(
        "mix", "which channel of a stereo sound is heard"
    )
    sound_model: str = option(
        "",
        "your own wav2vec-like network, as .onnx: the one that the speaker was taught with, or "
        "without a speaker a recogniser with its vocab.json, which hears what is said",
    )
    audio2face: str = option(
        "",
        "folder of an Audio2Face-3D v2.3 network (Claire, James, Mark), which moves the whole face "
        "by ear",
    )
    emotion: str = option(
        "neutral",
        "what the face feels, by Audio2Face-3D: neutral, amazement, anger, cheekiness, disgust, "
        "fear, grief, joy, outofbreath, pain, sadness",
    )
    emotion_strength: float = option(0.7, "how much of that emotion", 0, 1)
    assume_speech: bool = option(
        False, "take the sound for speech, even where none is heard: no warning"
    )
    voice_model: str = option(
        "",
        "a network that tells speech from other sounds (Silero VAD's interface), as .onnx; empty: "
        "a measured rule",
    )
    language: str = option(
        "en-us", "language of the transcript: en-us, de, fr, es, it, pl, ja, … (espeak-ng's codes)"
    )
    intensity: float = option(1.0, "how much the face moves", 0, 3)
    jaw: float = option(1.0, "how far the jaw opens", 0, 3)
    closure: float = option(
        1.0, "how firmly lips close on p, b, m and touch the teeth on f, v", 0, 5
    )
    smoothing: float = option(0.0, "seconds over which motion is smoothed", 0, 1)
    lead: float = option(
        0.0, "milliseconds that the face is ahead of its sound; negative: behind", -1000, 1000
    )
    blinks: float = option(15.0, "blinks a minute", 0, 120)
    sway: float = option(1.0, "how much the head moves with the speech", 0, 5)
    expression: float = option(
        1.0, "how much brows and eyes go along with the voice: accents and liveliness", 0, 3
    )
    gaze: float = option(1.0, "how far the eyes look away in pauses", 0, 2)
    tolerance: float = option(0.01, "how far a curve may be off where keys are left out", 0, 0.2)


VERB = Verb(
    name="speech",
    title="Speak",
    options=SpeechOptions,
    help="turn speech into the motion of a face",
    description=(
        "--input is a sound or a video. --output receives motion.npz (keys for 52 ARKit shapes, "
        "blinks and the head, in layers),\n"
        "live_link.csv (every frame, as Live Link Face writes it), curves.png and, with a "
        "transcript, words.json (words and sounds,\n"
        "which --words takes again). Any language; a transcript makes lips exact."
    ),
    example="python -m backend speech --input line.wav --fps 24 --output line-motion",
    run="talking_head.speech_job",
)
