"""What splats cover: points over the two longest axes of each, as far out as it can be seen.
numpy only.
"""

from dataclasses import dataclass

import numpy as np

from ..formats.splat_arrays import SplatArrays, opacities_of
from ..formats.splat_moves import matrices_of
from ..geometry.arrays import Floats, Ints

MOST = 17  # points along an axis


@dataclass(frozen=True)
class Footprints:
    """N splats, each by its two longest axes."""

    means: Floats  # (N, 3)
    axes: Floats  # (N, 2, 3) of one standard deviation, the longer first
    opacities: Floats  # (N,)

    def __len__(self) -> int:
        return len(self.means)

    @property
    def sizes(self) -> Floats:
        """(N,) standard deviations: of the disc as large as the ellipse."""
        return np.asarray(np.sqrt(np.linalg.norm(self.axes, axis=2).prod(1)))

    def some(self, index: np.ndarray) -> "Footprints":
        """Those at `index` (numbers or a mask)."""
        return Footprints(self.means[index], self.axes[index], self.opacities[index])


@dataclass(frozen=True)
class CoveredPoints:
    """S points that splats cover."""

    owner: Ints  # (S,) whose
    points: Floats  # (S, 3)
    weights: Floats  # (S,) as the splat falls off; a splat's own make 1


def by_length(arrays: SplatArrays) -> Ints:
    """(N, 3) the axes of every splat, the longest first."""
    return np.argsort(-arrays.log_scales, axis=1, kind="stable")


def footprints_of(arrays: SplatArrays) -> Footprints:
    """Of splats as files hold them."""
    order = by_length(arrays)[:, :2]
    matrices = matrices_of(arrays.quats)  # columns: axes in space
    sizes = np.exp(np.take_along_axis(arrays.log_scales, order, 1).astype(np.float64))
    chosen = np.take_along_axis(matrices, order[:, None, :], 2) * sizes[:, None, :]
    axes = np.ascontiguousarray(chosen.transpose(0, 2, 1), np.float32)
    return Footprints(arrays.means, axes, opacities_of(arrays))


def seen_to(opacities: Floats, level: float, most: float) -> Floats:
    """(N,) standard deviations out to which a splat is more opaque than `level`; 0 where it never
    is, `most` at most.
    """
    ratio = np.maximum(opacities / level, 1)
    return np.asarray(np.minimum(np.sqrt(2 * np.log(ratio)), most), np.float32)


def cover(prints: Footprints, reach: Floats, step: float) -> CoveredPoints:
    """Points at most about `step` apart over each footprint, out to `reach` (N,) of its standard
    deviations. Each splat has its middle at least.
    """
    lengths = reach[:, None] * np.linalg.norm(prints.axes, axis=2)  # (N, 2) half axes
    halves = np.ceil(np.nan_to_num(lengths / step)).clip(0, MOST // 2).astype(np.int64)
    owners, points, weights = [], [], []
    kinds = halves[:, 0] * MOST + halves[:, 1]
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        disc = _disc(*divmod(int(kind), MOST))
        out = disc[None] * reach[mine, None, None]  # in standard deviations
        places = prints.means[mine, None] + np.einsum("npk,nkd->npd", out, prints.axes[mine])
        fall = np.exp(-0.5 * (out**2).sum(2))
        owners.append(np.repeat(mine, len(disc)))
        points.append(places.reshape(-1, 3))
        weights.append((fall / fall.sum(1, keepdims=True)).ravel())
    if not owners:
        nothing = np.zeros((0, 3), np.float32)
        return CoveredPoints(np.zeros(0, np.int64), nothing, nothing[:, 0])
    return CoveredPoints(
        np.concatenate(owners),
        np.concatenate(points).astype(np.float32),
        np.concatenate(weights).astype(np.float32),
    )


def _disc(a: int, b: int) -> Floats:
    """(P, 2) points of the unit disc on a grid of 2 a + 1 by 2 b + 1."""
    x = np.linspace(-1, 1, 2 * a + 1) if a else np.zeros(1)
    y = np.linspace(-1, 1, 2 * b + 1) if b else np.zeros(1)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), -1).reshape(-1, 2)
    return np.asarray(grid[(grid**2).sum(1) <= 1 + 1e-9], np.float32)
