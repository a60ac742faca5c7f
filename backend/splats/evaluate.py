"""Quality on views that training never saw, and pictures to look at."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..gaussians.losses import psnr
from ..runtime.atomic import atomic_path
from .exposed_alike import exposed_alike
from .trainer import Trainer


@torch.no_grad()
def render_view(trainer: Trainer, index: int) -> tuple[Tensor, Tensor]:
    """The rendering of a view, exposed as its picture where exposure may differ, and the picture,
    (H, W, 3) in 0..1, on white where pictures are transparent.
    """
    background = torch.full((3,), 1.0 if trainer.views.transparent else 0.0, device=trainer.device)
    view = trainer.views.full[index]
    image = trainer.render(view, view.viewmat.to(trainer.device), background, trainer.sh_degree)
    image = image.clamp(0, 1)
    target = view.forgiving(view.target(background, trainer.device), image)
    return (exposed_alike(image, target) if trainer.config.exposure else image), target


def evaluate(trainer: Trainer) -> dict[str, float]:
    """Mean PSNR in dB and SSIM over the pictures that are held out between others (psnr, ssim), and
    over those at the end of the path (beyond_psnr, beyond_ssim); without what is not measured.
    """
    views = trainer.views
    return {
        f"{prefix}{name}": value
        for prefix, held in (("", views.held_out), ("beyond_", views.beyond))
        for name, value in _mean_scores(trainer, held).items()
    }


def _mean_scores(trainer: Trainer, indices: list[int]) -> dict[str, float]:
    scores = []
    for index in indices:
        image, target = render_view(trainer, index)
        with torch.no_grad():
            similarity = trainer.loss(image, target, 0.5)[1]
        scores.append((psnr(image, target), float(similarity)))
    mean = np.mean(scores, axis=0) if scores else []
    return dict(zip(("psnr", "ssim"), map(float, mean), strict=False))


def to_pixels(image: Tensor) -> np.ndarray:
    """(H, W, C) in 0..1 -> uint8."""
    return (image.detach().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def save_side_by_side(trainer: Trainer, path: Path) -> None:
    """Photo on the left, rendering on the right: a held-out view, or the first where none is held
    out.
    """
    index = (
        trainer.views.held_out[len(trainer.views.held_out) // 2]
        if trainer.views.held_out
        else trainer.views.training[0]
    )
    image, target = render_view(trainer, index)
    with atomic_path(path) as part:
        Image.fromarray(to_pixels(torch.cat([target, image], 1))).save(part)
