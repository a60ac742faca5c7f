"""Depth from many views fused into one surface: a truncated signed distance on a grid (Curless and
Levoy 1996), kept only near what was seen.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from ...geometry.arrays import Flags, Floats
from ..surfaces.marching_cubes import marching_cubes
from ..surfaces.surface import Surface, keep_vertices
from .looking import SeenSplats


@dataclass(frozen=True, kw_only=True)
class DepthFusionConfig:
    """Lengths are shares of the box's longest side, for depth of splats trembles no less where
    cells are smaller. What is spread by `spread` within a pixel counts half, and beyond
    `most_spread` it is a mean of things that lie behind each other. `facing`: the least cosine
    between ray and surface.
    """

    band: float = 0.03
    least_band: float = 4.0  # cells
    solid: float = 0.6  # alpha from which something is met
    empty: float = 0.1  # alpha up to which nothing is
    spread: float = 0.01
    most_spread: float = 0.08
    facing: float = 0.15
    power: float = 4.0  # of that cosine, by which views count: flat ones push surfaces outwards
    clear: float = 0.5  # how much a view counts that looks through
    weight: float = 0.03  # that a cell must have, 1 being a view that looks straight at it
    margin: int = 6  # cells around the box


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A cube of `count` cells a side; cell (i, j, k) has its middle at `low` + (i, j, k) `cell`."""

    low: Tensor  # (3,)
    cell: float
    count: int
    side: float  # of the box within, the longest

    def band(self, config: DepthFusionConfig) -> float:
        """How far from a surface distances are kept."""
        return max(config.band * self.side, config.least_band * self.cell)

    def cells_of(self, points: Tensor) -> Tensor:
        """(P, 3) whole numbers, of points (P, 3); they may lie outside."""
        return ((points - self.low) / self.cell).round().long()

    def middles(self, numbers: Tensor) -> Tensor:
        """(M, 3) of cells by number (M,)."""
        R = self.count
        at = torch.stack([numbers // R**2, numbers // R % R, numbers % R], 1)
        return self.low + at * self.cell


@dataclass(frozen=True, kw_only=True)
class DistanceField:
    """Distance in bands, above 0 inside, and whether a cell was measured; (R, R, R) each."""

    grid: Grid
    inside: Floats
    measured: Flags


def make_grid(low: Tensor, high: Tensor, detail: int, config: DepthFusionConfig) -> Grid:
    """`detail` cells along the longest side of a box (3,) to (3,), its middle the cube's."""
    cell = float((high - low).max()) / detail
    count = detail + 2 * config.margin
    first = (low + high) / 2 - cell * (count - 1) / 2
    return Grid(low=first, cell=cell, count=count, side=cell * detail)


def trusted(seen: SeenSplats, grid: Grid, config: DepthFusionConfig) -> Tensor:
    """(H, W) how much a pixel's depth counts: the cosine between its ray and the surface there, 0
    where it is no one surface.
    """
    points = _unprojected(seen)
    down = points[2:, 1:-1] - points[:-2, 1:-1]
    across = points[1:-1, 2:] - points[1:-1, :-2]
    normal = torch.nn.functional.normalize(torch.linalg.cross(across, down), dim=-1)
    ray = torch.nn.functional.normalize(points[1:-1, 1:-1], dim=-1)
    facing = torch.zeros_like(seen.depth)
    facing[1:-1, 1:-1] = (normal * ray).sum(-1).abs()
    good = (seen.alpha > config.solid) & (seen.spread < config.most_spread * grid.side)
    return torch.where(good & (facing > config.facing), facing, 0)


def _unprojected(seen: SeenSplats) -> Tensor:
    """(H, W, 3) in the camera."""
    height, width = seen.depth.shape
    K, device = seen.view.K, seen.depth.device
    x = (torch.arange(width, device=device) + 0.5 - K[0, 2]) / K[0, 0]
    y = (torch.arange(height, device=device) + 0.5 - K[1, 2]) / K[1, 1]
    rays = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)
    return torch.cat([rays * seen.depth[..., None], seen.depth[..., None]], -1)


def near_cells(looks: Iterable[SeenSplats], grid: Grid, config: DepthFusionConfig) -> Tensor:
    """(M,) numbers of the cells within a band of anything that was seen."""
    R = grid.count
    met = torch.zeros(R, R, R, dtype=torch.bool)
    for seen in looks:
        counts = trusted(seen, grid, config) > 0
        viewmat = seen.view.viewmat
        points = (_unprojected(seen)[counts] - viewmat[:3, 3]) @ viewmat[:3, :3]
        at = grid.cells_of(points).cpu()
        at = at[((at >= 0) & (at < R)).all(1)]
        met[at.unbind(1)] = True
    ball = ndimage.generate_binary_structure(3, 1)
    grown = ndimage.binary_dilation(
        met.numpy(), ball, iterations=int(np.ceil(grid.band(config) / grid.cell)) + 1
    )
    return torch.from_numpy(np.flatnonzero(grown))


@torch.no_grad()
def fuse(
    looks: Sequence[SeenSplats],
    grid: Grid,
    config: DepthFusionConfig,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> DistanceField:
    """The weighted mean of what all views say of each cell near a surface: how far it lies before
    it, within a band, or that the way through it is free.
    """
    numbers = near_cells(looks, grid, config)
    middles = grid.middles(numbers).to(grid.low.device)
    total, weight = torch.zeros(len(numbers)), torch.zeros(len(numbers))
    band = grid.band(config)
    for index, seen in enumerate(looks):
        pixel, depth = _pixels(middles, seen)
        inside = pixel >= 0
        at = pixel.clamp_min(0)
        facing = trusted(seen, grid, config).reshape(-1)[at]
        spread = seen.spread.reshape(-1)[at] / (config.spread * grid.side)
        # across the surface and not along the ray: what is seen flatly is no further away
        before = (seen.depth.reshape(-1)[at] - depth) * facing / band
        free = _nothing(seen, config).reshape(-1)[at]
        counts = torch.where(
            inside & (before > -1), facing**config.power / (1 + spread.square()), 0
        )
        counts = torch.where(inside & free, config.clear, counts).cpu()
        total += counts * torch.where(free, 1.0, before.clamp(-1, 1)).cpu()
        weight += counts
        progress(index + 1, len(looks))
    measured = np.zeros(grid.count**3, bool)
    values = np.full(grid.count**3, -1, np.float32)  # empty
    enough = (weight > config.weight).numpy()
    chosen = numbers.numpy()[enough]
    measured[chosen] = True
    values[chosen] = -(total / weight.clamp_min(1e-9)).numpy()[enough]
    shape = (grid.count,) * 3
    return DistanceField(grid=grid, inside=values.reshape(shape), measured=measured.reshape(shape))


def _nothing(seen: SeenSplats, config: DepthFusionConfig) -> Tensor:
    """(H, W) of bool: pixels around which nothing is met either, for an outline runs between
    them.
    """
    near = torch.nn.functional.max_pool2d(seen.alpha[None, None], 3, 1, 1)[0, 0]
    return near < config.empty


def _pixels(points: Tensor, seen: SeenSplats) -> tuple[Tensor, Tensor]:
    """(M,) the pixel that points (M, 3) fall on, -1 for none, and (M,) their depth."""
    view = seen.view
    at = points @ view.viewmat[:3, :3].T + view.viewmat[:3, 3]
    depth = at[:, 2]
    ray = at[:, :2] / depth[:, None].clamp_min(1e-6)
    column = (ray[:, 0] * view.K[0, 0] + view.K[0, 2]).floor().long()
    row = (ray[:, 1] * view.K[1, 1] + view.K[1, 2]).floor().long()
    there = (depth > 1e-6) & (column >= 0) & (row >= 0)
    there &= (column < view.width) & (row < view.height)
    return torch.where(there, row * view.width + column, -1), depth


@torch.no_grad()
def closed(
    field: DistanceField, looks: Sequence[SeenSplats], config: DepthFusionConfig
) -> DistanceField:
    """With what no view has seen to be empty taken for solid: cells that were not measured are
    outside where a view looks through them, and inside where none does.
    """
    step, R = 2, field.grid.count  # every other cell: none of it is a surface that was seen
    coarse = replace(field.grid, cell=field.grid.cell * step, count=-(-R // step))
    middles = coarse.middles(torch.arange(coarse.count**3)).to(field.grid.low.device)
    free = torch.zeros(len(middles), dtype=torch.bool, device=middles.device)
    for seen in looks:
        pixel, depth = _pixels(middles, seen)
        at = pixel.clamp_min(0)
        through = _nothing(seen, config).reshape(-1)[at] | (
            (trusted(seen, field.grid, config).reshape(-1)[at] > 0)
            & (depth < seen.depth.reshape(-1)[at] - field.grid.band(config))
        )
        free |= (pixel >= 0) & through
    solid = ~free.view((coarse.count,) * 3).cpu().numpy()
    fine = solid.repeat(step, 0).repeat(step, 1).repeat(step, 2)[:R, :R, :R]
    border = np.ones((R,) * 3, bool)
    border[
        config.margin : -config.margin,
        config.margin : -config.margin,
        config.margin : -config.margin,
    ] = False
    guessed = np.where(fine & ~border, np.float32(1), np.float32(-1))
    soft = ndimage.gaussian_filter(guessed, 1.0)  # its steps are no detail
    values = np.where(field.measured, field.inside, soft).astype(np.float32)
    values[[0, -1]], values[:, [0, -1]], values[:, :, [0, -1]] = -1, -1, -1
    return DistanceField(grid=field.grid, inside=values, measured=np.ones_like(field.measured))


def surface_of(field: DistanceField) -> Surface | None:
    """Where the field changes sign between cells that were measured; None where it nowhere does."""
    cells, faces = marching_cubes(torch.from_numpy(field.inside), 0.0)
    if not len(faces):
        return None
    places = cells.numpy()
    known = _known(places.astype(np.float64), field.measured)
    low = field.grid.low.cpu().numpy()
    vertices = np.asarray(places * field.grid.cell + low, np.float32)
    return keep_vertices(Surface(vertices, faces.numpy()), known)


def _known(cells: NDArray[np.float64], measured: Flags) -> Flags:
    """(V,) whether both cells at the ends of a vertex's edge were measured."""
    ends = [np.floor(cells), np.ceil(cells)]
    both = [measured[tuple(end.astype(np.int64).T)] for end in ends]
    return np.asarray(both[0] & both[1])
