"""Surroundings: a shell of far Gaussians for what shows no parallax, so that near ones need not
explain a sky, and stand about as fog once one leaves the cameras' path.

A shell behind everything would also excuse surfaces that can be seen through. So it is left out
wherever a known depth says that something near is in the way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..gaussians.model import Gaussians
from ..geometry.spherical_harmonics import SH_C0
from .known_depth import KnownDepth
from .views import TrainingView, ViewSet

DIRECTIONS = 60_000  # over the whole sphere, of which those that are wanted are kept


@dataclass(frozen=True, kw_only=True)
class SurroundingsConfig:
    """Lengths are in extents, the radius of the cameras' positions."""

    share: float = 0.05  # of the Gaussians that there may be
    least: float = 0.06  # of the directions seen must be free; fewer are gaps in the depth
    distance: float = 50.0
    boundary: float = 8.0  # what lies beyond is surroundings, or, where that is further,
    scene: float = 3.0  # so many times the median of known depth: few steps before a desk are short
    most: float = 40.0  # from which on nothing shows parallax, however far all that is known
    views: int = 2  # that must look there freely
    free: float = 0.85  # of the views that look there
    opacity: float = 0.9
    width: float = 0.6  # of the distance between neighbours


@dataclass(frozen=True)
class Surroundings:
    """Where they begin."""

    center: Tensor  # (3,) the cameras' mean position
    extent: float
    boundary: float  # in extents

    @property
    def has_shell(self) -> bool:
        """Whether anything is far."""
        return math.isfinite(self.boundary)

    def distances(self, means: Tensor) -> Tensor:
        """(N,) in extents."""
        away: Tensor = (means.detach() - self.center).norm(dim=1)
        return away / self.extent

    def is_far(self, means: Tensor) -> Tensor:
        """(N,) bool: beyond the boundary."""
        return self.distances(means) > self.boundary

    def units(self, means: Tensor) -> Tensor:
        """(N,) what lengths are measured in: far Gaussians by their distance, near ones by 1."""
        distances = self.distances(means)
        return torch.where(distances > self.boundary, distances, 1.0)


def make_surroundings(
    views: ViewSet,
    device: str,
    config: SurroundingsConfig | None = None,
    known: Sequence[KnownDepth] = (),
) -> Surroundings:
    """Around the cameras, beyond what is known to be the scene; without a config nothing is far."""
    places = torch.stack([-v.viewmat[:3, :3].T @ v.viewmat[:3, 3] for v in views.full])
    boundary = _boundary(known, views.extent, config) if config else math.inf
    return Surroundings(places.mean(0).to(device), views.extent, boundary)


def _boundary(known: Sequence[KnownDepth], extent: float, config: SurroundingsConfig) -> float:
    """In extents. A path says nothing of how far away its subject is: of a desk that was filmed
    for two seconds most lay beyond eight.
    """
    depths = [k.depth[k.depth > 0] for k in known]
    if not sum(len(d) for d in depths):
        return config.boundary
    middle = float(torch.cat(depths).median()) / extent
    return max(config.boundary, min(config.scene * middle, config.most))


def even_directions(count: int) -> Tensor:
    """(count, 3) spread evenly over the sphere, on a spiral of the golden angle."""
    k = np.arange(count) + 0.5
    polar, around = np.arccos(1 - 2 * k / count), np.pi * (1 + math.sqrt(5)) * k
    x, y = np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar)
    return torch.from_numpy(np.stack([x, y, np.cos(polar)], 1)).float()


def _look(view: TrainingView, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Which (N,) directions the view sees, and their colours (N, 3) there."""
    local = directions @ view.viewmat[:3, :3].T
    depth = local[:, 2].clamp_min(1e-9)
    x, y = (view.K[i, i] * local[:, i] / depth + view.K[i, 2] for i in (0, 1))
    seen = (local[:, 2] > 1e-6) & (x >= 0) & (x < view.size[0]) & (y >= 0) & (y < view.size[1])
    row, column = torch.where(seen, y, 0.0).long(), torch.where(seen, x, 0.0).long()
    if view.mask is not None:
        seen = seen & view.mask[row, column]
    return seen, view.pixels[row, column, :3].float() / 255


def free_directions(
    views: ViewSet, known: list[KnownDepth], around: Surroundings, config: SurroundingsConfig
) -> tuple[Tensor, Tensor]:
    """Directions (N, 3) in which nothing near is known, and their mean colours (N, 3); none where
    they are so few that they are gaps in the depth and no sky.
    """
    directions = even_directions(DIRECTIONS)
    seen, free = torch.zeros(DIRECTIONS), torch.zeros(DIRECTIONS)
    total = torch.zeros(DIRECTIONS, 3)
    depths = {id(k.view): k for k in known}
    limit = around.boundary * around.extent
    for view in (views.full[i] for i in views.training):
        looks, colors = _look(view, directions)
        seen += looks
        if id(view) in depths:  # what is far away lies in the same direction from everywhere
            place = -view.viewmat[:3, :3].T @ view.viewmat[:3, 3]
            met = depths[id(view)].at(place + directions)[1]
            looks = looks & ~((met > 0) & (met < limit))
        free += looks
        total += colors * looks[:, None]
    is_free = (free >= config.views) & (free >= config.free * seen)
    if int(is_free.sum()) < config.least * int((seen >= config.views).sum()):
        is_free[:] = False
    kept = is_free.nonzero()[:, 0]
    return directions[kept], total[kept] / free[kept, None]


def add_shell(
    model: Gaussians,
    views: ViewSet,
    known: list[KnownDepth],
    around: Surroundings,
    most: int,
    config: SurroundingsConfig,
) -> Gaussians:
    """The model with at most `most` Gaussians more, on a sphere around the cameras; the same model
    where nothing is free.
    """
    directions, colors = free_directions(views, known, around, config)
    if not len(directions):
        return model
    apart = math.sqrt(4 * math.pi / DIRECTIONS * max(1.0, len(directions) / most))
    chosen = torch.linspace(0, len(directions) - 1, min(most, len(directions))).long()
    count, radius = len(chosen), config.distance * around.extent
    device = model.means.device
    shell = {
        "means": around.center + radius * directions[chosen].to(device),
        "quats": torch.tensor([1.0, 0.0, 0.0, 0.0], device=device).repeat(count, 1),
        "log_scales": torch.full(
            (count, 3), math.log(config.width * apart * radius), device=device
        ),
        "opacity_logits": torch.full(
            (count,), math.log(config.opacity / (1 - config.opacity)), device=device
        ),
        "sh0": ((colors[chosen].to(device) - 0.5) / SH_C0)[:, None],
        "sh_rest": torch.zeros(count, model.sh_rest.shape[1], 3, device=device),
    }
    return Gaussians(
        **{
            name: torch.cat([values.detach(), shell[name]]).contiguous().requires_grad_(True)
            for name, values in model.named().items()
        }
    )
