"""Gaussians that sit on the faces of the template and are carried by it: soft where the mesh's own
picture is sharp, so they pull the mesh where a hard edge sees nothing. Spread one a face by
Gaussian-Mesh Anchoring.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...gaussians.rasterize import rasterize
from ...geometry.rotations import matrix_to_quat
from ..footage.timed_views import PyramidLevel, TimedView
from ..surfaces.anchoring import AnchorConfig, anchor, centroids, nearest

ROUNDS = 12
FLAT = 0.15  # thickness of a Gaussian in shares of its width


@dataclass
class AnchoredGaussians:
    """One on each of F faces, as wide as the face; N = F."""

    opacity_logits: Tensor  # (F,)
    colors: Tensor  # (F, 3) before the sigmoid
    log_widths: Tensor  # (F,) added to the face's own size


def spread(
    means: Tensor,
    opacity_logits: Tensor,
    colors: Tensor,
    vertices: Tensor,
    faces: Tensor,
    generator: torch.Generator,
    config: AnchorConfig,
) -> AnchoredGaussians:
    """From free Gaussians around the mesh (V, 3), (F, 3): crowds are merged, those far away are
    pruned, empty faces get one that looks like the nearest.
    """
    everywhere = replace(config, most=len(faces))
    means, logits, colors = (
        means.detach().clone(),
        opacity_logits.detach().clone(),
        colors.detach().clone(),
    )
    for _ in range(ROUNDS):
        plan = anchor(means, vertices, faces, everywhere, generator)
        one, other = plan.merged.unbind(1)
        for values in (means, logits, colors):
            values[one] = (values[one] + values[other]) / 2
        means, logits, colors = means[plan.kept], logits[plan.kept], colors[plan.kept]
        if not len(plan.merged):
            break
    closest = nearest(centroids(vertices, faces), means)[1]
    leaves = (
        logits[closest].clamp_min(1.0),
        colors[closest],
        torch.zeros(len(faces), device=means.device),
    )
    return AnchoredGaussians(*(t.clone().requires_grad_(True) for t in leaves))


def _frames(placed: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """(F, 4) turns from the axes to the faces, z along the normal, and (F,) half the root of the
    faces' areas.
    """
    a, b, c = (placed[faces[:, i]] for i in range(3))
    along = torch.nn.functional.normalize(b - a, dim=1)
    cross = torch.linalg.cross(b - a, c - a)
    normal = torch.nn.functional.normalize(cross, dim=1)
    turn = torch.stack([along, torch.linalg.cross(normal, along), normal], 2)
    return matrix_to_quat(turn), (cross.norm(dim=1) / 2).clamp_min(1e-12).sqrt() / 2


def draw(
    gaussians: AnchoredGaussians,
    placed: Tensor,
    faces: Tensor,
    view: TimedView,
    level: PyramidLevel,
) -> tuple[Tensor, Tensor]:
    """(H, W, 3) colour over nothing and (H, W) coverage of the Gaussians on the mesh (V, 3) as it
    stands at the moment.
    """
    with torch.no_grad():
        quats, size = _frames(placed, faces)
        thin = size.new_tensor([1.0, 1.0, FLAT])
    scales = (size * gaussians.log_widths.exp())[:, None] * thin
    drawn = rasterize(
        centroids(placed, faces),
        quats,
        scales,
        gaussians.opacity_logits.sigmoid(),
        gaussians.colors.sigmoid(),
        view.viewmat[None],
        level.K[None],
        *level.size,
    )
    return drawn.image[0], drawn.alpha[0, ..., 0]
