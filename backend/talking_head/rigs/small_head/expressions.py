"""ARKit's 52 shapes for the small head: each a few hills of movement on the skin, turns of the jaw
and the eyes, or other lids.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ....geometry.arrays import Doubles
from .surface import EYE, MOUTH, Lids, ball_center, bump

JAW_AXIS, JAW_ANGLE = (-1.5, 0.5), 0.3  # height and depth of the joints; radians of jawOpen
LOOKS = {
    "Up": (0, -0.42),
    "Down": (0, 0.42),
    "In": (1, -0.5),
    "Out": (1, 0.5),
}  # axis, radians of a left eye
Hill = tuple[
    tuple[float, float], tuple[float, float], tuple[float, float, float], str
]  # at, size, movement, which lip

BOTH: dict[str, list[Hill]] = {  # of the left side; the right is its mirror
    "mouthSmile": [
        ((2.6, -6.3), (1.3, 1.1), (0.55, 0.75, -0.25), ""),
        ((4.2, -4), (1.5, 1.3), (0, 0.3, 0.3), ""),
    ],
    "mouthFrown": [((2.5, -6.4), (1.2, 1.0), (0.1, -0.75, -0.1), "")],
    "mouthDimple": [((2.7, -6.3), (1.0, 0.9), (0.3, 0.05, -0.45), "")],
    "mouthStretch": [((2.6, -6.4), (1.5, 1.3), (0.7, -0.2, -0.3), "")],
    "mouthPress": [
        ((1.3, -5.9), (1.5, 0.45), (0, -0.14, -0.14), "upper"),
        ((1.3, -6.75), (1.5, 0.45), (0, 0.16, -0.14), "lower"),
    ],
    "mouthLowerDown": [((1.15, -6.7), (1.15, 0.8), (0, -0.65, 0.05), "lower")],
    "mouthUpperUp": [
        ((1.15, -5.9), (1.15, 0.9), (0, 0.55, 0.1), "upper"),
        ((1.6, -4.4), (1.2, 0.8), (0.1, 0.25, 0.1), "upper"),
    ],
    "browDown": [((2.6, 2.2), (2.1, 1.0), (-0.2, -0.5, 0.05), "")],
    "browOuterUp": [((4.5, 2.3), (1.6, 1.2), (0, 0.75, 0), "")],
    "cheekSquint": [((3.8, -2.0), (1.7, 1.0), (0, 0.5, 0.25), "")],
    "noseSneer": [
        ((1.2, -3.2), (0.9, 1.2), (0.1, 0.45, 0.05), ""),
        ((1.3, -5.6), (1.0, 0.8), (0, 0.25, 0.05), "upper"),
    ],
    "eyeSquint": [((EYE[0], -1.3), (1.7, 0.8), (0, 0.25, 0.1), "")],
    "mouthLeft": [((0, MOUTH[0]), (3.0, 1.9), (0.9, 0, 0), "")],
}
WHOLE: dict[
    str, list[Hill]
] = {  # both sides at once: drawn once, and again mirrored if off the middle
    "browInnerUp": [
        ((1.4, 2.4), (1.4, 1.2), (0, 0.8, 0), ""),
        ((-1.4, 2.4), (1.4, 1.2), (0, 0.8, 0), ""),
    ],
    "cheekPuff": [
        ((3.8, -5.6), (1.9, 1.8), (0.7, 0, 0.8), ""),
        ((-3.8, -5.6), (1.9, 1.8), (-0.7, 0, 0.8), ""),
    ],
    "mouthRollUpper": [((0, -6.0), (2.4, 0.5), (0, -0.22, -0.5), "upper")],
    "mouthRollLower": [((0, -6.65), (2.4, 0.55), (0, 0.25, -0.5), "lower")],
    "mouthShrugUpper": [((0, -5.6), (1.9, 0.9), (0, 0.3, 0.25), "upper")],
    "mouthShrugLower": [
        ((0, -7.2), (2.0, 1.5), (0, 0.5, 0.3), "lower"),
        ((0, -9.4), (1.8, 1.0), (0, 0.3, 0.1), "lower"),
    ],
}
LIDS = {"eyeBlink": (-0.88, 0.0), "eyeWide": (0.22, 0.08), "eyeSquint": (-0.16, -0.16),
    "eyeLookUp": (0.12, -0.05),
        "eyeLookDown": (-0.36, 0.1)}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Places:
    """Every vertex of the head at rest, and what moves it."""

    rest: Doubles  # (V, 3)
    skin: Doubles  # (V,) 1 where the front's skin is, 0 behind it and for eyes, teeth and tongue
    lower: Doubles  # (V,) 1 below the line between the lips, 0 above; between beside the mouth
    jaw: Doubles  # (V,) how much it goes with the jaw
    balls: dict[int, Doubles]  # vertices of the left (1) and the right (-1) eyeball
    tongue: Doubles  # (V,) 0..1 towards its tip


def with_lids(lids: Lids, name: str, side: str) -> Lids | None:
    """The lids of a shape; None where it leaves them."""
    if name not in LIDS:
        return None
    k, (up, down) = (0, 1)[side == "Right"], LIDS[name]
    upper, lower = list(lids.upper), list(lids.lower)
    upper[k] += up
    lower[k] += down
    return Lids((upper[0], upper[1]), (lower[0], lower[1]))


def movement(shape: str, places: Places) -> Doubles:
    """(V, 3) of one of ARKit's shapes, but for what lids do."""
    side = next((s for s in ("Left", "Right") if shape.endswith(s) and shape != s), "")
    base = shape.removesuffix(side)
    if shape in SPECIAL:
        return SPECIAL[shape](places)
    if base.startswith("eyeLook"):
        offsets = _look(base.removeprefix("eyeLook"), 1 if side == "Left" else -1, places)
    else:
        offsets = np.zeros_like(places.rest)
    for hill in WHOLE.get(shape, []):
        offsets += _hill(places, hill, 1)
    one_sided = BOTH.get("mouthLeft" if shape in ("mouthLeft", "mouthRight") else base, [])
    for hill in one_sided:
        offsets += _hill(places, hill, -1 if side == "Right" else 1)
    return offsets


def _hill(places: Places, hill: Hill, side: int) -> Doubles:
    (x, y), size, move, lip = hill
    share = bump(places.rest[:, 0], places.rest[:, 1], (x * side, y), size) * places.skin
    share *= {"upper": 1 - places.lower, "lower": places.lower, "": np.ones_like(share)}[lip]
    return np.asarray(share[:, None] * (np.array(move) * [side, 1, 1]))


def _jaw_open(places: Places) -> Doubles:
    """A turn about the joints, as far as each vertex goes along."""
    y, z = places.rest[:, 1] - JAW_AXIS[0], places.rest[:, 2] - JAW_AXIS[1]
    cos, sin = np.cos(JAW_ANGLE * places.jaw), np.sin(JAW_ANGLE * places.jaw)
    return np.stack([np.zeros_like(y), y * cos - z * sin - y, z * cos + y * sin - z], 1)


def _close(places: Places) -> Doubles:
    """What brings the lower lip back up to the upper when the jaw is open."""
    share = (
        bump(places.rest[:, 0], places.rest[:, 1], (0, -6.3), (3.2, 1.1))
        * places.skin
        * places.lower
    )
    lifted = -_jaw_open(places) * np.clip(1.25 * share, 0, 1)[:, None]
    return np.asarray(lifted)


def _narrow(places: Places, inward: float, forward: float, apart: float) -> Doubles:
    """Lips drawn together and pushed out."""
    x, y, _ = places.rest.T
    share = bump(x, y, (0, MOUTH[0]), (2.5, 1.3)) * places.skin
    open_ = apart * (1 - 2 * places.lower) * bump(x, y, (0, MOUTH[0]), (1.8, 0.9)) * places.skin
    return np.stack([-inward * x * share, open_, forward * share], 1)


def _look(way: str, side: int, places: Places) -> Doubles:
    axis, angle = LOOKS[way]
    angle *= side if axis == 1 else 1
    offsets = np.zeros_like(places.rest)
    mine = places.balls[side]
    i, j = (axis + 1) % 3, (axis + 2) % 3
    local = places.rest[mine] - ball_center(side)
    cos, sin = np.cos(angle), np.sin(angle)
    turned = local.copy()
    turned[:, i], turned[:, j] = (
        cos * local[:, i] - sin * local[:, j],
        sin * local[:, i] + cos * local[:, j],
    )
    offsets[mine] = turned - local
    return offsets


SPECIAL: dict[str, Callable[[Places], Doubles]] = {
    "jawOpen": _jaw_open,
    "jawForward": lambda p: p.jaw[:, None] * np.array([0, -0.1, 0.8]),
    "jawLeft": lambda p: p.jaw[:, None] * np.array([0.9, 0, 0]),
    "jawRight": lambda p: p.jaw[:, None] * np.array([-0.9, 0, 0]),
    "mouthClose": _close,
    "mouthFunnel": lambda p: _narrow(p, 0.25, 0.75, 0.32),
    "mouthPucker": lambda p: _narrow(p, 0.42, 0.85, 0.05),
    "tongueOut": lambda p: p.tongue[:, None] * np.array([0, 0.45, 4.2]),
}
