"""Which splats pass a few plain numbers: opacity, size, elongation, distance, support; and crops.
No bpy.

Sizes and distances are told in what is usual among the splats themselves, so that the same number
means the same on every scene, whatever its units.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from ....backend.geometry.arrays import Doubles, Flags, Floats

PART = 1 << 18  # splats at a time: what is made of them stays in the processor's cache
Stepwise = Generator[bool, None, Flags]


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
    some = _some(values)
    return max(float(np.median(some)), 1e-12) if len(some) else 1.0


def middle(means: Floats) -> Floats:
    """(3,) the median place."""
    return np.asarray(np.median(_some(means), axis=0), np.float32)


def longest_two(scales: Floats) -> tuple[Floats, Floats]:
    """(N,) the longest axis, and the next."""
    a, b, c = scales.T
    high, low = np.maximum(a, b), np.minimum(a, b)
    return np.maximum(high, c), np.maximum(low, np.minimum(high, c))


@dataclass(frozen=True)
class Usual:
    """What is usual among all splats, which each of them is held against."""

    length: float = 1.0
    middle: Floats = field(default_factory=lambda: np.zeros(3, np.float32))
    squared: float = 1.0  # distance from the middle


def usual_of(shapes: Shapes, limits: Limits) -> Usual:
    """As far as the limits need it."""
    length, place, squared = 1.0, np.zeros(3, np.float32), 1.0
    if limits.size > 0:
        length = usual(longest_two(_some(shapes.scales))[0])
    if limits.distance > 0:
        place = middle(shapes.means)
        squared = usual(_squares(_some(shapes.means) - place))
    return Usual(length, place, squared)


def passing(shapes: Shapes, limits: Limits, crops: list[Crop]) -> Stepwise:
    """(N,) what stays, found part by part."""
    kept = np.ones(len(shapes.means), bool)
    ordinary = usual_of(shapes, limits)
    yield False
    for start in range(0, len(kept), PART):
        part = slice(start, start + PART)
        some = Shapes(
            means=shapes.means[part],
            scales=shapes.scales[part],
            opacities=shapes.opacities[part],
            views=None if shapes.views is None else shapes.views[part],
        )
        kept[part] = _within(some, limits, ordinary) & cropped(some.means, crops)
        yield False
    return kept


def _within(shapes: Shapes, limits: Limits, ordinary: Usual) -> Flags:
    kept = np.ones(len(shapes.means), bool)
    if limits.opacity > 0:
        kept &= shapes.opacities >= limits.opacity
    if limits.size > 0 or limits.elongation > 0:
        long, next_one = longest_two(shapes.scales)
        if limits.size > 0:
            kept &= long <= limits.size * ordinary.length
        if limits.elongation > 0:
            kept &= long <= limits.elongation * next_one
    if limits.distance > 0:
        squared = _squares(shapes.means - ordinary.middle)
        kept &= squared <= limits.distance**2 * ordinary.squared
    if limits.views > 0 and shapes.views is not None:
        kept &= shapes.views >= limits.views
    return kept


def _some(values: Floats) -> Floats:
    """A hundred thousand rows at most, the same as `usual` takes."""
    return values[:: max(1, len(values) // 100_000)]


def _squares(vectors: Floats) -> Floats:
    x, y, z = vectors.T
    return np.asarray(x * x + y * y + z * z)


def cropped(means: Floats, crops: list[Crop]) -> Flags:
    """(N,) what lies in any of the crops that keep what is inside, and in none of the others."""
    inside = [_inside(means, crop) for crop in crops]
    wanted = [i for i, crop in zip(inside, crops, strict=True) if not crop.outside]
    unwanted = [i for i, crop in zip(inside, crops, strict=True) if crop.outside]
    kept = np.logical_or.reduce(wanted) if wanted else np.ones(len(means), bool)
    return np.asarray(kept & ~np.logical_or.reduce(unwanted)) if unwanted else np.asarray(kept)


def _inside(means: Floats, crop: Crop) -> Flags:
    """Without a matrix product, whose last bit depends on how many splats there are."""
    matrix = crop.matrix.astype(np.float32)
    a, b, c = means.T
    x, y, z = (row[0] * a + row[1] * b + row[2] * c + row[3] for row in matrix[:3])
    if crop.ball:
        return np.asarray(x * x + y * y + z * z <= 1)
    return np.asarray((np.abs(x) <= 1) & (np.abs(y) <= 1) & (np.abs(z) <= 1))
