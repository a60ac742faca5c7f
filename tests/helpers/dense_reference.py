"""Every Gaussian at every pixel, in float64, with autograd: slow, short, and the truth that
rasterisers must meet.
"""

import torch
from torch import Tensor

from backend.gaussians.options import Drawables, RasterOptions, RasterView
from backend.gaussians.projection import project, shade


def rasterize_dense(
    gaussians: Drawables, view: RasterView, options: RasterOptions
) -> tuple[Tensor, Tensor]:
    """The picture with depth as its last channel (H, W, D + 1) and alpha (H, W)."""
    width, height, background = view.width, view.height, view.background
    seen = project(gaussians, view, options)
    values = torch.cat([shade(gaussians, view), seen.depths[:, None]], 1)
    order = seen.visible.nonzero()[:, 0]
    order = order[torch.argsort(seen.depths[order])]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    dx, dy = (seen.means2d[order, k] - axis.reshape(-1, 1) for k, axis in enumerate((x, y)))
    A, B, C = seen.conics[order].unbind(1)
    alpha = (
        seen.opacities[order] * torch.exp(-(0.5 * (A * dx**2 + C * dy**2) + B * dx * dy))
    ).clamp(max=options.max_alpha)
    alpha = torch.where(alpha >= options.alpha_threshold, alpha, 0)
    live = (torch.cumprod(1 - alpha, 1) <= options.min_transmittance).cumsum(1) == 0
    alpha = torch.where(live, alpha, 0)
    after = torch.cumprod(1 - alpha, 1)
    before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], 1)
    image = (alpha * before) @ values[order] + after[:, -1:] * torch.cat(
        [background, background.new_zeros(1)]
    )
    return image.reshape(height, width, -1), (1 - after[:, -1]).reshape(height, width)
