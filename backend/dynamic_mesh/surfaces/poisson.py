"""Oriented points to a solid: differentiable Poisson surface reconstruction in Fourier space (Peng
et al. 2021, "Shape As Points"), and the level set of what it gives, its vertices differentiable in
the field.
"""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from .marching_cubes import marching_cubes
from .surface import Surface


@dataclass(frozen=True)
class PoissonConfig:
    """`resolution` of the periodic grid over a cube of half side `reach`; `sigma`: of the Gaussian
    that smooths it, in cells (the paper's 3 is for 288 cells; small grids lose too much by that).
    """

    resolution: int = 128
    sigma: float = 1.5
    reach: float = 1.25


@functools.lru_cache(maxsize=4)
def _kernel(resolution: int, sigma: float, device: str) -> Tensor:
    """(3, R, R, R // 2 + 1) what divergence, the inverse Laplacian and the smoothing multiply the
    spectrum of normals by, without the i.
    """
    whole = torch.fft.fftfreq(resolution, 1 / resolution, device=device)
    half = torch.fft.rfftfreq(resolution, 1 / resolution, device=device)
    frequencies = torch.stack(torch.meshgrid(whole, whole, half, indexing="ij"))
    smooth = torch.exp(-2 * (sigma * frequencies.norm(dim=0) / resolution) ** 2)
    angular = 2 * torch.pi * frequencies
    laplacian = -angular.square().sum(0)
    laplacian[0, 0, 0] = 1
    kernel = angular * (smooth / laplacian)
    kernel[:, 0, 0, 0] = 0
    return kernel


def _corners(places: Tensor, resolution: int) -> tuple[Tensor, Tensor]:
    """(8, P) cells around places in units of cells, wrapped, and how much each counts
    (trilinear).
    """
    low = places.floor()
    share, cell = places - low, low.long()
    steps = torch.tensor(
        [[(k >> 2) & 1, (k >> 1) & 1, k & 1] for k in range(8)], device=places.device
    )
    at = (cell[None] + steps[:, None]) % resolution
    weight = torch.where(steps[:, None] == 1, share[None], 1 - share[None]).prod(-1)
    return (at[..., 0] * resolution + at[..., 1]) * resolution + at[..., 2], weight


def indicator(points: Tensor, normals: Tensor, config: PoissonConfig) -> Tensor:
    """(R, R, R) 0.5 deep inside, below 0 outside, 0 on the surface, of points (P, 3) with outward
    normals (P, 3) of any length: the longer, the more they count. Cell (i, j, k) is at `cells` of
    `to_world`.
    """
    R = config.resolution
    at, weight = _corners((points / config.reach + 1) * 0.5 * R, R)
    spread = (weight[..., None] * normals).reshape(-1, 3)
    grid = points.new_zeros(R**3, 3).index_add(0, at.reshape(-1), spread)
    spectrum = torch.fft.rfftn(grid.T.reshape(3, R, R, R), dim=(1, 2, 3))
    field = torch.fft.irfftn(
        (spectrum * _kernel(R, config.sigma, str(points.device))).sum(0) * 1j, s=(R, R, R)
    )
    on_surface = ((field.reshape(-1)[at] * weight).sum(0)).mean()
    field = field - on_surface
    solid: Tensor = -0.5 * field / field[0, 0, 0].abs().clamp_min(1e-9)
    return solid


def to_world(cells: Tensor, config: PoissonConfig) -> Tensor:
    """(…, 3) places of the cube of places in units of cells."""
    return (cells / config.resolution * 2 - 1) * config.reach


def isosurface(
    field: Tensor, level: float | Tensor, config: PoissonConfig
) -> tuple[Tensor, Tensor] | None:
    """Vertices (V, 3), differentiable in the field and in the level, and faces (F, 3), wound
    counter-clockwise from outside; None where the field nowhere crosses the level.
    """
    cells, faces = marching_cubes(field, level)
    return (to_world(cells, config), faces) if len(faces) else None


@torch.no_grad()
def poisson_surface(points: Tensor, normals: Tensor, config: PoissonConfig) -> Surface | None:
    """The level 0 as arrays; None where the points enclose nothing."""
    mesh = isosurface(indicator(points, normals, config), 0.0, config)
    return None if mesh is None else Surface(mesh[0].cpu().numpy(), mesh[1].cpu().numpy())
