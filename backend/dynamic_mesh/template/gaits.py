"""Shape and motion of what may walk: found as if nothing repeated, then, where its motion does,
anew as a gait.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..deformation.gait import likely_cycles
from ..deformation.motion import HARMONICS, SLOW, NodeMotion, skinned
from ..footage.timed_views import TimedView, static_prior
from ..optimization.image_loss import image_loss
from .canonical_gaussians import (
    CanonicalConfig,
    CanonicalGaussians,
    CanonicalStage,
    draw,
    step_loss,
    train,
)

Progress = Callable[[int, int], None]
COUNT = SLOW + 2 * HARMONICS  # of a gait's waves


@dataclass(frozen=True, kw_only=True)
class GaitSearch:
    """For each number of cycles `steps` of Adam; judged by about so many `views`. The best must
    stay below `worth` of the median misfit, or none is any better than others; below `clear` of the
    misfit without a gait no others are tried. In the end a gait must stay below `better` of that,
    which is held back more. A cycle must have so many `pictures`.
    """

    steps: int = 150
    rate: float = 1.5e-2
    views: int = 30
    worth: float = 0.95
    clear: float = 0.9
    better: float = 0.95
    pictures: int = 8


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


def search_cycles(
    plain: CanonicalGaussians,
    views: list[TimedView],
    config: CanonicalConfig,
    seed: int,
    progress: Progress,
    search: GaitSearch = GaitSearch(),
) -> float:
    """How often the motion of `plain` repeats over the clip; 0 where it repeats in no way.
    Its shape stays, and a motion that repeats is fitted anew for each likely number of cycles: only
    with the right one do the pictures of all cycles agree.
    """
    some = views[:: max(1, len(views) // search.views)]
    without = misfit(plain, some, config)
    most = len({view.time for view in views}) / search.pictures
    likely = [cycles for cycles in likely_cycles(plain.motion) if cycles <= most]
    learned, reached = [0.0], [math.inf]
    for number, cycles in enumerate(likely):
        model = _moved(plain, views, for_gait(config), cycles, seed, search)
        learned.append(float(model.motion.cycles.detach()))
        reached.append(misfit(model, some, config))
        progress(number + 1, len(likely))
        if reached[-1] < search.clear * without:
            return learned[-1]
    best = int(np.argmin(reached))
    return learned[best] if reached[best] < search.worth * np.median(reached) else 0.0


def _moved(
    plain: CanonicalGaussians,
    views: list[TimedView],
    config: CanonicalConfig,
    cycles: float,
    seed: int,
    search: GaitSearch,
) -> CanonicalGaussians:
    """The same Gaussians with a motion of about so many cycles."""
    device, generator = plain.means.device, torch.Generator().manual_seed(seed)
    motion = NodeMotion.still(len(plain.graph.rest), COUNT, str(device), cycles)
    looks = (plain.means, plain.log_scales, plain.opacity_logits, plain.colors)
    means, log_scales, logits, colors = (t.detach() for t in looks)
    model = CanonicalGaussians(
        means=means,
        log_scales=log_scales,
        opacity_logits=logits,
        colors=colors,
        graph=plain.graph,
        motion=motion,
    )
    waves = [motion.rotations, motion.translations]
    waves += [motion.global_rotation, motion.global_translation]
    groups: list[dict[str, Any]] = [
        {"params": waves},
        {"params": [motion.cycles], "lr": config.cycle_rate},
    ]
    optimizer = torch.optim.Adam(groups, lr=search.rate, betas=(0.9, 0.99))
    still = static_prior(views)
    for step in range(search.steps):
        optimizer.param_groups[0]["lr"] = search.rate * 0.1 ** (step / search.steps)
        view = views[int(torch.randint(len(views), (1,), generator=generator))]
        loss = step_loss(model, view, CanonicalStage(1, 1.0, True), still, config, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return model


def train_gait(
    plain: CanonicalGaussians,
    views: list[TimedView],
    config: CanonicalConfig,
    seed: int,
    progress: Progress,
    keeper: StageKeeper = KEEP_NOTHING,
) -> CanonicalGaussians:
    """`plain`, found as if nothing repeated; or, where its motion does, anew as a gait, if that
    shows the pictures better.
    """
    cycles = keeper.stage(
        "cycles", float, lambda: search_cycles(plain, views, config, seed, progress)
    )
    if not cycles:
        return plain
    gait = keeper.stage(
        "gait",
        CanonicalGaussians,
        lambda: train(views, for_gait(config), COUNT, seed, progress, keeper, cycles),
    ).to(plain.means.device)
    better = misfit(gait, views, config) < GaitSearch().better * misfit(plain, views, config)
    return gait if better else plain
