"""The differentiable camera: unprojection, projection, and poses from weighted Procrustes (paper,
section 4.2).
"""

import torch
from torch import Tensor

from ...geometry.rotations import nearest_rotation


def grid_xy(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """(h, w, 2) xy of the pixels' centres."""
    x, y = (
        (torch.arange(width, device=device) + 0.5) / width,
        (torch.arange(height, device=device) + 0.5) / height,
    )
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)


def aspect_of(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """(2,) what turns shares of the picture into units of sqrt(height * width)."""
    sides: Tensor = torch.tensor([width, height], device=device) / (height * width) ** 0.5
    return sides


def unproject(xy: Tensor, depth: Tensor, focal: Tensor, aspect: Tensor) -> Tensor:
    """(..., 2) and (...) -> (..., 3) points in camera axes."""
    return torch.cat([(xy - 0.5) * aspect * (depth / focal)[..., None], depth[..., None]], -1)


def project(points: Tensor, focal: Tensor, aspect: Tensor) -> Tensor:
    """(..., 3) -> (..., 2)."""
    return focal[..., None] * points[..., :2] / points[..., 2:].clamp(min=1e-3) / aspect + 0.5


def sample(field: Tensor, xy: Tensor) -> Tensor:
    """(b, c, h, w) at (b, m, 2) -> (b, c, m), bilinear, clamped at the border."""
    grid = xy[:, :, None] * 2 - 1
    return torch.nn.functional.grid_sample(
        field, grid, mode="bilinear", padding_mode="border", align_corners=False
    )[..., 0]


def procrustes(source: Tensor, target: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Rotations (b, 3, 3) and translations (b, 3) that carry source (b, m, 3) best onto target
    under weights (b, m).
    """
    w = (weights / weights.sum(-1, keepdim=True).clamp(min=1e-8))[..., None]
    mean_s, mean_t = (w * source).sum(-2, keepdim=True), (w * target).sum(-2, keepdim=True)
    covariance = (w * (target - mean_t)).transpose(-1, -2) @ (source - mean_s)
    covariance = covariance / covariance.detach().flatten(-2).norm(dim=-1)[..., None, None].clamp(
        min=1e-12
    )
    apart = torch.diag(
        torch.tensor([3e-9, 2e-9, 1e-9], device=covariance.device)
    )  # equal singular values have no gradient
    rotation, _ = nearest_rotation(covariance + apart)
    return rotation, (mean_t - mean_s @ rotation.transpose(-1, -2))[..., 0, :]


def chain(rotations: Tensor, translations: Tensor) -> Tensor:
    """(n, 4, 4) camera-to-world from steps (n - 1) that carry frame i + 1 into the axes of
    frame i.
    """
    first = torch.eye(4, device=rotations.device)
    steps = first.repeat(len(rotations), 1, 1)
    steps[:, :3, :3], steps[:, :3, 3] = rotations, translations
    poses = [first]
    for step in steps:
        poses.append(poses[-1] @ step)
    return torch.stack(poses)
