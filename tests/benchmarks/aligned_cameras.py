"""PSNR of held-out pictures after their own cameras were moved to fit: on one half of each picture,
scored on the other, so that splats of moved cameras and of unmoved ones are judged alike.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from backend.formats import capture as captures, splat_ply
from backend.gaussians.losses import psnr
from backend.gaussians.model import Gaussians, from_arrays
from backend.gaussians.rasterize import rasterize
from backend.geometry.rotations import rotation_vector_to_matrix
from backend.splats.views import TrainingView, load_views

STEPS, RATE = 40, 3e-4  # radians, and shares of the scene's extent


def aligned_psnr(ply: Path, capture: Path, max_pixels: int) -> float:
    """The mean in dB over every eighth picture; each half is fitted once and scored once."""
    views = load_views(captures.read(capture), max_pixels, 8, lambda *_: None)
    model = from_arrays(splat_ply.read(ply))
    for tensor in model.named().values():
        tensor.requires_grad_(False)
    held = [views.full[i] for i in views.held_out]
    return float(np.mean([_aligned(model, view, views.extent, s) for view in held for s in (0, 1)]))


def _aligned(model: Gaussians, view: TrainingView, extent: float, side: int) -> float:
    target, middle = view.target(torch.zeros(3), "cpu"), view.size[0] // 2
    halves = [slice(0, middle), slice(middle, None)]
    fitted, scored = halves[side], halves[1 - side]
    change = torch.zeros(6, requires_grad=True)
    optimizer = torch.optim.Adam([change], RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        image = _drawn(model, view, change, extent)
        (image[:, fitted] - target[:, fitted]).abs().mean().backward()
        optimizer.step()
    with torch.no_grad():
        image = _drawn(model, view, change, extent).clamp(0, 1)
    return psnr(image[:, scored], target[:, scored])


def _drawn(model: Gaussians, view: TrainingView, change: Tensor, extent: float) -> Tensor:
    moved = torch.cat([rotation_vector_to_matrix(change[:3]), change[3:, None] * extent], 1)
    viewmat = torch.cat([moved, torch.tensor([[0.0, 0.0, 0.0, 1.0]])]) @ view.viewmat
    drawn = rasterize(
        model.means,
        model.quats,
        model.scales,
        model.opacities,
        model.sh(model.sh_degree),
        viewmat[None],
        view.K[None],
        *view.size,
        sh_degree=model.sh_degree,
    )
    return drawn.image[0]
