"""What a speaker's decoder hears: bands of sound, and what the universal encoder makes of them."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...media.sound import Samples
from ...networks.onnx_model import OnnxModel
from .log_mel import Features, LogMelConfig, log_mel
from .pretrained import pretrained_audio_features
from .viseme_encoder import ROBUST, VisemeEncoder, load_encoder, viseme_probabilities
from .visemes import CLOSED, VISEMES

BANDS = LogMelConfig().bands
CHANNELS = BANDS + len(VISEMES)
FLOOR = 1e-3  # of a chance
HUSH = -11.0  # log energy of the loudest band below which nobody speaks, whatever the encoder hears
DEEP = 9.2  # and as far below the loud parts: 40 dB
SHOWN_DEEP = 8.0  # 35 dB, for what a mouth shows by ear

# by ear, 66 to 92 % of the benchmark's closures are then met, in each language and recording; at 3,
# 70 to 97 %, but the jaw follows its truth less (r 0.53 for 0.59), and noise changes more
CLOSING = 1.5


def speech_features(
    samples: Samples, encoder: VisemeEncoder, pretrained: OnnxModel | None = None
) -> Features:
    """(T, CHANNELS) at FEATURE_RATE: log-mel bands, then logarithms of the visemes' chances; then
    what a network of the user hears.
    """
    bands = log_mel(samples)
    probabilities = _hushed(viseme_probabilities(encoder, bands), bands, DEEP)
    own = np.concatenate([bands, np.log(probabilities + FLOOR)], 1)
    return (
        own
        if pretrained is None
        else np.concatenate([own, pretrained_audio_features(pretrained, samples, len(own))], 1)
    )


def _hushed(probabilities: Features, bands: Features, deep: float) -> Features:
    """(T, 15) with silence where the bands (T, 80) are so far below their loud parts."""
    energy = bands.max(1)
    probabilities[energy < max(HUSH, np.quantile(energy, 0.95) - deep)] = np.eye(len(VISEMES))[0]
    return probabilities


@cache
def _robust_encoder() -> VisemeEncoder:
    return load_encoder(ROBUST)


def heard_visemes(features: Features) -> Features:
    """(T, 15) chances of visemes, as the encoder gives them."""
    return np.asarray((np.exp(features[:, BANDS:CHANNELS]) - FLOOR).clip(0, 1), np.float32)


def shown_by_sound(features: Features) -> Features:
    """(T, 15) what a mouth should show of them: closures count for more, since one that is missed
    is seen, and one too many is not. By the encoder that was taught in noise: it moves as far in a
    noisy recording as in a clean one, where the other is sharper and aligns better.
    """
    bands = np.ascontiguousarray(features[:, :BANDS], np.float32)
    probabilities = _hushed(viseme_probabilities(_robust_encoder(), bands), bands, SHOWN_DEEP)
    probabilities[:, CLOSED] *= CLOSING
    return np.asarray(probabilities / probabilities.sum(1, keepdims=True).clip(1e-6), np.float32)


def silence(features: Features) -> NDArray[np.float32]:
    """(C,) of no sound at all; what follows CHANNELS is taken from the quietest moment of these
    features (T, C).
    """
    probabilities = np.eye(len(VISEMES), dtype=np.float32)[0]
    bands = np.full(BANDS, np.log(LogMelConfig().floor), np.float32)
    rest = (
        features[features[:, :BANDS].max(1).argmin(), CHANNELS:]
        if len(features)
        else features.sum(0)[CHANNELS:]
    )
    return np.concatenate([bands, np.log(probabilities + FLOOR), rest]).astype(np.float32)
