"""The skin of the head as a function of two numbers: an angle around it and a height. Centimetres;
eyes at height 0.

Measures are those of a mean adult as anthropometry gives them: 22.5 from crown to chin, 15 across,
pupils 6.3 apart.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from ....geometry.arrays import Doubles

EYE = (3.15, 1.5)  # middle of an eye off the centre, and half its width
MOUTH = (-6.3, 2.55)  # height of the line between the lips, and half its length
BALL, LID = 1.2, 1.29  # radii of an eyeball, and of the lids over it
SHARPNESS = 2 / 2.35  # a cross section is a superellipse: squarer than an ellipse

WIDTHS = {11.9: 0.2, 11.5: 2.4, 11: 3.7, 10: 5.2, 8: 6.7, 6: 7.35, 3: 7.5, 0: 7.25, -3: 6.85,
    -6: 6.1, -8: 5.3, -9.5: 4.6, -11: 4.4,
          -12.5: 4.9, -14: 5.3, -16: 5.6}  # fmt: skip
FRONTS = {11.9: 0.2, 11.5: 3.0, 11: 4.5, 10: 6.3, 8: 8.2, 6: 9.1, 4: 9.55, 2: 9.6, 0.5: 9.2,
    -2: 9.25, -4.5: 9.4, -6.3: 9.4, -8: 8.95,
          -9.5: 8.95, -10.4: 8.3, -11: 7.2, -11.8: 5.2, -13: 3.9, -16: 3.7}  # fmt: skip
BACKS = {
    11.9: -0.2,
    11.5: -3.2,
    11: -4.8,
    10: -6.6,
    8: -8.6,
    5: -9.8,
    2: -10,
    -2: -9.4,
    -5: -8.3,
    -8: -7.2,
    -12: -6.6,
    -16: -6.8,
}
NOSE = {
    1.6: 0.0,
    0.8: 0.25,
    0: 0.65,
    -1.5: 1.45,
    -2.7: 2.3,
    -3.2: 2.5,
    -3.7: 2.1,
    -4.1: 0.9,
    -4.5: 0.2,
    -5: 0.0,
}
NOSE_WIDTHS = {1.6: 0.6, -1: 0.65, -2.6: 0.85, -3.4: 1.05, -5: 1.0}


def _curve(points: dict[float, float]) -> PchipInterpolator:
    heights = sorted(points)
    return PchipInterpolator(heights, [points[h] for h in heights], extrapolate=True)


_width, _front, _back, _nose, _nose_width = (
    _curve(c) for c in (WIDTHS, FRONTS, BACKS, NOSE, NOSE_WIDTHS)
)


@dataclass(frozen=True)
class Lids:
    """How far the upper and the lower lids are from the eye's middle line, at the pupils, (left,
    right).
    """

    upper: tuple[float, float] = (0.5, 0.5)
    lower: tuple[float, float] = (0.38, 0.38)


def bump(x: Doubles, y: Doubles, at: tuple[float, float], size: tuple[float, float]) -> Doubles:
    """A Gaussian hill."""
    return np.asarray(np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2))


def skin(angle: Doubles, height: Doubles, below: Doubles, lids: Lids = Lids()) -> Doubles:
    """(..., 3) of angles (0: to the front, positive to the left) and heights. `below` is 1 where a
    vertex belongs to the lower lid or lip of a slit at its height, else 0.
    """
    sine, cosine = np.sin(angle), np.cos(angle)
    x = _width(height) * np.sign(sine) * np.abs(sine) ** SHARPNESS
    reach = np.where(cosine > 0, _front(height), -_back(height))
    z = reach * np.sign(cosine) * np.abs(cosine) ** SHARPNESS
    front = np.clip(cosine * 3, 0, 1)
    y = height + _opened(x, height, below, lids) * front
    z = z + front * _features(x, y)
    for side in (1, -1):
        z = np.where(front > 0, _over_ball(x, y, z, side), z)
    return np.stack([x, y, z], -1)


def _opened(x: Doubles, height: Doubles, below: Doubles, lids: Lids) -> Doubles:
    """How far heights around the eyes are moved to part the lids; almond-shaped."""
    moved = np.zeros_like(x)
    for k, side in enumerate((1, -1)):
        along = np.clip(1 - ((x * side - EYE[0]) / EYE[1]) ** 2, 0, None)
        lower = (height < 0) | ((height == 0) & (below > 0))
        moved += (
            along**0.8
            * np.where(lower, -lids.lower[k], lids.upper[k])
            * np.exp(-((height / 1.1) ** 2))
        )
    return np.asarray(moved)


def _features(x: Doubles, y: Doubles) -> Doubles:
    """Nose, brows, sockets, cheeks, lips, chin: what stands out of the plain oval, forwards."""
    across = np.abs(x)
    nose = _nose(np.clip(y, -5, 1.6)) * np.exp(-((x / _nose_width(np.clip(y, -5, 1.6))) ** 2))
    relief = nose + 0.75 * bump(across, y, (1.3, -3.55), (0.5, 0.5))  # with its wings
    relief += 0.45 * bump(across, y, (2.6, 2.1), (2.2, 0.9)) - 0.95 * bump(
        across, y, (EYE[0], -0.1), (1.9, 1.3)
    )
    relief += 0.45 * bump(across, y, (4.9, -2.2), (1.7, 1.4)) - 0.3 * bump(
        across, y, (4.2, -6.0), (1.5, 1.8)
    )
    wide = np.exp(-((x / 2.35) ** 4))
    relief += wide * (
        0.5 * np.exp(-(((y + 5.88) / 0.42) ** 2)) + 0.55 * np.exp(-(((y + 6.78) / 0.45) ** 2))
    )
    relief -= wide * 0.28 * np.exp(-(((y + 6.3) / 0.16) ** 2))  # the line between
    relief -= 0.12 * bump(x, y, (0, -5.0), (0.3, 0.5)) + 0.35 * bump(x, y, (0, -7.85), (2.0, 0.6))
    return np.asarray(relief + 0.55 * bump(x, y, (0, -9.6), (1.6, 1.1)))


def ball_center(side: int) -> Doubles:
    """(3,) of the left (1) or right (-1) eyeball: as deep as lets the lids lie on it."""
    x, y = np.array([EYE[0] * side]), np.array([0.0])
    face = (
        _front(0.0) * (1 - (EYE[0] / _width(0.0)) ** (2 / SHARPNESS)) ** (SHARPNESS / 2)
        + _features(x, y)[0]
    )
    return np.array([EYE[0] * side, 0.0, face - BALL + 0.35])


def _over_ball(x: Doubles, y: Doubles, z: Doubles, side: int) -> Doubles:
    """Lids lie on the eyeball: the larger of both depths, blended."""
    center = ball_center(side)
    away = (x - center[0]) ** 2 + (y - center[1]) ** 2
    ball = center[2] + np.sqrt(np.clip(LID**2 - away, 0, None))
    near = np.where(away < LID**2, ball, -np.inf)
    soft = 0.08
    high = np.maximum(z, near)
    low = np.where(np.isfinite(near), np.minimum(z, near), -np.inf)
    return np.asarray(high + soft * np.log1p(np.exp(np.clip((low - high) / soft, -50, 0))))
