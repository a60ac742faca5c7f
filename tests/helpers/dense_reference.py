"""Every Gaussian at every pixel, in float64, with autograd: slow, short, and the truth that
rasterisers must meet.
"""

import torch
from torch import Tensor

from backend.gaussians.options import Drawables, RasterOptions, RasterView
from backend.gaussians.projection import covariances, project, shade


def rasterize_dense(
    gaussians: Drawables, view: RasterView, options: RasterOptions
) -> tuple[Tensor, Tensor]:
    """The picture with depth as its last channel (H, W, D + 1) and alpha (H, W)."""
    width, height, background = view.width, view.height, view.background
    seen = project(gaussians, view, options)
    values = torch.cat([shade(gaussians, view), seen.depths[:, None]], 1)
    ids = seen.visible.nonzero()[:, 0]
    ids = ids[torch.argsort(seen.depths[ids])]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    x, y = x.reshape(-1, 1), y.reshape(-1, 1)
    dx, dy = seen.means2d[ids, 0] - x, seen.means2d[ids, 1] - y
    A, B, C = seen.conics[ids].unbind(1)
    sigma = 0.5 * (A * dx**2 + C * dy**2) + B * dx * dy
    pixels = torch.cat([x, y], 1)
    if options.traced:
        sigma = sigma / bent(gaussians, view, ids, pixels)
    alpha = (seen.opacities[ids] * torch.exp(-sigma)).clamp(max=options.max_alpha)
    alpha = torch.where(alpha >= options.alpha_threshold, alpha, 0)
    if options.traced:
        met, beside = densest(gaussians, view, ids, pixels)
        own = gaussians.opacities[ids].detach()
        least = own * torch.exp(-0.5 * (beside / gaussians.scales[ids].detach().amax(1)) ** 2)
        alpha = torch.where((least >= 0.01) & (met > options.near_plane), alpha, 0)
        order = torch.argsort(met, 1)
        alpha = alpha.gather(1, order)
    live = (torch.cumprod(1 - alpha, 1) <= options.min_transmittance).cumsum(1) == 0
    alpha = torch.where(live, alpha, 0)
    after = torch.cumprod(1 - alpha, 1)
    before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], 1)
    weights = alpha * before
    if options.traced:
        weights = torch.zeros_like(alpha).scatter(1, order, weights)
    ground = torch.cat([background, background.new_zeros(1)])
    image = weights @ values[ids] + after[:, -1:] * ground
    return image.reshape(height, width, -1), (1 - after[:, -1]).reshape(height, width)


def bent(gaussians: Drawables, view: RasterView, ids: Tensor, pixels: Tensor) -> Tensor:
    """(P, G): the squared length, in deviations of Gaussians `ids` (G,), of the rays through
    `pixels` (P, 2) over that of the rays through their centres, both as far as depth 1.
    """
    K, viewmat = view.K.double(), view.viewmat.detach().double()
    scales = gaussians.scales[ids].detach().double()
    scales = torch.maximum(scales, scales.amax(1, keepdim=True) / 100)
    inverse = torch.linalg.inv(covariances(gaussians.quats[ids].detach().double(), scales))
    local = torch.cat([pixels.double(), torch.ones_like(pixels[:, :1].double())], -1)
    rays = (local @ torch.linalg.inv(K).T) @ viewmat[:3, :3]
    own = gaussians.means[ids].detach().double() @ viewmat[:3, :3].T + viewmat[:3, 3]
    own = (own / own[:, 2:]) @ viewmat[:3, :3]
    lengths = torch.einsum("pi,gij,pj->pg", rays, inverse, rays)
    return lengths / torch.einsum("gi,gij,gj->g", own, inverse, own)


def densest(
    gaussians: Drawables, view: RasterView, ids: Tensor, pixels: Tensor
) -> tuple[Tensor, Tensor]:
    """(P, G): how deep the rays through `pixels` (P, 2) are where Gaussians `ids` (G,) are densest,
    found in the world: along o + t d, density is greatest where d' C^-1 (o + t d - m) = 0; and how
    far from their centres the rays pass by.
    """
    K, pose = view.K.double(), torch.linalg.inv(view.viewmat.detach().double())
    scales = gaussians.scales[ids].detach().double()
    scales = torch.maximum(scales, scales.amax(1, keepdim=True) / 100)
    inverse = torch.linalg.inv(covariances(gaussians.quats[ids].detach().double(), scales))
    local = torch.cat([pixels.double(), torch.ones_like(pixels[..., :1])], -1)
    rays = (local @ torch.linalg.inv(K).T) @ pose[:3, :3].T
    pulled = torch.einsum("pi,gij->pgj", rays, inverse)
    offset = gaussians.means[ids].detach().double() - pose[:3, 3]
    met = (pulled * offset).sum(-1) / (pulled * rays[:, None]).sum(-1)
    beside = torch.linalg.cross(offset[None], rays[:, None]).norm(dim=-1)
    return met, beside / rays.norm(dim=-1, keepdim=True)
