"""What a mouth does for each kind of sound: fifteen visemes (Oculus' set), their poses, and how one
runs into the next.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from ...formats.arkit import BLENDSHAPES
from ...geometry.arrays import Floats
from .log_mel import FEATURE_RATE

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
CLOSED, TEETH = VISEMES.index("PP"), VISEMES.index("FF")
POSES: dict[
    str, dict[str, float]
] = {  # both sides of the face do the same; our own, by ear and mirror
    "sil": {},
    "PP": {"mouthPress": 0.3, "mouthRollLower": 0.25, "mouthRollUpper": 0.2},
    "FF": {"jawOpen": 0.03, "mouthRollLower": 0.55, "mouthUpperUp": 0.2, "mouthShrugUpper": 0.15},
    "TH": {"jawOpen": 0.1, "mouthLowerDown": 0.25, "mouthUpperUp": 0.1, "tongueOut": 0.15},
    "DD": {"jawOpen": 0.08, "mouthLowerDown": 0.25, "mouthUpperUp": 0.1},
    "kk": {"jawOpen": 0.13, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "CH": {"jawOpen": 0.06, "mouthFunnel": 0.5, "mouthPucker": 0.2, "mouthLowerDown": 0.1},
    "SS": {
        "jawOpen": 0.03,
        "mouthStretch": 0.2,
        "mouthLowerDown": 0.3,
        "mouthUpperUp": 0.15,
        "mouthSmile": 0.1,
    },
    "nn": {"jawOpen": 0.09, "mouthLowerDown": 0.2, "mouthUpperUp": 0.08},
    "RR": {"jawOpen": 0.1, "mouthFunnel": 0.25, "mouthPucker": 0.2, "mouthLowerDown": 0.1},
    "aa": {"jawOpen": 0.42, "mouthLowerDown": 0.25, "mouthUpperUp": 0.12},
    "E": {
        "jawOpen": 0.25,
        "mouthStretch": 0.2,
        "mouthSmile": 0.15,
        "mouthLowerDown": 0.25,
        "mouthUpperUp": 0.1,
    },
    "ih": {
        "jawOpen": 0.13,
        "mouthSmile": 0.25,
        "mouthStretch": 0.15,
        "mouthLowerDown": 0.25,
        "mouthUpperUp": 0.1,
    },
    "oh": {"jawOpen": 0.28, "mouthFunnel": 0.4, "mouthPucker": 0.2},
    "ou": {"jawOpen": 0.1, "mouthFunnel": 0.2, "mouthPucker": 0.65},
}


@dataclass(frozen=True, kw_only=True)
class CoarticulationConfig:
    """How strongly, and for how long, a viseme rules the mouth against its neighbours (Cohen and
    Massaro 1993).
    """

    width: float = 0.06  # seconds, the deviation of a Gaussian
    strength: float = 1.0
    consonant: float = 0.6  # strength of those that the lips take no part in: vowels shine through
    narrow: float = 0.03  # seconds, of lips that close or touch the teeth
    closing: float = 10.0  # strength of these: nothing shines through
    touching: float = 5.0
    lead: float = 0.02  # seconds that a mouth is ahead of its sound

    def of(self, viseme: str) -> tuple[float, float]:
        """Width and strength."""
        special = {"PP": (self.narrow, self.closing), "FF": (self.narrow, self.touching)}
        if viseme in special:
            return special[viseme]
        return self.width, self.consonant if viseme in (
            "TH",
            "DD",
            "kk",
            "nn",
            "RR",
            "sil",
        ) else self.strength


@dataclass(frozen=True)
class VisemeStyle:
    """What an artist turns: 1 is as it comes."""

    intensity: float = 1.0
    jaw: float = 1.0
    closure: float = 1.0
    coarticulation: CoarticulationConfig = field(default_factory=CoarticulationConfig)


def pose_table(names: tuple[str, ...] = BLENDSHAPES) -> Floats:
    """(15, K) poses over the coefficients `names`; a shape without a side goes to both."""
    table = np.zeros((len(VISEMES), len(names)), np.float32)
    for row, viseme in enumerate(VISEMES):
        for shape, value in POSES[viseme].items():
            for column, name in enumerate(names):
                if name in (shape, f"{shape}Left", f"{shape}Right"):
                    table[row, column] = value
    return table


def mouths(
    probabilities: Floats, names: tuple[str, ...] = BLENDSHAPES, style: VisemeStyle = VisemeStyle()
) -> Floats:
    """(T, K) coefficients of a mouth that says visemes with chances (T, 15), both at
    FEATURE_RATE.
    """
    coefficients = viseme_shares(probabilities, style) @ pose_table(names) * style.intensity
    if "jawOpen" in names:
        coefficients[:, names.index("jawOpen")] *= style.jaw
    return np.asarray(coefficients.clip(0, 1), np.float32)


def closed_on(
    coefficients: Floats,
    probabilities: Floats,
    style: VisemeStyle = VisemeStyle(),
    names: tuple[str, ...] = BLENDSHAPES,
) -> Floats:
    """Coefficients (T, K) from elsewhere, but with lips that close, and touch the teeth, where
    visemes say so.
    """
    shares, table = (
        viseme_shares(probabilities, style)[:, [CLOSED, TEETH]],
        pose_table(names)[[CLOSED, TEETH]],
    )
    return np.asarray(
        coefficients * (1 - shares.sum(1, keepdims=True)) + shares @ table, np.float32
    )


def viseme_shares(probabilities: Floats, style: VisemeStyle) -> Floats:
    """(T, 15) how much each viseme rules the mouth; they sum to one."""
    config = style.coarticulation
    dominance = np.stack(
        [
            _spread(probabilities[:, k], *config.of(viseme), config.lead)
            for k, viseme in enumerate(VISEMES)
        ],
        1,
    )
    dominance[:, [CLOSED, TEETH]] *= style.closure
    return np.asarray(dominance / np.maximum(dominance.sum(1, keepdims=True), 1e-6), np.float32)


def _spread(probability: Floats, width: float, strength: float, lead: float) -> Floats:
    """(T,) of one viseme, by a Gaussian whose middle lies ahead."""
    reach = int(np.ceil((3 * width + abs(lead)) * FEATURE_RATE))
    at = np.arange(-reach, reach + 1) / FEATURE_RATE
    kernel = np.exp(-0.5 * ((at - lead) / width) ** 2)
    padded = torch.nn.functional.pad(
        torch.from_numpy(probability)[None, None], (reach, reach), mode="replicate"
    )
    weights = torch.from_numpy((strength * kernel / kernel.sum()).astype(np.float32))[None, None]
    return np.asarray(torch.nn.functional.conv1d(padded, weights)[0, 0].numpy())
