"""Objects and words. PARTS chooses among `methods` (this file), `trained`, `outlines`, `words`,
`self_training`, `clicks`, `extract` and `speed` (semantic_*.py beside it, each with a docstring).

Methods: splats that understand words, on ideal rooms with exact masks and a teacher whose mistakes
are known. SEEDS, ROOMS, CONFUSION, VIEWS.

Rooms of real furniture models where they are at hand; FURNITURE=0, or their absence, gives rooms of
boxes and spheres.
"""

import os

import numpy as np
from helpers import furnished_room, furniture_room
from helpers.furnished_room import Room
from helpers.teacher_simulator import Simulator, SimulatorConfig, TaughtView

from backend.semantics.regions.proposals import propose
from backend.semantics.regions.superpixels import snapped
from backend.semantics.view_features import drawn_regions
from tests.benchmarks import (
    semantic_clicks,
    semantic_extract,
    semantic_metrics as metrics,
    semantic_outlines,
    semantic_self_training,
    semantic_speed,
    semantic_trained,
    semantic_words,
)
from tests.benchmarks.semantic_methods import methods, weigh_view
from tests.benchmarks.semantic_metrics import Truth
from tests.benchmarks.table import Row, Table, say

SEEDS = [int(s) for s in os.environ.get("SEEDS", "0,1,2").split(",")]
HOUSES = [int(s) for s in os.environ.get("ROOMS", "0,1,2").split(",")]
CONFUSION = float(os.environ.get("CONFUSION", "0.3"))
VIEWS = [int(s) for s in os.environ.get("VIEWS", "30,8").split(",")]
FURNITURE = furniture_room.available() and os.environ.get("FURNITURE", "1") != "0"
PARTS = os.environ.get(
    "PARTS", "methods,trained,outlines,words,self_training,clicks,extract,speed"
).split(",")
ONE_SIDED = 0.15  # of the objects are mistaken from half of the views
UNSEEN = 6  # every sixth view


def run(table: Table) -> None:
    rooms = {"trained": semantic_trained, "words": semantic_words, "clicks": semantic_clicks}
    rooms |= {"self_training": semantic_self_training}
    always = {"outlines": semantic_outlines, "extract": semantic_extract, "speed": semantic_speed}
    parts = {n: module.run for n, module in {**always, **(rooms if FURNITURE else {})}.items()}
    for part in PARTS:
        if part == "methods":
            _all_methods(table)
        elif part in parts:
            parts[part](table)
        else:
            say(f"{part:<28} left out: there is no such part, or no furniture models are here")


def _all_methods(table: Table) -> None:
    for house in HOUSES:
        room = furniture_room.make(house) if FURNITURE else furnished_room.make(house)
        unseen = list(range(UNSEEN - 1, len(room.views), UNSEEN))
        everything = [
            weigh_view(room, i, np.zeros_like(room.owners[i]), np.ones((1, 1), np.float32))
            for i in range(len(room.views))
        ]
        seen = sum(
            np.asarray(v.weights.sum(1)).ravel()
            for i, v in enumerate(everything)
            if i not in unseen
        )
        truth = Truth(room, (seen > 9) & (room.objects >= 0), unseen)
        _report(
            "oracle",
            truth,
            truth.classes,
            room.objects,
            (house, 0, len(room.views) - len(unseen)),
            0.0,
            table,
        )
        _regions(room, house, table)
        for seed in SEEDS:
            for side in (0.0, ONE_SIDED):
                config = SimulatorConfig(confusion=CONFUSION, wrong_from_one_side=side)
                _methods(truth, config, (house, seed, ", one-sided" if side else ""), table)
    _means(table)


def _regions(room: Room, house: int, table: Table) -> None:
    """How well pieces cover the objects of pictures as they are drawn, and moved to the pictures'
    edges.
    """
    pieces = propose(
        room.gaussians.means.numpy(), room.rgb.astype(np.float32), room.gaussians.opacities.numpy()
    )
    drawn, moved = [], []
    for i in range(0, len(room.views), UNSEEN):
        regions, _ = drawn_regions(room.gaussians, room.views[i], pieces)
        drawn += metrics.covered(room.owners[i], regions)
        moved += metrics.covered(room.owners[i], snapped(regions, room.images[i]))
    for name, values in (("pieces as drawn", drawn), ("pieces at the picture's edges", moved)):
        table.add(
            Row(
                f"room {house}, pictures",
                f"{name}: IoU with objects",
                100 * float(np.mean(values)),
                "%",
            )
        )


def _means(table: Table) -> None:
    """Over rooms and seeds: what bars are held against."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in table.rows:
        if row.case.startswith("room "):
            found.setdefault((row.case.partition(", ")[2], row.metric), []).append(row.value)
    for (views, metric), values in sorted(found.items()):
        table.add(Row(f"mean, {views}", metric, float(np.mean(values)), "%"))


def _methods(
    truth: Truth, config: SimulatorConfig, case: tuple[int, int, str], table: Table
) -> None:
    """One teacher of one room: what it says itself, and what every method makes of it."""
    house, seed, kind = case
    room = truth.room
    for count in VIEWS if not kind else VIEWS[:1]:
        teacher = Simulator(room, config, 7 + seed, 3 + seed)
        taught = [
            teacher.view(owners, camera)
            for owners, camera in zip(room.owners, room.views, strict=True)
        ]
        which = (house, seed, count)
        own = {i: _told(taught[i], teacher.text) for i in truth.unseen}
        right = metrics.scores(
            np.sum(
                [
                    metrics.confusion(truth.classes_in(i).ravel(), own[i].ravel())
                    for i in truth.unseen
                ],
                axis=0,
            )
        )
        for metric, value in (
            ("2D mIoU", right[0]),
            ("view consistency", metrics.consistency(truth, own)),
        ):
            table.add(
                Row(f"room {house}, {count} views", f"teacher{kind}: {metric}", value, "%", seed)
            )
        chosen = [i for i in range(len(room.views)) if i not in truth.unseen]
        chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, count).round().astype(int)]
        for found in methods(room, teacher, taught, chosen, 2 * count if count > 20 else 30):
            _report(
                found.method + kind,
                truth,
                found.labels,
                found.owners,
                which,
                found.cpu_seconds,
                table,
            )


def _told(taught: TaughtView, texts: np.ndarray) -> np.ndarray:
    """(H, W) the teacher's own classes of a picture."""
    classes = ((taught.features - taught.features.mean(0)) @ (texts - texts.mean(0)).T).argmax(1)
    return np.where(taught.regions >= 0, classes[taught.regions], -1)


def _report(
    name: str,
    truth: Truth,
    labels: np.ndarray,
    owner: np.ndarray | None,
    which: tuple[int, int, int],
    cpu: float,
    table: Table,
) -> None:
    house, seed, count = which
    case = f"room {house}, {count} views"
    in_3d = metrics.scores(metrics.confusion(np.where(truth.visible, truth.classes, -1), labels))
    in_2d = metrics.in_images(truth, labels)
    same = metrics.consistency(
        truth, {i: metrics.draw(truth.room, truth.room.views[i], labels) for i in truth.unseen}
    )
    rows = [
        ("3D mIoU", in_3d[0]),
        ("class-mean accuracy", in_3d[1]),
        ("2D mIoU", in_2d[0]),
        ("view consistency", same),
    ]
    if owner is not None:
        rows += [("instance recall", metrics.instances(truth, owner)[0])]
    for metric, value in rows:
        table.add(Row(case, f"{name}: {metric}", value, "%", seed, cpu))
