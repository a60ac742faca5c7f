"""Gaussians as a renderer that traces rays shows them, without its noise: what Cycles 5.3 gives in
expectation. Slow, short, float64.

A ray meets a Gaussian where it is densest along the ray (Moenne-Loccoz et al. 2024, 3D Gaussian Ray
Tracing, eq. 8), if it passes through the sphere at which the longest axis has fallen to 0.01. Then
Cycles lets chance decide whether it stops there (Sun et al. 2025, Stochastic Ray Tracing of
Transparent 3D Gaussians), and here it does so in part.
"""

import torch
from torch import Tensor

from backend.gaussians.light import linear_to_srgb, srgb_to_linear
from backend.gaussians.options import Drawables, RasterView
from backend.geometry.rotations import quat_to_matrix
from backend.geometry.spherical_harmonics import sh_to_rgb

FAINTEST = 0.01


def ray_traced(gaussians: Drawables, view: RasterView, rays: int = 4) -> tuple[Tensor, Tensor]:
    """The picture (H, W, 3) on black, blended in linear light, and alpha (H, W); `rays`^2 a pixel,
    over it by Cycles' filter.
    """
    assert view.sh_degree is not None
    names = ("means", "quats", "scales", "opacities", "colors")
    g = Drawables(**{n: getattr(gaussians, n).detach().double() for n in names})
    pose, K = torch.linalg.inv(view.viewmat.double()), view.K.double()
    to_shape = quat_to_matrix(g.quats).transpose(1, 2) / g.scales[:, :, None]
    offset = pose[:3, 3] - g.means
    start, light, alpha = torch.einsum("nij,nj->ni", to_shape, offset), [], []
    for row in range(view.height):
        directions = _rays(view, row, rays) @ torch.linalg.inv(K).T @ pose[:3, :3].T
        directions = torch.nn.functional.normalize(directions, dim=1)  # (R, 3)
        along = torch.einsum("nij,rj->rni", to_shape, directions)
        speed = (along**2).sum(-1)
        met = -(along * start).sum(-1) / speed
        # not a difference of squares: of a flat splat both are huge
        sigma = 0.5 * ((start + met[..., None] * along) ** 2).sum(-1)
        beside = (offset**2).sum(-1) - (directions @ offset.T) ** 2
        least = g.opacities * torch.exp(-0.5 * beside / g.scales.amax(1) ** 2)
        hit = (met > 0) & (least > FAINTEST)
        opacity = torch.where(hit, g.opacities * torch.exp(-sigma), 0)
        order = met.argsort(1)
        stops = opacity.gather(1, order)
        passed = torch.cumprod(torch.cat([torch.ones_like(stops[:, :1]), 1 - stops], 1), 1)
        weights = torch.zeros_like(stops).scatter(1, order, stops * passed[:, :-1])
        seen = [sh_to_rgb(view.sh_degree, d.expand(len(g.means), 3), g.colors) for d in directions]
        colors = srgb_to_linear(torch.stack(seen).clamp_min(0))
        pixels = (weights[..., None] * colors).sum(1).reshape(view.width, -1, 3)
        light.append(pixels.mean(1))
        alpha.append(weights.sum(1).reshape(view.width, -1).mean(1))
    return linear_to_srgb(torch.stack(light)), torch.stack(alpha)


def _rays(view: RasterView, row: int, rays: int) -> Tensor:
    """(W * rays^2, 3): pixels (x, y, 1) of a row's rays, spread by Blackman-Harris of 1.5 px."""
    x = torch.linspace(0, 1, 4001, dtype=torch.float64)
    waves = torch.stack([torch.cos(2 * torch.pi * k * x) for k in range(4)])
    density = torch.tensor([0.35875, -0.48829, 0.14128, -0.01168], dtype=torch.float64) @ waves
    share = density.cumsum(0) / density.sum()
    wanted = (torch.arange(rays, dtype=torch.float64) + 0.5) / rays
    spread = 1.5 * (x[torch.searchsorted(share, wanted)] - 0.5)
    dy, dx = torch.meshgrid(spread, spread, indexing="ij")
    columns = torch.arange(view.width)[:, None] + 0.5 + dx.flatten()
    rows = (row + 0.5 + dy.flatten()).expand_as(columns)
    return torch.stack([columns, rows, torch.ones_like(columns)], -1).reshape(-1, 3)
