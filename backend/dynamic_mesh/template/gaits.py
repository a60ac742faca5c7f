"""Shape and motion of what may walk: found as if nothing repeated, then, where its motion does,
anew as a gait.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..deformation.gait import find_cycles
from ..deformation.motion import HARMONICS, SLOW, skinned
from ..footage.timed_views import TimedView
from ..optimization.image_loss import image_loss
from .canonical_gaussians import CanonicalConfig, CanonicalGaussians, draw, train

Progress = Callable[[int, int], None]
WORTH = 0.95  # of the misfit without a gait, which is held back more


def for_gait(config: CanonicalConfig) -> CanonicalConfig:
    """For what walks: several cycles show each pose from several sides, so less has to be believed
    of it.
    """
    return replace(config, rigid=100.0, slow=0.02, missed=100.0)


@torch.no_grad()
def misfit(model: CanonicalGaussians, views: list[TimedView], config: CanonicalConfig) -> float:
    """How far the Gaussians, as drawn, are from the pictures."""
    losses = []
    for view in views:
        placed = skinned(model.means, model.graph, model.motion.at(view.time))
        drawn = draw(model, placed, view, view.levels[0])
        losses.append(float(image_loss(*drawn, view.levels[0], config.mask, config.color)))
    return float(np.mean(losses))


def train_gait(
    found: CanonicalGaussians,
    views: list[TimedView],
    config: CanonicalConfig,
    seed: int,
    progress: Progress,
    keeper: StageKeeper = KEEP_NOTHING,
) -> CanonicalGaussians:
    """What was `found` as if nothing repeated; or, where its motion does, anew as a gait, if that
    shows the pictures better.
    """
    cycles = find_cycles(found.motion)
    if not cycles:
        return found
    count, device = SLOW + 2 * HARMONICS, found.means.device
    gait = keeper.stage(
        "gait",
        CanonicalGaussians,
        lambda: train(views, for_gait(config), count, seed, progress, keeper, cycles),
    ).to(device)
    better = misfit(gait, views, config) < WORTH * misfit(found, views, config)
    return gait if better else found
