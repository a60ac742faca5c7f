"""How rays meet Gaussians, beside their projections at the centres: how dense they are there, how
deep, and where they end.

Of a Gaussian with centre c and inverse covariance Q = W'W in camera space, the ray r = (x, y, 1)
meets at most exp(-sigma), sigma = |W r x W c|^2 / (2 |W r|^2), at the depth r'Qc / r'Qr
(Moenne-Loccoz et al. 2024, 3D Gaussian Ray Tracing, eq. 8 and 9). With r0 the centre's own ray, the
numerator of sigma is a quadratic form of r - r0: that of EWA splatting (projection.py) times
|W r0|^2. So EWA is exact but for the bend, |W r|^2 / |W r0|^2.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..geometry.rotations import quat_to_matrix
from .options import Drawables, RasterView

FLATTEST = 1e-2  # of the longest axis: thinner ones only cost digits
FAINTEST = 0.01  # where a Gaussian ends along its longest axis, as in Cycles
AROUND = 1e6  # the bend of what reaches around the camera
BLUR = 1.02  # how much farther the blur reaches


class RayMeeting(NamedTuple):
    """Of N Gaussians, as polynomials 1, x, y, xx, xy, yy of the offsets (pixels) from a pixel to
    the projected centre; without gradients, for they vary slowly.
    """

    bend: Tensor  # (N, 6)
    ends: Tensor  # (N, 6) negative where the Gaussian has ended
    depth: Tensor  # (N,) of the centre

    def finite(self) -> Tensor:
        """(N,)"""
        return self.bend.isfinite().all(1) & self.ends.isfinite().all(1)


def meetings(gaussians: Drawables, view: RasterView) -> RayMeeting:
    """How the rays of a view meet N Gaussians."""
    rays, centres = _rays(gaussians, view)
    ux, uy, _ = rays.unbind(1)
    steps = _steps(view)  # from offsets to slopes
    Q = _inverse_covariances(gaussians, view)
    pulled = torch.einsum("nij,nj->ni", Q, rays)
    inv = 1 / (pulled * rays).sum(1)
    one = torch.ones_like(inv)
    bend = [one, *(-2 * pulled[:, :2] * inv[:, None]).unbind(1)]
    bend += [Q[:, 0, 0] * inv, 2 * Q[:, 0, 1] * inv, Q[:, 1, 1] * inv]
    # |r x c|^2 <= radius^2 |r|^2, by radius^2
    z2 = (centres[:, 2] / _radii(gaussians)) ** 2
    ends = [1 + ux**2 + uy**2, -2 * ux, -2 * uy]
    ends += [1 - z2 * (1 + uy**2), 2 * z2 * ux * uy, 1 - z2 * (1 + ux**2)]
    return RayMeeting(torch.stack(bend, 1) * steps, torch.stack(ends, 1) * steps, centres[:, 2])


def _steps(view: RasterView) -> Tensor:
    """(6,) what a pixel is to slopes, in the terms of a polynomial."""
    x, y = 1 / view.K[0, 0], 1 / view.K[1, 1]
    return torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y])


def at(polynomial: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """A polynomial (..., 6) at offsets that broadcast against its parts."""
    one, x, y, xx, xy, yy = polynomial.unbind(-1)
    return one + dx * (x + xx * dx + xy * dy) + dy * (y + yy * dy)


def met_at(bend: Tensor, depth: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """How deep rays meet: the numerator's slope is half of the bend's."""
    ahead = 1 + 0.5 * (bend[..., 1] * dx + bend[..., 2] * dy)
    return depth * ahead / at(bend, dx, dy).clamp_min(1e-6)


def narrowed(
    gaussians: Drawables, view: RasterView, bend: Tensor, covariance: Tensor, limit: Tensor,
    shape: Tensor,
) -> Tensor:  # fmt: skip
    """(N, 2) pixels beyond which nothing is drawn of Gaussians of covariance (N, 3, 3) in camera
    space that end at sigma `limit` (N,) of their projections, whose deviations are `shape` (N, 2),
    or at the sphere around them.
    """
    rays, centres = _rays(gaussians, view)
    focal = torch.stack([view.K[0, 0], view.K[1, 1]])
    middle, half, ahead = _box(2 * limit[:, None, None] * covariance, centres)
    most = torch.ones_like(limit)
    for across in (-1, 1):
        for up in (-1, 1):
            corner = middle + half * half.new_tensor([across, up])
            dx, dy = ((rays[:, :2] - corner) * focal).unbind(1)
            most = torch.maximum(most, at(bend, dx, dy))
    most = torch.where(ahead, BLUR * most, AROUND)
    extents = (2 * limit * most).sqrt()[:, None] * shape
    radii = _radii(gaussians)
    sphere = radii[:, None, None] ** 2 * torch.eye(3).to(radii)
    middle, half, ahead = _box(sphere, centres)
    ended = ((middle - rays[:, :2]).abs() + half) * focal + 0.01
    return torch.where(ahead[:, None], torch.minimum(extents, ended), extents)


def _box(covariance: Tensor, centres: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the pictures of ellipsoids, as slopes: the middle of the box around each (N, 2), half its
    sides, and whether it lies ahead of the camera whole (N,). A line l of the picture touches one
    where l' (C - c c') l = 0.
    """
    cone = covariance - centres[:, :, None] * centres[:, None]
    zz = cone[:, 2, 2]
    middle = cone[:, :2, 2] / zz[:, None]
    squares = torch.stack([cone[:, 0, 0], cone[:, 1, 1]], 1) / zz[:, None]
    return middle, (middle**2 - squares).clamp_min(0).sqrt(), zz < 0


def _rays(gaussians: Drawables, view: RasterView) -> tuple[Tensor, Tensor]:
    """The centres' rays (N, 3) with z = 1, and the centres (N, 3) in camera space."""
    centres = gaussians.means @ view.viewmat[:3, :3].T + view.viewmat[:3, 3]
    return centres / centres[:, 2:], centres


def _radii(gaussians: Drawables) -> Tensor:
    """(N,) of the spheres at which they end; NaN for those too faint to be drawn at all."""
    return gaussians.scales.amax(1) * (2 * (gaussians.opacities / FAINTEST).log()).sqrt()


def _inverse_covariances(gaussians: Drawables, view: RasterView) -> Tensor:
    """(N, 3, 3) in camera space."""
    scales = gaussians.scales
    scales = torch.maximum(scales, FLATTEST * scales.amax(1, keepdim=True))
    whitened = view.viewmat[:3, :3] @ quat_to_matrix(gaussians.quats) / scales[:, None]
    return whitened @ whitened.transpose(1, 2)
