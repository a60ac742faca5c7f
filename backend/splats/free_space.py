"""Free space: what stands between a camera and a surface whose distance is known fades.

A loss on rendered depth moves mass through that space until the mean is right (fog before, more
behind). So nothing is moved: such Gaussians lose opacity whenever the model is refined. One that
pictures need, thin things that no depth map shows among them, wins it back; fog does not.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..gaussians.model import Gaussians
from .known_depth import KnownDepth


@dataclass(frozen=True, kw_only=True)
class FreeSpaceConfig:
    """When a Gaussian is in the way."""

    margin: float = 0.08  # relative, before or behind a known depth
    views: int = 3  # at least so many must see it in the way
    share: float = 0.6  # of those that know the depth at its pixel
    fade: float = 0.7  # of the opacity's logit, each time


def in_free_space(known: list[KnownDepth], means: Tensor, config: FreeSpaceConfig) -> Tensor:
    """(N,) bool: whether the points (N, 3) stand before known surfaces."""
    before, seen = torch.zeros(len(means)), torch.zeros(len(means))
    for one in known:
        own, there = one.at(means)
        is_known = there > 0
        before += is_known & (own < there * (1 - config.margin))
        seen += is_known
    return (before >= config.views) & (before > config.share * seen)


@torch.no_grad()
def fade_in_free_space(model: Gaussians, known: list[KnownDepth], config: FreeSpaceConfig) -> None:
    """Lowers the opacity of what stands in the way."""
    if known:
        in_the_way = in_free_space(known, model.means.detach().cpu(), config)
        model.opacity_logits[in_the_way.to(model.means.device)] -= config.fade
