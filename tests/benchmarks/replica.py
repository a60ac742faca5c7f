"""Replica as Semantic-NeRF renders it: classes of pixels in pictures that were not trained on, and
classes of splats, whose truth is what the label pictures say of them. labelled.py says what to
give.
"""

import numpy as np

from tests.benchmarks import labelled, labelled_sets
from tests.benchmarks.labelled import Asked
from tests.benchmarks.labelled_scores import by_class, classes_in_images
from tests.benchmarks.semantic_truth import surface_owners
from tests.benchmarks.table import Table


def run(table: Table) -> None:
    labelled.run(table, labelled_sets.replica, score)


def score(asked: Asked) -> list[tuple[str, float]]:
    words = asked.scene.words
    drawn = classes_in_images(asked.gaussians, asked.views, words, asked.heat)
    found = np.where(asked.heat.max(1) > 0, asked.heat.argmax(1), -1)
    chosen = by_class(truth_of_splats(asked), found, len(words))
    return [
        ("rendered: mIoU", drawn[0]),
        ("rendered: mAcc", drawn[1]),
        ("in 3D: mIoU", chosen[0]),
        ("in 3D: mAcc", chosen[1]),
    ]


def truth_of_splats(asked: Asked) -> np.ndarray:
    """(N,) the word of each splat; -1 where the pictures do not tell."""
    classes = []
    for view, label in asked.views:
        found = np.full((view.height, view.width), -1)
        for word, mask in label.read().masks.items():
            found[mask] = asked.scene.words.index(word)
        classes.append(found)
    return surface_owners(asked.gaussians, [view for view, _ in asked.views], classes)
