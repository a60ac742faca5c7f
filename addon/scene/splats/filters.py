"""Which splats pass a few plain numbers: opacity, size, elongation, distance, support; and crops.
No bpy.

Sizes and distances are told in what is usual among the splats themselves, so that the same number
means the same on every scene, whatever its units.
"""

from dataclasses import dataclass

import numpy as np

from ....backend.geometry.arrays import Doubles, Flags, Floats


@dataclass(frozen=True, kw_only=True)
class Limits:
    """0: that number does not matter."""

    opacity: float = 0.0  # at least
    size: float = 0.0  # longest axis, at most so many times the median one
    elongation: float = 0.0  # longest axis, at most so many times the next
    distance: float = 0.0  # from the middle, at most so many times the median one
    views: int = 0  # pictures that see it, at least


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A box or ball of one unit around the origin, once `matrix` (4, 4) has carried it there from
    the splats' own space.
    """

    matrix: Doubles
    ball: bool
    outside: bool  # whether what lies outside it is kept, not what lies inside


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """What the limits are about."""

    means: Floats  # (N, 3)
    scales: Floats  # (N, 3) standard deviations
    opacities: Floats  # (N,)
    views: Floats | None = None  # (N,)


def usual(values: Floats) -> float:
    """The median, of a hundred thousand values at most."""
    some = values[:: max(1, len(values) // 100_000)]
    return max(float(np.median(some)), 1e-12) if len(some) else 1.0


def middle(means: Floats) -> Floats:
    """(3,) the median place."""
    return np.asarray(np.median(means[:: max(1, len(means) // 100_000)], axis=0), np.float32)


def longest_two(scales: Floats) -> tuple[Floats, Floats]:
    """(N,) the longest axis, and the next."""
    a, b, c = scales.T
    high, low = np.maximum(a, b), np.minimum(a, b)
    return np.maximum(high, c), np.maximum(low, np.minimum(high, c))


def passing(shapes: Shapes, limits: Limits, crops: list[Crop]) -> Flags:
    """(N,) what stays."""
    kept = np.ones(len(shapes.means), bool)
    if limits.opacity > 0:
        kept &= shapes.opacities >= limits.opacity
    if limits.size > 0 or limits.elongation > 0:
        long, next_one = longest_two(shapes.scales)
        if limits.size > 0:
            kept &= long <= limits.size * usual(long)
        if limits.elongation > 0:
            kept &= long <= limits.elongation * next_one
    if limits.distance > 0:
        x, y, z = (shapes.means - middle(shapes.means)).T
        squared = x * x + y * y + z * z
        kept &= squared <= limits.distance**2 * usual(squared)
    if limits.views > 0 and shapes.views is not None:
        kept &= shapes.views >= limits.views
    return kept & cropped(shapes.means, crops)


def cropped(means: Floats, crops: list[Crop]) -> Flags:
    """(N,) what lies in any of the crops that keep what is inside, and in none of the others."""
    inside = [_inside(means, crop) for crop in crops]
    wanted = [i for i, crop in zip(inside, crops, strict=True) if not crop.outside]
    unwanted = [i for i, crop in zip(inside, crops, strict=True) if crop.outside]
    kept = np.logical_or.reduce(wanted) if wanted else np.ones(len(means), bool)
    return np.asarray(kept & ~np.logical_or.reduce(unwanted)) if unwanted else np.asarray(kept)


def _inside(means: Floats, crop: Crop) -> Flags:
    matrix = crop.matrix.astype(np.float32)
    local = means @ matrix[:3, :3].T + matrix[:3, 3]
    x, y, z = local.T
    if crop.ball:
        return np.asarray(x * x + y * y + z * z <= 1)
    return np.asarray((np.abs(x) <= 1) & (np.abs(y) <= 1) & (np.abs(z) <= 1))
