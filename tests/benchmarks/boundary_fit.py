"""The weights of boundary_evidence, fitted to rooms with exact masks: 0, 1 and 2, trained, ideal,
and ideal ones of other furniture with patterns on everything. None of these counts as a result.
Where the weights in use differ from the fit, copy it.
"""

import os
from dataclasses import dataclass

import numpy as np
from helpers import furniture_room
from PIL import Image

from backend.formats import capture, splat_ply
from backend.gaussians.options import Drawables, RasterOptions, RasterView, options_for
from backend.semantics.regions.boundaries import PatchGraph
from backend.semantics.regions.boundary_evidence import FITTED, NAMES
from backend.semantics.regions.fused_surface import fuse
from backend.semantics.regions.surface_pieces import looked_at, piece_graph
from backend.semantics.views import choose_views
from tests.benchmarks import semantic_rooms
from tests.benchmarks.table import Row, Table

ROOMS = [int(s) for s in os.environ.get("FIT_ROOMS", "0,1,2").split(",")]
PURE = 0.7  # of a patch's voxels are of one thing, or it teaches nothing
BOUNDARY = 0.3  # share that boundaries count for in every room, of all contact
RIDGE = 1e-3


@dataclass(frozen=True)
class Lesson:
    """Pairs of patches of one room."""

    evidence: np.ndarray  # (E, 10)
    parted: np.ndarray  # (E,) bool: of two things
    weights: np.ndarray  # (E,) 1 in sum

    @property
    def order(self) -> float:
        """How often a boundary is more likely than what is none (area under the curve)."""
        scores = self.evidence @ np.array(FITTED[:-1])
        rank = np.argsort(scores, kind="stable")
        parted, weights = self.parted[rank], self.weights[rank]
        below = np.cumsum(weights * ~parted)
        found = (below * weights)[parted].sum() / (weights[parted].sum() * weights[~parted].sum())
        return float(found)


def run(table: Table) -> None:
    lessons = []
    for seed in ROOMS:
        for kind, lesson in (
            ("trained", of_files(seed, True)),
            ("ideal", of_files(seed, False)),
            ("patterned", of_patterns(seed)),
        ):
            lessons.append(lesson)
            case = f"room {seed}, {kind}"
            table.add(
                Row(case, "boundaries in order by the weights in use", 100 * lesson.order, "%")
            )
    weights = fit(lessons)
    for name, fitted, used in zip((*NAMES, "none"), weights, FITTED, strict=True):
        table.add(Row(name, "weight, fitted", float(fitted)))
        table.add(Row(name, "weight in use", float(used)))


def of_files(seed: int, trained: bool) -> Lesson:
    """A room as `segment` sees it at the preset balanced."""
    found = semantic_rooms.files(seed)
    ply = found.trained if trained else found.ideal
    gaussians, _ = semantic_rooms.drawables(ply)
    views = choose_views(capture.read(found.capture), 30, 480, "cpu")
    masks = [Image.open(found.regions / f"{v.frame.image.stem}.png") for v in views]
    shown = [(v.view, v.read_image()) for v in views]
    return taught(
        gaussians, shown, [np.asarray(m).astype(int) - 1 for m in masks],
        options_for(splat_ply.read(ply).notes),
    )  # fmt: skip


def of_patterns(seed: int) -> Lesson:
    """An ideal room that is not on disk."""
    room = furniture_room.make(
        seed, views=30, varied=True, camera=semantic_rooms.CAMERA, patterned=True
    )
    shown = list(zip(room.views, room.images, strict=True))
    return taught(room.gaussians, shown, room.owners, RasterOptions())


def taught(
    gaussians: Drawables,
    views: list[tuple[RasterView, np.ndarray]],
    masks: list[np.ndarray],
    options: RasterOptions,
) -> Lesson:
    """`masks` (H, W) of every view: the thing of a pixel, -1: unknown."""
    _, seen = looked_at(gaussians, views, options)
    surface = fuse(seen)
    assert surface is not None
    graph = piece_graph(surface, seen)
    votes = np.zeros((len(surface.points), max(int(m.max()) for m in masks) + 2))
    for mask, shown in zip(masks, surface.maps, strict=True):
        np.add.at(votes, (shown[shown >= 0], mask[shown >= 0]), 1)
    return lesson_of(graph, np.where(votes.argmax(1) < votes.shape[1] - 1, votes.argmax(1), -1))


def lesson_of(graph: PatchGraph, things: np.ndarray) -> Lesson:
    """Of a graph whose voxels show things (V,), -1: unknown."""
    table = np.zeros((len(graph.sizes), int(things.max()) + 2))
    np.add.at(table, (graph.patches, things), 1)
    known = table[:, :-1]
    thing, pure = known.argmax(1), known.max(1) > PURE * graph.sizes
    clear = pure[graph.pairs].all(1)
    pairs = thing[graph.pairs[clear]]
    return Lesson(graph.evidence[clear], pairs[:, 0] != pairs[:, 1], graph.contact[clear])


def fit(lessons: list[Lesson]) -> np.ndarray:
    """(11,) weights of the evidence and of none: logistic regression with a little ridge, by
    Newton's steps.
    """
    evidence = np.concatenate([lesson.evidence for lesson in lessons])
    parted = np.concatenate([lesson.parted for lesson in lessons])
    weights = np.concatenate([_balanced(lesson) for lesson in lessons]) / len(lessons)
    mean = np.average(evidence, 0, weights)
    spread = np.sqrt(np.average(np.square(evidence - mean), 0, weights)) + 1e-6
    unit = np.c_[(evidence - mean) / spread, np.ones(len(evidence))]
    ridge = np.append(np.full(len(mean), RIDGE), 0)
    found = np.zeros(unit.shape[1])
    for _ in range(60):
        likely = 1 / (1 + np.exp(-unit @ found))
        slope = unit.T @ (weights * (likely - parted)) + ridge * found
        bend = (unit * (weights * likely * (1 - likely))[:, None]).T @ unit
        found -= np.linalg.solve(bend + np.diag(ridge + 1e-9), slope)
    scaled = found[:-1] / spread
    return np.append(scaled, found[-1] - (mean * scaled).sum())


def _balanced(lesson: Lesson) -> np.ndarray:
    whole = np.where(
        lesson.parted, lesson.weights[lesson.parted].sum(), lesson.weights[~lesson.parted].sum()
    )
    share = np.where(lesson.parted, BOUNDARY, 1 - BOUNDARY)
    weights: np.ndarray = lesson.weights / whole * share
    return weights
