"""Projection of 3D Gaussians to the image plane, in torch: the readable form of what the kernels
do.

EWA splatting (Zwicker et al. 2001) as in 3DGS (Kerbl et al. 2023, section 4): the covariance is
carried through the view rotation and the Jacobian of the perspective division, then blurred by
`eps2d` pixels squared.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..geometry.rotations import quat_to_matrix
from ..geometry.spherical_harmonics import sh_to_rgb
from .along_rays import RayMeeting, meetings, narrowed
from .options import Drawables, RasterOptions, RasterView


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Of N Gaussians in one view. `visible` marks those that can touch a pixel; the rest holds no
    promise elsewhere.
    """

    means2d: Tensor  # (N, 2) pixels; the first pixel's centre is (0.5, 0.5)
    conics: Tensor  # (N, 3) upper triangle of the inverse covariance
    opacities: Tensor  # (N,) compensated when antialiased
    depths: Tensor  # (N,) along the camera's axis
    extents: Tensor  # (N, 2) pixels beyond which nothing is drawn
    visible: Tensor  # (N,) bool
    meetings: RayMeeting | None  # where traced


def covariances(quats: Tensor, scales: Tensor) -> Tensor:
    """(N, 4) and linear (N, 3) -> (N, 3, 3)."""
    axes = quat_to_matrix(quats) * scales[:, None]
    return axes @ axes.transpose(1, 2)


def _jacobians(points: Tensor, K: Tensor, width: int, height: int) -> Tensor:
    """(N, 2, 3) at camera-space points; slopes far outside the picture are held at its border, as
    gsplat does.
    """
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    x, y, z = points.unbind(-1)
    margin_x, margin_y = 0.15 * width / fx, 0.15 * height / fy
    slope_x = torch.minimum(
        torch.maximum(x / z, -(cx / fx + margin_x)), (width - cx) / fx + margin_x
    )
    slope_y = torch.minimum(
        torch.maximum(y / z, -(cy / fy + margin_y)), (height - cy) / fy + margin_y
    )
    zero = torch.zeros_like(z)
    rows = (fx / z, zero, -fx * slope_x / z, zero, fy / z, -fy * slope_y / z)
    return torch.stack(rows, -1).reshape(-1, 2, 3)


def project(gaussians: Drawables, view: RasterView, options: RasterOptions) -> Projection:
    """Projects N Gaussians into one camera."""
    means, opacities, viewmat, K = gaussians.means, gaussians.opacities, view.viewmat, view.K
    rotation = viewmat[:3, :3]
    points = means @ rotation.T + viewmat[:3, 3]
    depths = points[:, 2]
    in_range = (depths > options.near_plane) & (depths < options.far_plane)
    safe = torch.where(in_range[:, None], points, points.new_tensor([0.0, 0.0, 1.0]))
    to_image = _jacobians(safe, K, view.width, view.height) @ rotation
    cov3d = covariances(gaussians.quats, gaussians.scales)
    cov = to_image @ cov3d @ to_image.transpose(1, 2)
    a, b, d = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    blurred_a, blurred_d = a + options.eps2d, d + options.eps2d
    det = blurred_a * blurred_d - b * b
    if (
        options.rasterize_mode == "antialiased"
    ):  # Mip-Splatting (Yu et al. 2024), the 2D filter's loss of energy
        opacities = opacities * ((a * d - b * b) / det).clamp_min(0).sqrt()
    means2d = torch.stack(
        [K[0, 0] * safe[:, 0] / safe[:, 2] + K[0, 2], K[1, 1] * safe[:, 1] / safe[:, 2] + K[1, 2]],
        -1,
    )
    with torch.no_grad():
        limit = (opacities / options.alpha_threshold).clamp_min(1).log()
        shape = torch.stack([blurred_a, blurred_d], -1).sqrt()
        extents = (2 * limit).sqrt()[:, None] * shape
        met = meetings(gaussians, view) if options.traced else None
        if met is not None:
            in_camera = rotation @ cov3d @ rotation.T
            extents = narrowed(gaussians, view, met.bend, in_camera, limit, shape)
        size = means.new_tensor([view.width, view.height])
        on_screen = ((means2d + extents > 0) & (means2d - extents < size)).all(-1)
        visible = in_range & (det > 0) & (opacities >= options.alpha_threshold) & on_screen
    conics = torch.stack([blurred_d / det, -b / det, blurred_a / det], -1)
    visible &= torch.cat([conics, means2d, opacities[:, None]], 1).isfinite().all(1)
    if met is not None:
        visible &= met.finite()
    return Projection(
        means2d=means2d,
        conics=conics,
        opacities=opacities,
        depths=depths,
        extents=extents,
        visible=visible,
        meetings=met,
    )


def shade(gaussians: Drawables, view: RasterView) -> Tensor:
    """Colours (N, D): as given without a degree, else the harmonics (N, K, 3) along the viewing
    rays.
    """
    if view.sh_degree is None:
        return gaussians.colors
    position = -view.viewmat[:3, :3].T @ view.viewmat[:3, 3]
    directions = torch.nn.functional.normalize(gaussians.means - position, dim=-1)
    return sh_to_rgb(view.sh_degree, directions, gaussians.colors)
