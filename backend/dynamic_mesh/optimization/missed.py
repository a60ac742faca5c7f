"""What a drawn picture misses draws what is nearest to it, however far away: a leg that a picture
shows where nothing was drawn has no edge nearby that coverage alone could move.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..footage.timed_views import PyramidLevel, TimedView

PLAIN = "donot_use_mm_for_euclid_dist"
LEAST = 0.1  # of coverage or colour, by which a pixel must be missed


@dataclass(frozen=True, kw_only=True)
class MissedConfig:
    """`pixels` are drawn by lot from those that are missed; `by_color`: units of the box that a
    whole difference of colour counts as; beyond `reach`, in units of the box, nothing draws more.
    """

    pixels: int = 400
    by_color: float = 0.15
    reach: float = 0.3


def missed_loss(
    places: Tensor,
    colors: Tensor,
    drawn: tuple[Tensor, Tensor],
    view: TimedView,
    level: PyramidLevel,
    generator: torch.Generator,
    config: MissedConfig = MissedConfig(),
) -> Tensor:
    """How far the nearest of places (P, 3), colours (P, 3) are from pixels of the object that
    `drawn`, (H, W, 3) over nothing and coverage (H, W), does not show; in units of the box across
    the view, times the share of the object that is missed. (As closest points are drawn to each
    other in Besl and McKay 1992, in the picture, and by colour too.)
    """
    with torch.no_grad():
        color, alpha = drawn
        wrong = (level.color - color).abs().mean(-1) * level.alpha
        missed = (level.alpha - alpha).clamp_min(0) + wrong
        if level.known is not None:
            missed = missed * level.known
        missed = (missed * (missed > LEAST)).flatten()
        share = missed.sum() / level.alpha.sum().clamp_min(1)
        if not len(places) or not missed.any():
            return places.sum() * 0
        lot = torch.multinomial(missed.cpu(), config.pixels, replacement=True, generator=generator)
        lot, width = lot.to(places.device), level.size[0]
        pixel = torch.stack([lot % width, lot // width], 1) + 0.5
        middle = view.viewmat[2, 3]
        wanted = (pixel - level.K[:2, 2]) / level.K.diagonal()[:2] * middle
        shown = level.color.reshape(-1, 3)[lot]
    seen = places @ view.viewmat[:3, :3].T + view.viewmat[:3, 3]
    across = seen[:, :2] / seen[:, 2:].clamp_min(1e-3) * middle
    with torch.no_grad():
        there = torch.cat([across, config.by_color * colors], 1)
        asked = torch.cat([wanted, config.by_color * shown], 1)
        # not by a product of matrices, whose last bit depends on where arrays lie in memory
        nearest = torch.cdist(asked, there, compute_mode=PLAIN).argmin(1)
    off = (across[nearest] - wanted).square().sum(1).add(1e-6).sqrt()
    return share * off.clamp_max(config.reach).mean()
