"""How dense a Gaussian is where a ray meets it, beside its projection at the centre.

Of a Gaussian with centre c and inverse covariance Q = W'W in camera space, the ray r = (x, y, 1)
meets at most exp(-sigma), sigma = |W r x W c|^2 / (2 |W r|^2) (Moenne-Loccoz et al. 2024, 3D
Gaussian Ray Tracing, eq. 8 and 9). With r0 the centre's own ray, the numerator is a quadratic form
of r - r0: that of EWA splatting (projection.py) times |W r0|^2. So EWA is exact but for the bend,
|W r|^2 / |W r0|^2.
"""

import torch
from torch import Tensor

from .options import Drawables, RasterView
from .ray_order import whitened_in_camera

REACHES_AROUND = 1e6  # the bend of what reaches around the camera
BLUR = 1.02  # how much farther the blur reaches


def bends(gaussians: Drawables, view: RasterView) -> Tensor:
    """(N, 5) of 1 + x dx + y dy + xx dx^2 + xy dx dy + yy dy^2 for the offsets (pixels) from a
    pixel to the projected centre; without gradients, for it varies slowly.
    """
    K, (rays, _, Q) = view.K, _rays(gaussians, view)
    pulled = torch.einsum("nij,nj->ni", Q, rays)
    inv = 1 / (pulled * rays).sum(1)
    ix, iy = 1 / K[0, 0], 1 / K[1, 1]
    parts = (
        -2 * pulled[:, 0] * ix,
        -2 * pulled[:, 1] * iy,
        Q[:, 0, 0] * ix * ix,
        2 * Q[:, 0, 1] * ix * iy,
        Q[:, 1, 1] * iy * iy,
    )
    return torch.stack(parts, 1) * inv[:, None]


def bend_at(bend: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """The bend (..., 5) at offsets that broadcast against its parts, held above 0."""
    x, y, xx, xy, yy = bend.unbind(-1)
    return (1 + dx * (x + xx * dx + xy * dy) + dy * (y + yy * dy)).clamp_min(1e-6)


def largest_bend(
    gaussians: Drawables, view: RasterView, bend: Tensor, covariance: Tensor, limit: Tensor
) -> Tensor:
    """(N,) the largest where the Gaussians of covariance (N, 3, 3) in camera space are drawn: over
    the corners of the box around the picture of the ellipsoid of sigma `limit` (N,). A line l of
    the picture touches that where l' (2 limit C - c c') l = 0.
    """
    rays, centres, _ = _rays(gaussians, view)
    cone = 2 * limit[:, None, None] * covariance - centres[:, :, None] * centres[:, None]
    zz = cone[:, 2, 2]
    most = torch.ones_like(zz)
    middle = cone[:, :2, 2] / zz[:, None]
    squares = torch.stack([cone[:, 0, 0], cone[:, 1, 1]], 1) / zz[:, None]
    half = (middle**2 - squares).clamp_min(0).sqrt()
    focal = torch.stack([view.K[0, 0], view.K[1, 1]])
    for across in (-1, 1):
        for up in (-1, 1):
            corner = middle + half * half.new_tensor([across, up])
            dx, dy = ((rays[:, :2] - corner) * focal).unbind(1)
            most = torch.maximum(most, bend_at(bend, dx, dy))
    return torch.where(zz < 0, BLUR * most, REACHES_AROUND)


def _rays(gaussians: Drawables, view: RasterView) -> tuple[Tensor, Tensor, Tensor]:
    """The centres' rays (N, 3) with z = 1, the centres (N, 3), inverse covariances (N, 3, 3)."""
    whitened, centres = whitened_in_camera(gaussians, view)
    return centres / centres[:, 2:], centres, whitened @ whitened.transpose(1, 2)
