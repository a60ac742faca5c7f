"""`segment` as a user runs it, on rooms that the product has trained itself beside ideal splats of
the same rooms: without a model, with exact label pictures, and with such as a SAM would draw.
TRAINED are the rooms that score; 0, 1 and 2 are for development. With SHORT=1 they were filmed in a
step to the side, as people film a desk. WAYS chooses who says what regions are.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from helpers import label_pictures
from helpers.furnished_room import Room

from backend.cutting.hierarchy import MergeTree, sound_tree
from backend.formats import semantics_file, splat_ply
from backend.semantics.view_features import drawn_regions
from tests.benchmarks import semantic_metrics as metrics, semantic_rooms
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.semantic_metrics import Truth
from tests.benchmarks.semantic_rooms import RoomFiles
from tests.benchmarks.table import Row, Table

TRAINED = [int(s) for s in os.environ.get("TRAINED", "3,4,5").split(",")]
WAYS = [w for w in os.environ.get("WAYS", "").split(",") if w]
SHORT = os.environ.get("SHORT", "0") != "0"
PRESET = os.environ.get("SEGMENT_PRESET", "balanced")  # 30 pictures
LEAST_PIXELS = 100  # of an object in the held-out views together, to be judged there


@dataclass(frozen=True)
class Way:
    """Who says what the regions of pictures are."""

    name: str
    options: tuple[str, ...]


def run(table: Table) -> None:
    for seed in TRAINED:
        found = semantic_rooms.files(seed, "short" if SHORT else "")
        for trained in (True, False):
            kind = ("trained" if trained else "ideal") + (", short path" if SHORT else "")
            room = semantic_rooms.load(found, trained)
            best = in_drawings(room, room.objects.astype(np.int32), semantic_rooms.unseen())
            metric = "mean IoU, held-out views"  # of what splats of that sharpness could show
            table.add(
                Row(f"room {seed}, {kind}, the truth", metric, 100 * float(best.mean()), "%", seed)
            )
            for way in ways(found, seed):
                output = table.scratch / f"{kind} {seed} {way.name}"
                _one(table, room, found, (kind, seed, output), way)
    means(table, ("trained", "ideal"))


def ways(found: RoomFiles, seed: int) -> Iterator[Way]:
    everyone = (
        Way("no model", ()),
        Way("exact label pictures", ("--regions", str(found.regions))),
        Way("as of a MobileSAM", ("--regions", str(jittered(found, seed)))),
    )
    yield from (way for way in everyone if not WAYS or way.name in WAYS)


def jittered(found: RoomFiles, seed: int) -> Path:
    """Label pictures with a SAM's mistakes, beside the exact ones."""
    folder = found.folder / "regions-jittered"
    if not folder.is_dir():
        label_pictures.write_jittered(found.regions, folder, seed)
    return folder


def _one(
    table: Table, room: Room, found: RoomFiles, which: tuple[str, int, Path], way: Way
) -> None:
    kind, seed, output = which
    ply = found.trained if kind.startswith("trained") else found.ideal
    done = backend(
        "segment", ply, output, "--capture", str(found.capture), "--preset", PRESET, *way.options
    )
    if isinstance(done, str):
        raise RuntimeError(f"segment failed at {ply}: {done}")
    owner = owners_of(output)
    truth = Truth(room, room.objects >= 0, semantic_rooms.unseen())
    recall, mean = metrics.instances(truth, owner)
    drawn = in_drawings(room, owner, truth.unseen)
    wholes = metrics.wholes(truth, owner, tree_of(output))
    there, objects = metrics.judged(truth), int(owner.max(initial=-1)) + 1
    rows = [
        ("recall, 3D", recall, "%"),
        ("mean IoU, 3D", mean, "%"),
        ("recall, 3D, any whole", wholes[0], "%"),
        ("mean IoU, 3D, any whole", wholes[1], "%"),
        ("recall, held-out views", 100 * float(np.mean(drawn > 0.5)), "%"),
        ("mean IoU, held-out views", 100 * float(np.mean(drawn)), "%"),
        ("objects found", float(objects), ""),
        ("objects there", float(there), ""),
    ]
    cpu, peak = cost(done)
    for metric, value, unit in rows:
        case = f"{kind}, {way.name}"
        table.add(Row(f"room {seed}, {case}", metric, value, unit, seed, cpu, peak))


def owners_of(output: Path) -> np.ndarray:
    """(N,) the object of each splat that `segment` has left; -1: none."""
    labels = splat_ply.read(output / "splats.ply").extra[semantics_file.LABEL].astype(np.int32)
    return np.where(labels == semantics_file.NOTHING, -1, labels).astype(np.int32)


def tree_of(output: Path) -> MergeTree:
    """How the objects that `segment` has left are parts of wholes."""
    found = semantics_file.read(output / semantics_file.NAME)
    pairs, rates = found.tree_pairs, found.tree_rates
    assert pairs is not None and rates is not None
    return sound_tree(pairs.astype(np.int64), rates, len(found.features))


def in_drawings(room: Room, owner: np.ndarray, views: list[int]) -> np.ndarray:
    """(O,) of every object that these views show: the intersection over union of the one found
    object that fits it best, over their pixels together.
    """
    true, found = len(room.classes), int(owner.max(initial=-1)) + 1
    table = np.zeros((true, found + 1))  # the last column: nothing is drawn there
    drawn = np.zeros(found + 1)
    for i in views:
        regions, _ = drawn_regions(room.gaussians, room.views[i], owner)
        whose, known = room.owners[i], room.owners[i] >= 0
        np.add.at(table, (whose[known], regions[known]), 1)  # -1 is the last
        np.add.at(drawn, regions[known], 1)
    size = table.sum(1, keepdims=True)
    overlap = table / np.maximum(size + drawn - table, 1)
    best: np.ndarray = overlap[:, :found].max(1, initial=0.0)
    return best[size[:, 0] >= LEAST_PIXELS]


def means(table: Table, kinds: tuple[str, ...]) -> None:
    """Over rooms, of the cases that begin with one of `kinds` after the room's number."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for row in table.rows:
        room, _, case = row.case.partition(", ")
        if room.startswith("room ") and case.startswith(kinds):
            found.setdefault((case, row.metric, row.unit), []).append(row.value)
    for (case, metric, unit), values in found.items():
        table.add(Row(f"mean, {case}", metric, float(np.mean(values)), unit))
