"""Where rays meet Gaussians: the order in which ray tracers lay them over each other.

A ray meets a Gaussian where it is densest along the ray (Moenne-Loccoz et al. 2024, 3D Gaussian Ray
Tracing, eq. 8). For a wide slanted one that lies far from its centre, by which rasterisers sort.
One ray stands for all of a tile: that nearest to the centre (Radl et al. 2024, StopThePop).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..geometry.rotations import quat_to_matrix
from .options import Drawables, RasterView

FLATTEST = 1e-2  # of the longest axis: thinner ones only cost digits
RayDepths = Callable[[Tensor, Tensor, Tensor], Tensor]


def whitened_in_camera(gaussians: Drawables, view: RasterView) -> tuple[Tensor, Tensor]:
    """Axes over deviations (N, 3, 3), W' of the inverse covariance W'W, and centres (N, 3)."""
    rotation, scales = view.viewmat[:3, :3], gaussians.scales
    scales = torch.maximum(scales, FLATTEST * scales.amax(1, keepdim=True))
    whitened = rotation @ quat_to_matrix(gaussians.quats) / scales[:, None]
    return whitened, gaussians.means @ rotation.T + view.viewmat[:3, 3]


def ray_depths(gaussians: Drawables, view: RasterView) -> RayDepths:
    """A function (ids (P,), pixels (P, 2), depths of the centres (P,)) -> depths (P,) at which the
    pixels' rays meet those Gaussians; the centre's where numbers fail.
    """
    K = view.K
    whitened, centres = whitened_in_camera(gaussians, view)
    inverse = whitened @ whitened.transpose(1, 2)
    pulled = torch.einsum("nij,nj->ni", inverse, centres)

    def depths(ids: Tensor, pixels: Tensor, centre_depths: Tensor) -> Tensor:
        slopes = (pixels - K[:2, 2]) / torch.stack([K[0, 0], K[1, 1]])
        rays = torch.cat([slopes, torch.ones_like(slopes[:, :1])], 1).to(inverse)
        along = torch.einsum("pi,pij,pj->p", rays, inverse[ids], rays)
        met = (pulled[ids] * rays).sum(1) / along
        return torch.where(met.isfinite(), met, centre_depths)

    return depths
