"""LERF-OVS (LangSplat's labels): mean IoU and localisation of rendered heat, and splats chosen in
3D, drawn alone (OpenGaussian's protocol). labelled.py says what to give.
"""

from tests.benchmarks import labelled, labelled_sets
from tests.benchmarks.labelled import THRESHOLD, Asked
from tests.benchmarks.labelled_scores import chosen_in_3d, rendered
from tests.benchmarks.table import Table


def run(table: Table) -> None:
    labelled.run(table, labelled_sets.lerf_ovs, score)


def score(asked: Asked) -> list[tuple[str, float]]:
    words = asked.scene.words
    drawn = rendered(asked.gaussians, asked.views, words, asked.heat, THRESHOLD)
    chosen = chosen_in_3d(asked.gaussians, asked.views, words, asked.chosen)
    located = sum(drawn.located) / max(len(drawn.located), 1)
    return [
        ("rendered masks: mIoU", drawn.mean),
        ("rendered masks: localisation", located),
        ("chosen in 3D: mIoU", chosen.mean),
        ("chosen in 3D: mAcc@0.25", chosen.found),
    ]
