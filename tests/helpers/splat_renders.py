"""Splats that stand on surfaces, as training leaves them, and pictures of them."""

from collections.abc import Sequence

import numpy as np
import torch

from backend.formats.splat_arrays import SplatArrays
from backend.gaussians.model import from_arrays
from backend.gaussians.rasterize import rasterize
from backend.geometry.conventions import intrinsics

SIZE = 96  # pixels


def scene(count: int = 3000, degree: int = 3, seed: int = 0) -> SplatArrays:
    """A ball on a floor, and strays far around; flat splats that lie on them, smooth colours."""
    g = np.random.default_rng(seed)
    normals = g.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    means = normals.copy()
    floor = np.arange(count) % 3 == 0
    means[floor] = g.uniform(-2, 2, (int(floor.sum()), 3)) * [1, 0, 1] + [0, 1, 0]
    normals[floor] = [0, 1, 0]
    means[:20] *= 40
    half = normals + np.array([0, 0, 1 + 1e-6])  # turns z to the normal
    quats = np.stack([half[:, 2], -half[:, 1], half[:, 0], 0 * half[:, 0]], 1)
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    colors = 1.2 * np.sin(2 * means + [0, 1, 2])
    width = (degree + 1) ** 2 - 1
    rest = 0.12 * np.sin(means[:, :1, None] * 3 + np.arange(3 * width).reshape(1, width, 3))
    f = np.float32
    return SplatArrays(
        means=means.astype(f),
        quats=quats.astype(f),
        log_scales=(g.normal(0, 0.2, (count, 3)) - [3, 3, 6]).astype(f),
        opacity_logits=g.normal(2, 2, count).astype(f),
        sh=np.concatenate([colors[:, None], rest], 1).astype(f),
    )


def cameras(count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """View matrices (count, 4, 4) around the origin, y down, and one K for each."""
    views = []
    for angle in np.linspace(0, 2 * np.pi, count, endpoint=False):
        eye = 3.2 * np.array([np.sin(angle), -0.3, np.cos(angle)])
        z = -eye / np.linalg.norm(eye)
        x = np.cross([0, 1, 0], z)
        x /= np.linalg.norm(x)
        view = np.eye(4)
        view[:3, :3] = x, np.cross(z, x), z
        view[:3, 3] = -view[:3, :3] @ eye
        views.append(view)
    K = intrinsics(1.1 * SIZE, 1.1 * SIZE, SIZE / 2, SIZE / 2)
    f = torch.float32
    return torch.tensor(np.stack(views), dtype=f), torch.tensor(np.stack([K] * count), dtype=f)


@torch.no_grad()
def pictures(a: SplatArrays, center: Sequence[float] = (0, 0, 0), size: float = 1) -> torch.Tensor:
    """(views, SIZE, SIZE, 3) in 0..1, of what lies `size` around `center`."""
    model, (views, K) = from_arrays(a), cameras()
    drawn = rasterize(
        (model.means - torch.tensor(center, dtype=torch.float32)) / size,
        model.quats,
        model.scales / size,
        model.opacities,
        model.sh(model.sh_degree),
        views,
        K,
        SIZE,
        SIZE,
        sh_degree=model.sh_degree,
        backgrounds=torch.full((len(views), 3), 0.4),
    )
    return drawn.image.clamp(0, 1)


def psnr(first: torch.Tensor, second: torch.Tensor) -> float:
    """In decibels."""
    return float(-10 * torch.log10((first - second).square().mean().clamp_min(1e-15)))
