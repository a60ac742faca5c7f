"""The two protocols by which papers score words in splats: masks that are rendered and compared
with pictures' labels, and splats that are chosen in 3D.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import KDTree

from backend.gaussians.options import Drawables, RasterView
from backend.gaussians.rasterize import rasterize
from tests.benchmarks.labelled_sets import LabelledPoints, LabelledView

SOLID = 0.5  # of a pixel that chosen splats must cover
QUARTER = 0.25  # intersection over union from which a word counts as found (OpenGaussian)


@dataclass(frozen=True)
class Masks:
    """Overlap (one a picture and word) of masks, and how often the best pixel lies on the thing."""

    overlaps: tuple[float, ...]
    located: tuple[bool, ...] = ()

    @property
    def mean(self) -> float:
        return float(np.mean(self.overlaps))

    @property
    def found(self) -> float:
        return float(np.mean(np.array(self.overlaps) > QUARTER))


def _drawn(gaussians: Drawables, view: RasterView, colors: np.ndarray) -> np.ndarray:
    """(H, W, D) of values (N, D) before zero."""
    g, values = gaussians, torch.from_numpy(np.ascontiguousarray(colors, np.float32))
    arrays = (g.means, g.quats, g.scales, g.opacities, values)
    size = (view.width, view.height)
    image: np.ndarray = rasterize(*arrays, view.viewmat[None], view.K[None], *size).image[0].numpy()
    return image


def _overlap(mine: np.ndarray, truth: np.ndarray) -> float:
    return float((mine & truth).sum() / max((mine | truth).sum(), 1))


def rendered(
    gaussians: Drawables,
    views: list[tuple[RasterView, LabelledView]],
    words: tuple[str, ...],
    heat: np.ndarray,
    threshold: float,
) -> Masks:
    """Heat (N, W) is drawn; what reaches the threshold is the mask, and the hottest pixel must lie
    in a box of the word, where there are boxes.
    """
    overlaps, located = [], []
    for view, label in views:
        image, seen = _drawn(gaussians, view, heat), label.read()
        for word, truth in seen.masks.items():
            mine = image[..., words.index(word)]
            overlaps.append(_overlap(mine >= threshold, truth))
            if word in seen.boxes:
                row, column = np.unravel_index(mine.argmax(), mine.shape)
                left, top, right, bottom = seen.boxes[word].T
                inside = (left <= column) & (column <= right) & (top <= row) & (row <= bottom)
                located.append(bool(inside.any()))
    return Masks(tuple(overlaps), tuple(located))


def chosen_in_3d(
    gaussians: Drawables,
    views: list[tuple[RasterView, LabelledView]],
    words: tuple[str, ...],
    chosen: np.ndarray,
) -> Masks:
    """Splats (N, W) bool that a word has chosen are drawn alone: what they cover is the mask."""
    overlaps = []
    for view, label in views:
        for word, truth in label.read().masks.items():
            mine = chosen[:, words.index(word)]
            if not mine.any():
                overlaps.append(0.0)
                continue
            few = torch.from_numpy(np.flatnonzero(mine))
            g = gaussians
            part = Drawables(
                means=g.means[few],
                quats=g.quats[few],
                scales=g.scales[few],
                opacities=g.opacities[few],
                colors=g.colors[few],
            )
            cover = _drawn(part, view, np.ones((len(few), 1)))[..., 0]
            overlaps.append(_overlap(cover > SOLID, truth))
    return Masks(tuple(overlaps))


def by_class(truth: np.ndarray, found: np.ndarray, classes: int) -> tuple[float, float]:
    """Mean intersection over union and mean accuracy, 0..1, over the classes that are there; -1 in
    `truth` does not count, in `found` it is wrong.
    """
    known = truth >= 0
    table = np.zeros((classes, classes + 1))
    np.add.at(table, (truth[known], np.where(found[known] < 0, classes, found[known])), 1)
    right, true = np.diag(table[:, :classes]), table.sum(1)
    union, there = true + table[:, :classes].sum(0) - right, true > 0
    return float((right[there] / union[there]).mean()), float((right[there] / true[there]).mean())


def classes_in_images(
    gaussians: Drawables,
    views: list[tuple[RasterView, LabelledView]],
    words: tuple[str, ...],
    heat: np.ndarray,
) -> tuple[float, float]:
    """Every pixel is the word that is hottest there: by_class over all views together."""
    true, found = [], []
    for view, label in views:
        image = _drawn(gaussians, view, heat)
        truth = np.full(image.shape[:2], -1)
        for word, mask in label.read().masks.items():
            truth[mask] = words.index(word)
        true.append(truth.ravel())
        found.append(np.where(image.max(-1) > 0, image.argmax(-1), -1).ravel())
    return by_class(np.concatenate(true), np.concatenate(found), len(words))


def classes_of_points(
    means: np.ndarray, points: LabelledPoints, words: tuple[str, ...], heat: np.ndarray
) -> tuple[float, float]:
    """Every vertex of a scan is the word that is hottest in the splat nearest to it."""
    nearest = KDTree(means).query(points.means)[1]
    found = np.where(heat.max(1) > 0, heat.argmax(1), -1)[nearest]
    return by_class(points.classes, found, len(words))
