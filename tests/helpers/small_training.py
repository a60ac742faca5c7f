"""A training small enough to be judged step by step: 24 x 16 pixels, a few dozen Gaussians."""

import math
from typing import Any

import numpy as np
import torch

from backend.gaussians.model import Gaussians
from backend.geometry.conventions import to_viewmat
from backend.splats import trainer as training
from backend.splats.config import DensifyConfig, TrainConfig
from backend.splats.densify import Densifier
from backend.splats.surroundings import Surroundings
from backend.splats.trainer import Trainer
from backend.splats.views import TrainingView, ViewSet

SIZE = (24, 16)
NO_SURROUNDINGS = Surroundings(torch.zeros(3), 1.0, math.inf)


def small_config(**changes: Any) -> TrainConfig:
    plain: dict[str, Any] = {
        "steps": 20,
        "max_splats": 60,
        "max_pixels": 1000,
        "holdout": 0,
        "sh_degree": 1,
    }
    return TrainConfig(**{**plain, "densify": DensifyConfig(times=3), **changes})


def small_view(number: int, size: tuple[int, int] = SIZE, channels: int = 3) -> TrainingView:
    """A gradient of colours from a camera at (number, 0, 3) that looks along -z."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    pixels = np.stack(
        [
            x * 255 / width,
            y * 255 / height,
            np.full((height, width), 60 * number),
            np.full((height, width), 128),
        ],
        -1,
    )
    pose = np.eye(4)
    pose[:3, 3] = [number, 0, 3]
    K = torch.tensor(
        [[width, 0, width / 2], [0, width, height / 2], [0, 0, 1]], dtype=torch.float32
    )
    viewmat = torch.tensor(to_viewmat(pose), dtype=torch.float32)
    return TrainingView(
        name=f"{number}.png",
        pixels=torch.from_numpy(pixels[..., :channels].astype(np.uint8)),
        viewmat=viewmat,
        K=K,
    )


def small_views(
    count: int = 4, held_out: tuple[int, ...] = (), transparent: bool = False
) -> ViewSet:
    channels = 4 if transparent else 3
    full = [small_view(i, SIZE, channels) for i in range(count)]
    half = [small_view(i, (SIZE[0] // 2, SIZE[1] // 2), channels) for i in range(count)]
    return ViewSet(
        full=full,
        half=half,
        training=[i for i in range(count) if i not in held_out],
        held_out=list(held_out),
        extent=2.0,
        transparent=transparent,
    )


def small_model(count: int = 30, coefficients: int = 4, seed: int = 0) -> Gaussians:
    g = torch.Generator().manual_seed(seed)
    parts = {
        "means": torch.rand(count, 3, generator=g) * 2 - 1,
        "quats": torch.randn(count, 4, generator=g),
        "log_scales": torch.rand(count, 3, generator=g) - 2.5,
        "opacity_logits": torch.randn(count, generator=g),
        "sh0": torch.randn(count, 1, 3, generator=g) * 0.3,
        "sh_rest": torch.zeros(count, coefficients - 1, 3),
    }
    return Gaussians(**{name: p.requires_grad_(True) for name, p in parts.items()})


def small_trainer(
    config: TrainConfig | None = None, views: ViewSet | None = None, seed: int = 0
) -> Trainer:
    config = config or small_config()
    return training.start(
        config,
        views or small_views(),
        small_model(coefficients=(config.sh_degree + 1) ** 2),
        seed,
        "cpu",
    )


def densifier(
    steps: int = 1000, first: int = 30, most: int = 40, seed: int = 0, **changes: Any
) -> Densifier:
    generator = torch.Generator().manual_seed(seed)
    return Densifier(DensifyConfig(**changes), steps, first, most, generator, NO_SURROUNDINGS)


def with_opacities(model: Gaussians, opacities: torch.Tensor) -> Gaussians:
    with torch.no_grad():
        model.opacity_logits[:] = torch.logit(opacities)
    return model
