"""How right labels of Gaussians are: in 3D, on the pictures, between views, and object by
object.
"""

from dataclasses import dataclass

import numpy as np
import torch
from helpers.furnished_room import CLASSES, Room

from backend.cutting.hierarchy import MergeTree
from backend.gaussians.options import RasterView
from backend.gaussians.rasterize import rasterize

LEAST_ALPHA = 0.3
LEAST_GAUSSIANS = 20  # of an object, to be judged in 3D


@dataclass(frozen=True)
class Truth:
    """What labels are compared with: visible Gaussians, and views that no method has seen."""

    room: Room
    visible: np.ndarray  # (N,) bool, on a surface and seen
    unseen: list[int]

    @property
    def classes(self) -> np.ndarray:
        """(N,) of the Gaussians; -1 for floaters."""
        return np.where(self.room.objects >= 0, self.room.classes[self.room.objects], -1)

    def classes_in(self, i: int) -> np.ndarray:
        """(H, W) of a picture."""
        owners = self.room.owners[i]
        return np.where(owners >= 0, self.room.classes[owners], -1)


def confusion(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """(C, C + 1) counts where truth is known; the last column: nothing was said."""
    known = truth >= 0
    flat = truth[known] * (len(CLASSES) + 1) + np.where(
        found[known] < 0, len(CLASSES), found[known]
    )
    return (
        np.bincount(flat, minlength=len(CLASSES) * (len(CLASSES) + 1))
        .reshape(len(CLASSES), -1)
        .astype(float)
    )


def scores(table: np.ndarray) -> tuple[float, float]:
    """Mean intersection over union and mean accuracy, percent, over the classes that are there."""
    right, true = np.diag(table[:, : len(CLASSES)]), table.sum(1)
    there = true > 0
    union = true + table[:, : len(CLASSES)].sum(0) - right
    return 100 * float((right / np.maximum(union, 1))[there].mean()), 100 * float(
        (right / np.maximum(true, 1))[there].mean()
    )


def draw(room: Room, view: RasterView, labels: np.ndarray) -> np.ndarray:
    """(H, W) the class that most of a pixel is; -1 where little covers it."""
    colors = torch.zeros(len(labels), len(CLASSES))
    known = torch.from_numpy(np.flatnonzero(labels >= 0))
    colors[known, torch.from_numpy(labels[labels >= 0]).long()] = 1
    g = room.gaussians
    image = rasterize(
        g.means,
        g.quats,
        g.scales,
        g.opacities,
        colors,
        view.viewmat[None],
        view.K[None],
        view.width,
        view.height,
    ).image[0]
    return np.where(image.sum(-1) > LEAST_ALPHA, image.argmax(-1), -1).astype(int)


def in_images(truth: Truth, labels: np.ndarray) -> tuple[float, float]:
    """scores() over all pixels of the unseen views together."""
    table = np.zeros((len(CLASSES), len(CLASSES) + 1))
    for i in truth.unseen:
        table += confusion(
            truth.classes_in(i).ravel(), draw(truth.room, truth.room.views[i], labels).ravel()
        )
    return scores(table)


def consistency(truth: Truth, images: dict[int, np.ndarray]) -> float:
    """Percent of the surface points seen from two of the views (H, W labels by view) that both call
    the same.
    """
    views, means = truth.room.views, truth.room.gaussians.means
    seen: dict[int, np.ndarray] = {}
    for i in images:
        at = means @ views[i].viewmat[:3, :3].T + views[i].viewmat[:3, 3]
        uv = (at @ views[i].K.T)[:, :2] / at[:, 2:].clamp_min(1e-6)
        column, row = uv[:, 0].floor().long().numpy(), uv[:, 1].floor().long().numpy()
        inside = (
            (at[:, 2].numpy() > 0.2)
            & (column >= 0)
            & (column < views[i].width)
            & (row >= 0)
            & (row < views[i].height)
        )
        label = np.full(len(means), -2)
        shown = (
            truth.room.owners[i][row[inside], column[inside]] == truth.room.objects[inside]
        )  # nothing stands before it
        label[inside] = np.where(shown, images[i][row[inside], column[inside]], -2)
        seen[i] = label
    same = both = 0
    for i in seen:
        for j in seen:
            if i < j:
                two = (seen[i] > -2) & (seen[j] > -2)
                same, both = same + int((seen[i] == seen[j])[two].sum()), both + int(two.sum())
    return 100 * same / max(both, 1)


def _judged(truth: Truth) -> list[np.ndarray]:
    """(N,) bool of every object that enough of its visible Gaussians make one to be found."""
    mine = [truth.visible & (truth.room.objects == o) for o in range(len(truth.room.classes))]
    return [m for m in mine if m.sum() >= LEAST_GAUSSIANS]


def judged(truth: Truth) -> int:
    """How many objects there are to be found."""
    return len(_judged(truth))


def instances(truth: Truth, owner: np.ndarray) -> tuple[float, float]:
    """Recall at an intersection over union of 0.5, and the mean of the best, percent, over objects
    of 20 Gaussians or more.
    """
    best = []
    for mine in _judged(truth):
        there = np.unique(owner[mine & (owner >= 0)])
        best.append(
            max(
                (
                    (mine & (owner == k)).sum() / (mine | (truth.visible & (owner == k))).sum()
                    for k in there
                ),
                default=0.0,
            )
        )
    return 100 * float(np.mean(np.array(best) > 0.5)), 100 * float(np.mean(best))


def wholes(truth: Truth, owner: np.ndarray, tree: MergeTree) -> tuple[float, float]:
    """instances() where objects may be any of the tree's, parts and wholes alike."""
    best, count = [], tree.leaves
    told = truth.visible & (owner >= 0)
    sizes = summed(np.bincount(owner[told], minlength=count), tree)
    for mine in _judged(truth):
        shared = summed(np.bincount(owner[told & mine], minlength=count), tree)
        best.append(float((shared / (mine.sum() + sizes - shared)).max(initial=0.0)))
    return 100 * float(np.mean(np.array(best) > 0.5)), 100 * float(np.mean(best))


def summed(leaves: np.ndarray, tree: MergeTree) -> np.ndarray:
    """Of every node: what its leaves (K, ...) have together."""
    values = np.concatenate([leaves, np.zeros((len(tree.pairs), *leaves.shape[1:]), leaves.dtype)])
    for number, (a, b) in enumerate(tree.pairs):
        values[tree.leaves + number] = values[a] + values[b]
    return values


def covered(owners: np.ndarray, regions: np.ndarray) -> list[float]:
    """Of every object of 40 pixels or more in a picture (H, W): its intersection over union with
    the region that most of it is.
    """
    found = []
    for o in np.unique(owners[owners >= 0]):
        mine = owners == o
        if mine.sum() >= 40:
            inside = regions[mine & (regions >= 0)]
            best = np.bincount(inside).argmax() if len(inside) else -2
            found.append(float((mine & (regions == best)).sum() / (mine | (regions == best)).sum()))
    return found
