"""Whether anybody speaks in a sound, in whatever language: by a measured rule, or by a network of
the user (Silero VAD, or one with its interface).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...media.sound import RATE, Samples
from ...networks import onnx_model
from ...networks.onnx_model import OnnxModel, Wanted
from ...networks.pictures import model_file
from .voice_measures import voice_measures

SILENT = 1e-3  # loudest sample of a recording that holds nothing
SHORT = RATE // 2  # samples that are too few to tell
BLOCK, CONTEXT, STATE = 512, 64, 128  # samples that Silero hears at once, and before; its memory

# by measure, in the order of MEASURES: mean and deviation over all windows, and how much one
# deviation more speaks for speech. Logistic regression on every other recording, on espeak in six
# languages and on music and noises of even seeds, half of them with room, noise or a telephone;
# `python -m tests.benchmarks.voice_rule` finds it anew
RULE = (
    (2.03, 3.18, 1.64), (1.96, 3.06, 0.48), (2.02, 2.89, 0.27), (1.73, 2.63, -0.82),
    (1.51, 1.43, 0.90), (0.885, 0.223, 0.63), (0.471, 0.409, -0.14), (0.602, 0.311, 0.68),
    (0.110, 0.0913, 1.92), (0.395, 0.280, -0.50), (0.208, 0.271, 2.20), (-0.173, 0.412, -1.28),
    (1.39, 1.31, -1.50), (4.62, 2.22, 0.93), (8.03, 6.19, 1.37), (11.3, 9.82, 0.96),
    (0.782, 0.451, -0.68),
)  # fmt: skip
OFFSET = -6.19


@dataclass(frozen=True, kw_only=True)
class VoiceActivityConfig:
    """Where speech begins. Speech of the material that the rule was found on lies above 1.8, music
    and noise below 1.2, but for noise that swells and ebbs as syllables do.
    """

    enough: float = 1.0  # log odds
    farthest: float = 3.0  # deviations of a measure that count
    least: int = 4  # windows in a row: three and a half seconds
    most: int = 20  # eleven and a half seconds
    share: float = 0.25  # of the sound, between these two
    chance: float = 0.5  # of a network, from which a block is speech
    seconds: float = 0.5  # of such blocks, or a twentieth of a shorter sound
    part: float = 0.05


def sounds_like_speech(
    samples: Samples,
    network: OnnxModel | None = None,
    config: VoiceActivityConfig = VoiceActivityConfig(),
) -> bool:
    """Whether a sound (S,) has speech in it. Songs pass; what is too short to tell does, too."""
    if not len(samples) or float(np.abs(samples).max()) < SILENT:
        return False
    if len(samples) < SHORT:
        return True
    if network is None:
        return speech_evidence(samples, config) > config.enough
    spoken = float((voice_chances(network, samples) > config.chance).sum()) * BLOCK / RATE
    return spoken > min(config.seconds, config.part * len(samples) / RATE)


def speech_evidence(samples: Samples, config: VoiceActivityConfig = VoiceActivityConfig()) -> float:
    """Log odds of the stretch of a sound (S,) that is most like speech; the stretch is a quarter of
    it, but neither very short nor very long. -inf where nothing is heard.
    """
    windows = evidence_of(voice_measures(samples), config)
    if not len(windows):
        return -np.inf
    stretch = min(len(windows), max(config.least, int(config.share * len(windows))), config.most)
    return float(np.convolve(windows, np.ones(stretch) / stretch, "valid").max())


def evidence_of(
    measures: NDArray[np.float64], config: VoiceActivityConfig = VoiceActivityConfig()
) -> NDArray[np.float64]:
    """(W,) log odds of windows with measures (W, 17)."""
    mean, deviation, weight = np.array(RULE).T
    away = ((measures - mean) / deviation).clip(-config.farthest, config.farthest)
    return np.asarray(away @ weight + OFFSET)


def load_voice_model(path: str) -> OnnxModel | None:
    """None for no path; InputError for what is no network with Silero VAD's interface."""
    if not path:
        return None
    model = onnx_model.load(model_file(Path(path)))
    model.demand(
        "a voice model",
        [
            Wanted(name="input", shapes=((None, None),)),
            Wanted(name="state", shapes=((2, None, STATE),)),
            Wanted(name="sr", kinds=("int64",), shapes=((), (1,))),
        ],
        [
            Wanted(shapes=((None, 1),)),
            Wanted(shapes=((2, None, STATE), (None, None, None))),
        ],
    )
    return model


def voice_chances(model: OnnxModel, samples: Samples) -> NDArray[np.float32]:
    """(ceil(S / BLOCK),) chance of speech in each 32 ms of a sound (S,)."""
    padded = np.pad(samples, (CONTEXT, -len(samples) % BLOCK))
    state = np.zeros((2, 1, STATE), np.float32)
    rate = np.array(RATE).reshape((1,) * len(model.inputs[2].shape))
    chances = []
    for first in range(0, len(padded) - CONTEXT, BLOCK):
        given = model.run(input=padded[None, first : first + CONTEXT + BLOCK], state=state, sr=rate)
        chance, state = (given[port.name] for port in model.outputs[:2])
        chances.append(float(chance[0, 0]))
    return np.array(chances, np.float32)
