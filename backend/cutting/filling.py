"""What an object hid, closed: the surfaces that it stood on or before are continued across the hole
with plain Gaussians. numpy only.

A surface is flat or gently curved around the hole: a plane, a quadratic over it, and what the rim
has beyond that, which is continued as a skin would. So are the colours. Nothing is invented: a
pattern ends at the rim.
"""

from dataclasses import dataclass, field

import numpy as np

from ..formats.splat_arrays import SH_C0, SplatArrays, joined, logits_of, take
from ..geometry.arrays import Doubles, Flags, Floats, Ints32
from .footprints import Footprints, footprints_of
from .harmonic import continued
from .holes import HoleConfig, SurfaceGrid, find_hole
from .planes import Plane, planes


@dataclass(frozen=True, kw_only=True)
class FillConfig:
    """What is continued, and with what."""

    around: float = 0.6  # of the object's diagonal: how far around it surfaces are looked at
    least: int = 60  # splats of a surface
    share: float = 0.15  # of an object's splats that a surface of it holds at least
    most: int = 3  # surfaces of an object
    flat: float = 2.5  # usual sizes of splats that a surface is thick
    overlap: float = 0.7  # standard deviation of a Gaussian, in cells
    thin: float = 0.1  # thickness, in cells
    opacity: float = 0.95
    margin: int = 10  # cells around the hole that tell how it goes on
    hole: HoleConfig = field(default_factory=HoleConfig)


@dataclass(frozen=True)
class Filling:
    """Gaussians for the hole."""

    arrays: SplatArrays | None  # None: there is no hole that a surface could close
    objects: Ints32  # (M,) the object that each continues
    surfaces: int


def fill_behind(
    arrays: SplatArrays,
    mine: Flags,
    labels: Ints32,
    eyes: Floats | None = None,
    config: FillConfig = FillConfig(),
) -> Filling:
    """Continues the surfaces of other objects (labels (N,), negative: none) behind some splats
    (N,). `eyes` (C, 3): where pictures were taken, so that what lies in the shadow is found too.
    """
    shadow = footprints_of(take(arrays, mine))
    solid = shadow.opacities > config.hole.solid
    shadow = shadow.some(solid)
    if not len(shadow):
        return Filling(None, np.zeros(0, np.int32), 0)
    around = _neighborhood(arrays, ~mine & (labels >= 0), shadow, config.around)
    parts, objects = [], []
    for number in np.unique(labels[around]):
        own = take(arrays, around & (labels == number))
        prints = footprints_of(own)
        thick = config.flat * float(np.median(prints.sizes))
        least = max(config.least, int(config.share * len(own)))
        for plane, mask in planes(own.means, thick, least, config.most):
            patch = _patch(take(own, mask), prints.some(mask), plane, (shadow, eyes), config)
            if patch is not None:
                parts.append(patch)
                objects.append(np.full(len(patch), number, np.int32))
    if not parts:
        return Filling(None, np.zeros(0, np.int32), 0)
    return Filling(joined(parts), np.concatenate(objects), len(parts))


def _neighborhood(arrays: SplatArrays, mask: Flags, prints: Footprints, share: float) -> Flags:
    low, high = np.percentile(prints.means, (1, 99), axis=0)
    more = share * float(np.linalg.norm(high - low))
    inside = (arrays.means >= low - more) & (arrays.means <= high + more)
    return np.asarray(mask & inside.all(1))


def _patch(
    own: SplatArrays,
    prints: Footprints,
    plane: Plane,
    shadow: tuple[Footprints, Floats | None],
    config: FillConfig,
) -> SplatArrays | None:
    """The Gaussians that close the hole in one surface; None where it has none."""
    grid = SurfaceGrid.of(plane, prints, config.hole)
    hole = find_hole(grid, *shadow, config.hole)
    if not hole.any():
        return None
    values = np.concatenate([grid.mean(own.sh[:, 0]), grid.mean(_heights(plane, own))], 2)
    trend = _trend(grid, values[..., 3], hole)
    values[..., 3] -= trend
    near = _window(hole, config.margin)
    values[near] = continued(
        _smoothed(values, grid.known)[near], grid.known[near], ~grid.known[near]
    )
    heights = values[..., 3] + trend
    along_v, along_u = np.gradient(heights, grid.cell)
    slopes = np.stack([along_v, along_u], -1)
    return _gaussians(own, grid, hole, (values[..., :3], heights, slopes), config)


def _window(hole: Flags, margin: int) -> tuple[slice, slice]:
    """Rows and columns of the hole, and a margin of cells around it."""
    at = np.argwhere(hole)
    low, high = np.maximum(at.min(0) - margin, 0), at.max(0) + margin + 1
    return slice(low[0], high[0]), slice(low[1], high[1])


def _heights(plane: Plane, own: SplatArrays) -> Floats:
    return np.asarray(plane.flat(own.means)[:, 2:], np.float32)


def _smoothed(values: Doubles, known: Flags) -> Doubles:
    """Known cells as the mean of those known around them: a rim is noisy."""
    padded = np.pad(np.where(known[..., None], values, 0), ((1, 1), (1, 1), (0, 0)))
    counts = np.pad(known.astype(np.float64), 1)
    height, width = known.shape
    shifts = [(i, j) for i in range(3) for j in range(3)]
    total = sum(padded[i : i + height, j : j + width] for i, j in shifts)
    count = sum(counts[i : i + height, j : j + width] for i, j in shifts)
    return np.where(known[..., None], total / np.maximum(count, 1)[..., None], values)


def _trend(grid: SurfaceGrid, heights: Doubles, hole: Flags) -> Doubles:
    """(H, W) the quadratic through the heights around the hole, nearer ones for more."""
    at = np.argwhere(hole)
    middle, spread = at.mean(0), max(float(at.std(0).max()), 3.0)
    v, u = ((np.indices(hole.shape) - middle[:, None, None]) / spread).astype(np.float64)
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], -1)
    known = np.argwhere(grid.known)
    if len(known) < 12:
        return np.zeros_like(heights)
    rows = grid.known
    weights = np.exp(-0.5 * (u[rows] ** 2 + v[rows] ** 2) / 4)
    pull = terms[rows] * weights[:, None]
    normal = pull.T @ terms[rows] + 1e-3 * weights.sum() * np.diag([0, 0, 0, 1, 1, 1.0])
    return np.asarray(terms @ np.linalg.lstsq(normal, pull.T @ heights[rows], rcond=None)[0])


def _gaussians(
    like: SplatArrays,
    grid: SurfaceGrid,
    hole: Flags,
    surface: tuple[Doubles, Doubles, Doubles],
    config: FillConfig,
) -> SplatArrays:
    """One, flat on the surface, for every cell of the hole."""
    colors, heights, slopes = (s[hole] for s in surface)
    flat = np.concatenate([grid.centers()[hole], heights[:, None]], 1)
    up = np.concatenate([-slopes[:, ::-1], np.ones((len(flat), 1))], 1)  # u is the second index
    normals = (up / np.linalg.norm(up, axis=1, keepdims=True)) @ grid.plane.axes
    normals *= np.where(normals[:, 2:] < 0, -1, 1)
    quats = np.stack([1 + normals[:, 2], -normals[:, 1], normals[:, 0], 0 * normals[:, 0]], 1)
    wide, thin = config.overlap * grid.cell, config.thin * grid.cell
    sh = np.zeros((len(flat), like.sh.shape[1], 3), np.float32)
    sh[:, 0] = colors.clip(-0.5 / SH_C0, None)
    return SplatArrays(
        means=grid.plane.places(flat).astype(np.float32),
        quats=(quats / np.linalg.norm(quats, axis=1, keepdims=True)).astype(np.float32),
        log_scales=np.log(np.tile([wide, wide, thin], (len(flat), 1))).astype(np.float32),
        opacity_logits=logits_of(np.full(len(flat), config.opacity)),
        sh=sh,
        notes=like.notes,
    )
