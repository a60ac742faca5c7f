"""From the measures of a mean adult to a character: a smooth map of space for the face at rest and
in all its shapes. Larger eyes, a smaller nose, a rounder skull, a narrow jaw and neck. Centimetres,
axes as a rig's.
"""

import numpy as np

from ...geometry.arrays import Doubles
from ..rigs.small_head.surface import MOUTH, ball_center

EYES_GROW, EYE_INNER, EYE_OUTER = (
    0.32,
    1.5,
    5.2,
)  # by how much; radii of the ball that grows whole, and of its fringe
NOSE = (0.0, -2.6, 9.2)  # towards which the nose shrinks
ROUND = 0.055  # how much is taken off the four corners of a cross section


def styled(points: Doubles) -> Doubles:
    """(..., 3)"""
    p = np.array(points, np.float64)
    for step in (_rounder, _nose, _eyes, _skull, _jaw, _mouth, _neck):
        p = step(p)
    return p


def smooth(value: Doubles, low: float, high: float) -> Doubles:
    """0 up to `low`, 1 from `high` on; the other way round where `low` is the higher one."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * t * (t * (6 * t - 15) + 10))


def _rounder(p: Doubles) -> Doubles:
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    angle = np.arctan2(x, z)
    taken = ROUND * np.sin(2 * angle) ** 2 * smooth(y, -11, -8)
    p[..., 0], p[..., 2] = x * (1 - taken), z * (1 - taken)
    return p


def _toward(p: Doubles, center: tuple[float, float, float], share: float, radius: float) -> Doubles:
    """Shrinks what is near to a point."""
    away = p - np.array(center)
    near = np.exp(-((away / radius) ** 2).sum(-1, keepdims=True))
    return np.asarray(p - share * near * away)


def _nose(p: Doubles) -> Doubles:
    p = _toward(p, NOSE, 0.3, 2.6)
    near = np.exp(-((p - np.array([0, -2.7, 10.5])) ** 2 / np.array([1.6, 2.0, 2.5]) ** 2).sum(-1))
    p[..., 1] += 0.45 * near  # its tip turns up
    return p


def _eyes(p: Doubles) -> Doubles:
    # the inner corners lie beside the nose's bridge, not on it
    inner = np.exp(-(((np.abs(p[..., 0]) - 1.5) / 0.55) ** 2) - (p[..., 1] / 0.9) ** 2)
    p[..., 2] -= 0.95 * inner * smooth(p[..., 2], 6.0, 7.5)
    for side in (1, -1):
        center = ball_center(side)
        away = p - center
        distance = np.linalg.norm(away, axis=-1, keepdims=True)
        grow = EYES_GROW * smooth(distance, EYE_OUTER, EYE_INNER)
        flat = np.ones(3) * smooth(distance, 2.7, 1.5)
        flat[..., :2] = 1.0  # cheeks and brows give way to the sides, not forwards
        # corners come in, so that the ball fills the slit
        narrow = np.array([0.12, 0, 0]) * smooth(distance, 3.4, 1.3)
        p = center + away * (1 + grow * flat - narrow)
        # a little apart, as a whole
        p[..., 0] += 0.16 * side * smooth(distance, 4.6, 2.2)[..., 0]
    return p


def _skull(p: Doubles) -> Doubles:
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    high = smooth(y, 1.0, 9.0)
    p[..., 0] = x * (1 + 0.07 * high)
    p[..., 1] = y + 0.05 * high * (y - 1)
    p[..., 2] = z + 0.05 * high * (z + 1) + 0.35 * high * smooth(z, 2, 8)
    cheek = np.exp(-(((np.abs(x) - 5.0) / 2.3) ** 2) - ((y + 3.4) / 2.6) ** 2) * smooth(z, -1, 4)
    p[..., 0] += 0.42 * np.sign(x) * cheek
    p[..., 2] += 0.38 * cheek
    return p


def _jaw(p: Doubles) -> Doubles:
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    # the jaw's edge rises towards the ears
    p[..., 1] = y = y + 1.5 * smooth(z, 9, -5) * smooth(y, -4, -10) * smooth(y, -16, -9)
    low = smooth(y, -4.0, -10.0) * smooth(z, -3, 3)
    p[..., 0] = x * (1 - 0.17 * low)
    p[..., 1] = y + 0.1 * (-5 - np.minimum(y, -5)) * smooth(y, -13, -10)  # a shorter chin
    chin = np.exp(-((x / 2.2) ** 2) - ((y + 9.6) / 1.8) ** 2) * smooth(z, 3, 7)
    p[..., 2] = z - 0.2 * low + 0.75 * chin
    return p


def _mouth(p: Doubles) -> Doubles:
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    near = np.exp(-((x / 3.2) ** 2) - ((y - MOUTH[0]) / 1.9) ** 2) * smooth(z, 4, 7)
    p[..., 0] = x * (1 - 0.1 * near)
    # corners that are a little up: it likes to be here
    p[..., 1] = y + 0.2 * near * (x / 2.4) ** 2 + 0.1 * near
    p[..., 2] = z + 0.35 * near
    return p


def _neck(p: Doubles) -> Doubles:
    y, low = p[..., 1], smooth(p[..., 1], -9.5, -12.5)
    share = 1 - 0.2 * low + 0.1 * smooth(y, -13, -16)
    p[..., 0] *= share
    p[..., 2] = -1.6 + (p[..., 2] + 1.6) * share + 1.3 * low
    return p
