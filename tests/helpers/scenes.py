"""Random Gaussians and cameras for the rasterisers' tests."""

from dataclasses import dataclass

import torch
from torch import Tensor

NAMES = ("means", "quats", "scales", "opacities", "colors", "viewmat")


@dataclass
class Scene:
    """Arrays in float64 that float32 holds exactly, so that both precisions start from the same
    numbers.
    """

    arrays: dict[str, Tensor]
    K: Tensor
    width: int
    height: int
    sh_degree: int | None
    background: Tensor

    def leaves(self, dtype: torch.dtype) -> dict[str, Tensor]:
        return {name: a.to(dtype).clone().requires_grad_(True) for name, a in self.arrays.items()}


def make_scene(width: int, height: int, count: int, sh_degree: int | None, seed: int = 0) -> Scene:
    g = torch.Generator().manual_seed(seed)

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=g)

    def randn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=g)

    means = (rand(count, 3) * 2 - 1) * torch.tensor([1.6, 1.6, 1.5]) + torch.tensor([0.0, 0.0, 3.0])
    turn = torch.tensor(0.3)
    viewmat = torch.eye(4)
    viewmat[0, 0] = viewmat[2, 2] = turn.cos()
    viewmat[0, 2], viewmat[2, 0] = turn.sin(), -turn.sin()
    viewmat[:3, 3] = torch.tensor([-0.6, 0.05, 0.3])
    colors = randn(count, 16, 3) * 0.3 if sh_degree is not None else rand(count, 3)
    parts = (
        means,
        randn(count, 4),
        (randn(count, 3) * 0.6 - 2.6).exp(),
        rand(count).clamp(0.02, 0.995),
        colors,
        viewmat,
    )
    K = torch.tensor([[60.0, 0, width / 2 - 1.3], [0, 62.0, height / 2 + 0.7], [0, 0, 1]])
    arrays = {name: part.double() for name, part in zip(NAMES, parts, strict=True)}
    return Scene(
        arrays, K.double(), width, height, sh_degree, torch.tensor([0.2, 0.5, 0.9]).double()
    )
