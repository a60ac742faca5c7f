"""Depth by looking: where neighbouring pictures, drawn through a depth map, are most like this one.

A sweep of depths at half the size finds the surfaces, the map that optical flow gave is one more
guess. Then rounds at full size: pixels try their neighbours' depths (PatchMatch's propagation,
Bleyer et al. 2011, for whole maps at once), and depths a little nearer and farther, of which the
peak of a parabola is taken. Flow is a third of a pixel wrong at neighbours four degrees away, two
per cent of a depth; this looks at wider angles, and is a tenth of that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ...geometry.arrays import Doubles, Floats
from .likeness import Likeness, Posed

FLAT = 1e-6  # curvature of what has no peak
FEWEST = 2  # neighbours that must agree, where there are so many


@dataclass(frozen=True, kw_only=True)
class Round:
    """Depths tried: `steps` to either side, up to `span` of the depth away."""

    span: float
    steps: int


@dataclass(frozen=True, kw_only=True)
class StereoConfig:
    """Sizes are in pixels of the depth map."""

    angles: tuple[float, ...] = (3.0, 6.0, 10.0, 16.0)  # degrees to neighbours, two for each
    # of the neighbours must see a place: what stands beside a near thing, or enters the picture at
    # its edge, is seen from one side alone, and there by the nearest
    kept: float = 0.25
    window: int = 5
    coarse_window: int = 5
    floor: float = 1e-5  # variance of colours (0..1) in a window that says nothing
    planes: int = 64
    nearest: float = 0.7  # of the first percentile of the guess, or of the points
    farthest: float = 4.0  # times their last
    better: float = 0.01  # by which a neighbour's depth must be more alike to be taken over
    coarse: Round = Round(span=0.06, steps=5)
    rounds: tuple[Round, ...] = (Round(span=0.05, steps=3), Round(span=0.012, steps=2))
    alike: float = 0.65  # below, a depth is not believed
    unlike: float = 0.02  # of likeness that noise takes at the best


@dataclass(frozen=True)
class StereoDepth:
    """`sigma`: relative standard deviation, infinite where pictures are not alike."""

    depth: Floats  # (h, w)
    sigma: Floats  # (h, w)


def solve_stereo(
    view: Posed, others: Sequence[Posed], guess: Floats, points: Floats, config: StereoConfig
) -> StereoDepth:
    """Depth of a picture from at least one neighbour; `guess` (h, w) is what is thought before,
    `points` (n,) are depths of what the picture is known to see.
    """
    height, width = guess.shape
    kept = max(FEWEST, math.ceil(config.kept * len(others)))
    small = Likeness(
        view.half(), [o.half() for o in others], config.coarse_window, kept, config.floor
    )
    depth = _swept(small, guess, _planes(guess, points, config))
    depth = cv2.medianBlur(_tried(small, depth, config.coarse)[0], 5)
    depth = _propagated(small, depth, (2, 5), config.better)
    depth = np.asarray(
        cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST), np.float32
    )
    full = Likeness(view, others, config.window, kept, config.floor)
    for number, trial in enumerate(config.rounds):
        depth = _propagated(full, depth, (1, 4), config.better)
        depth = np.asarray(cv2.medianBlur(depth, 3 if number else 5), np.float32)
        depth, alike, curvature = _tried(full, depth, trial)
    return StereoDepth(depth, _sigma(alike, curvature, config))


def _sigma(alike: Floats, curvature: Floats, config: StereoConfig) -> Floats:
    """(h, w) relative standard deviation: by how much the depth may change until likeness falls by
    what noise could make of it, which is about what it lacks, over the window's width.
    """
    noise = 2 * (1 - alike + config.unlike) / config.window
    sigma = np.sqrt(noise / np.maximum(curvature, FLAT))
    return np.where(alike > config.alike, sigma, np.inf).astype(np.float32)


def _planes(guess: Floats, points: Floats, config: StereoConfig) -> Doubles:
    """Depths to sweep, even in their inverse."""
    ends = [np.quantile(depths, [0.01, 0.99]) for depths in (guess, points) if depths.size]
    near, far = min(e[0] for e in ends), max(e[1] for e in ends)
    return np.asarray(
        1 / np.linspace(1 / (config.farthest * far), 1 / (config.nearest * near), config.planes)
    )


def _swept(likeness: Likeness, guess: Floats, planes: Doubles) -> Floats:
    """(h / 2, w / 2) the most alike of planes across the picture and of the guess."""
    height, width = likeness.color.shape[:2]
    best = np.full((height, width), -np.inf, np.float32)
    depth = np.ones((height, width), np.float32)
    start = np.asarray(
        cv2.resize(guess, (width, height), interpolation=cv2.INTER_NEAREST), np.float32
    )
    for trial in [*(np.full_like(depth, plane) for plane in planes), start]:
        _take_better(best, depth, likeness.of(trial), trial, 0.0)
    return depth


def _take_better(best: Floats, depth: Floats, alike: Floats, trial: Floats, by: float) -> None:
    better = alike > best + by
    best[better], depth[better] = alike[better], trial[better]


def _propagated(likeness: Likeness, depth: Floats, distances: Sequence[int], by: float) -> Floats:
    """(h, w) with the depths of pixels so far to the left, right, above and below, where those are
    more alike.
    """
    depth = depth.copy()
    best = likeness.of(depth)
    for distance in distances:
        before = depth.copy()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            trial = _shifted(before, distance * dx, distance * dy)
            _take_better(best, depth, likeness.of(trial), trial, by)
    return depth


def _shifted(depth: Floats, dx: int, dy: int) -> Floats:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.asarray(
        cv2.warpAffine(
            depth,
            matrix,
            depth.shape[::-1],
            flags=cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


def _tried(likeness: Likeness, depth: Floats, trial: Round) -> tuple[Floats, Floats, Floats]:
    """(h, w) depth at the peak of likeness among factors around 1, likeness there, and its
    curvature over relative depth.
    """
    factors = np.linspace(1 - trial.span, 1 + trial.span, 2 * trial.steps + 1, dtype=np.float32)
    alike = np.stack([likeness.of(depth * factor) for factor in factors])
    peak = alike.argmax(0).clip(1, len(factors) - 2)[None]
    below, here, above = (np.take_along_axis(alike, peak + k, 0)[0] for k in (-1, 0, 1))
    bend = np.minimum(below - 2 * here + above, -FLAT)
    step = factors[1] - factors[0]
    offset = ((below - above) / (2 * bend)).clip(-1, 1)
    at_peak = depth * (factors[peak[0]] + offset * step)
    return at_peak.astype(np.float32), here, (-bend / step**2).astype(np.float32)
