"""Regions by SAM or MobileSAM, where the user has one: points on a grid, the largest object that
each is sure of; and what is at a place that someone clicked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Flags, Floats, Ints32, Pixels
from ...networks.sam import FOREGROUND, Candidates, SamNetwork, SeenPicture, load_sam

Level = Literal["part", "thing", "group"]
DOUBT = 0.2  # of predicted overlap, by which a part or a group may be less sure than the thing


@dataclass(frozen=True, kw_only=True)
class SamConfig:
    """How its masks become regions."""

    points: int = 16  # along the longer side
    sure: float = 0.86  # predicted overlap with a true object
    stable: float = 0.9  # overlap of the mask with itself at a higher and a lower threshold
    offset: float = 1.0  # of those thresholds
    same: float = 0.7  # overlap from which two masks are of one object


@dataclass(frozen=True)
class Sam:
    """A loaded model."""

    network: SamNetwork
    config: SamConfig

    def regions(self, image: Pixels) -> tuple[Ints32, int]:
        """Regions (H, W) of a picture (H, W, 3), -1: none, and their number; smaller things lie on
        larger ones.
        """
        height, width = image.shape[:2]
        step = max(height, width) / self.config.points
        x, y = np.meshgrid(np.arange(step / 2, width, step), np.arange(step / 2, height, step))
        places = np.stack([x.ravel(), y.ravel()], 1)[:, None].astype(np.float32)
        seen = self.network.look(image)
        labels = np.full(places.shape[:2], FOREGROUND, np.float32)
        candidates = self.network.ask(seen, places, labels)
        chosen = largest_sure(candidates, self.config)
        flat = np.array([candidates.logits[p, m].ravel() > 0 for p, m in chosen])
        scores = np.array([candidates.scores[p, m] for p, m in chosen])
        kept = [chosen[i] for i in distinct(flat, scores, self.config.same)]
        return painted([candidates.at_size(*at, width, height) for at in kept], (height, width))


def largest_sure(candidates: Candidates, config: SamConfig) -> list[tuple[int, int]]:
    """Of each prompt (its number first) the largest mask that is sure and stable, if it has one."""
    logits = candidates.logits
    inner, outer = ((logits > sign * config.offset).sum((2, 3), dtype=np.int64) for sign in (1, -1))
    good = (candidates.scores >= config.sure) & (inner >= config.stable * outer) & (inner > 0)
    areas = np.where(good, (logits > 0).sum((2, 3), dtype=np.int64), -1)
    best = areas.argmax(1)
    return [(int(p), int(best[p])) for p in np.flatnonzero(good.any(1))]


def distinct(masks: Flags, scores: Floats, same: float) -> list[int]:
    """The surest of those that overlap, of masks (K, P): greedy suppression by overlap over
    union.
    """
    if not len(masks):
        return []
    pixels = masks.astype(np.float32)
    shared, areas = pixels @ pixels.T, pixels.sum(1)
    overlap = shared / np.maximum(areas[:, None] + areas[None] - shared, 1)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if (overlap[i, kept] < same).all():
            kept.append(i)
    return kept


def painted(masks: Sequence[NDArray[np.bool_]], size: tuple[int, int]) -> tuple[Ints32, int]:
    """Regions (H, W) of masks, the largest first, and their number."""
    regions = np.full(size, -1, np.int32)
    for number, mask in enumerate(sorted(masks, key=lambda m: -int(m.sum()))):
        regions[mask] = number
    return regions, len(masks)


def at_click(
    network: SamNetwork, seen: SeenPicture, points: Floats, labels: Floats, level: Level
) -> Flags:
    """(H, W) what is meant by points (N, 2), in pixels, that it has (FOREGROUND) or has not.

    A single point may mean several things: the surest is the thing, the smallest that is nearly as
    sure its part, the largest its group.
    """
    candidates = network.ask(seen, points[None], labels[None])
    areas = (candidates.logits[0] > 0).sum((1, 2))
    scores = np.where(areas > 0, candidates.scores[0], -np.inf)
    chosen = int(scores.argmax())
    if level != "thing":
        likely = np.flatnonzero(scores >= scores[chosen] - DOUBT)
        order = likely[np.argsort(areas[likely], kind="stable")]
        chosen = int(order[0] if level == "part" else order[-1])
    return candidates.at_size(0, chosen, seen.width, seen.height)


def load(folder: Path, device: str = "cpu", config: SamConfig = SamConfig()) -> Sam:
    """InputError for anything that is not a SAM."""
    return Sam(load_sam(folder, device), config)
