"""ScanNet, 19, 15 and 10 of its 20 classes (OpenGaussian's choice): classes of pixels, and of the
scan's vertices by the splat nearest to each. labelled.py says what to give.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from tests.benchmarks import labelled, labelled_sets
from tests.benchmarks.labelled import Asked
from tests.benchmarks.labelled_scores import classes_in_images, classes_of_points
from tests.benchmarks.labelled_sets import LabelledPoints, LabelledScene, LabelledView, Labels
from tests.benchmarks.table import Table

NOT_IN_19 = ("other furniture",)
NOT_IN_15 = (*NOT_IN_19, "picture", "refrigerator", "shower curtain", "bathtub")
NOT_IN_10 = (*NOT_IN_15, "cabinet", "counter", "desk", "curtain", "sink")


def run(table: Table) -> None:
    labelled.run(table, labelled_sets.scannet, score)


def score(asked: Asked) -> list[tuple[str, float]]:
    rows = []
    for left_out in (NOT_IN_19, NOT_IN_15, NOT_IN_10):
        part = without(asked, left_out)
        words, points = part.scene.words, part.scene.points
        if points is None:
            raise RuntimeError(f"{asked.scene.name} has no scan")
        drawn = classes_in_images(part.gaussians, part.views, words, part.heat)
        chosen = classes_of_points(part.gaussians.means.numpy(), points, words, part.heat)
        for metric, values in (("rendered", drawn), ("in 3D", chosen)):
            rows += [
                (f"{len(words)} classes, {metric}: mIoU", values[0]),
                (f"{len(words)} classes, {metric}: mAcc", values[1]),
            ]
    return rows


def without(asked: Asked, left_out: tuple[str, ...]) -> Asked:
    """The same, as if nobody knew these words; what they label does not count."""
    scene = asked.scene
    kept = [i for i, word in enumerate(scene.words) if word not in left_out]
    views = [
        (view, LabelledView(label.name, partial(_masks_without, label, left_out)))
        for view, label in asked.views
    ]
    return Asked(_without(scene, kept), asked.gaussians, views, asked.heat[:, kept])


def _masks_without(label: LabelledView, left_out: tuple[str, ...]) -> Labels:
    labels = label.read()
    return replace(labels, masks={w: m for w, m in labels.masks.items() if w not in left_out})


def _without(scene: LabelledScene, kept: list[int]) -> LabelledScene:
    number = np.full(len(scene.words) + 1, -1)
    number[kept] = np.arange(len(kept))
    points = scene.points and LabelledPoints(scene.points.means, number[scene.points.classes])
    return replace(scene, words=tuple(scene.words[i] for i in kept), points=points)
