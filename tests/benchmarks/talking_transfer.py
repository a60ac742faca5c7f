"""ARKit's shapes carried over to heads of other topology and proportions whose true shapes are
known. HEADS: their seeds; those from 100 on have chosen the constants. Landmarks are marked as an
artist would, 3 % of the eyes' distance off; or there are none.
"""

import os
import time

import numpy as np
from helpers.other_heads import OtherHead, as_character, other_head

from backend.talking_head.head_job import read_rig
from backend.talking_head.rigs.rig import Rig
from backend.talking_head.transfer.add_shapes import add_shapes
from backend.talking_head.transfer.template import Template, template_of
from tests.benchmarks.table import Row, Table, has

HEADS = [int(s) for s in os.environ.get("HEADS", "0,1,2,3").split(",")]
COUNTS = (2500, 4000, 6000, 9000)  # vertices of the heads in turn
MARKED = 0.03  # eye distances by which landmarks are off
MOVES = 0.01  # eye distances: vertices that truly move less are not scored
UNIT = 0.01  # the characters are in metres


def run(table: Table) -> None:
    rigs = [("small head", read_rig("small"), 0.0)]
    if (folder := has("models/ict_facekit")) is not None:
        rigs.append(("ICT", read_rig(str(folder)), 1.0))
    for name, rig, people in rigs:
        template = template_of(rig)
        for number, seed in enumerate(HEADS if name != "ICT" else HEADS[:2]):
            _one(name, rig, template, people, COUNTS[number % len(COUNTS)], seed, table)


def _one(
    name: str, rig: Rig, template: Template, people: float, count: int, seed: int, table: Table
) -> None:
    head = other_head(rig, seed, count, warp=1.0, people=people)
    random = np.random.default_rng(seed)
    off = {
        key: place + random.normal(size=3) * MARKED * head.eyes / 3**0.5
        for key, place in head.landmarks.items()
    }
    for case, marked in (
        (f"{name} {seed}, {len(head.vertices):,} v.", off),
        (f"{name} {seed}, unmarked", {}),
    ):
        start = time.process_time()
        result = add_shapes(template, as_character(head, UNIT, marked), lambda _stage, _share: None)
        spent = time.process_time() - start
        errors, motions = scores(head, result.shapes / UNIT)
        worst = int(np.nanargmax(errors))
        for metric, value in (
            ("mean error of the shapes", np.nanmean(errors)),
            ("without any motion", np.nanmean(motions)),
            (f"worst: {template.names[worst]}", errors[worst]),
            ("it without any motion", motions[worst]),
        ):
            table.add(Row(case, metric, float(value), "% eyes", seed, spent))


def scores(head: OtherHead, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K,) mean errors of each shape in per cent of the eyes' distance, over the vertices that it
    moves in truth, and how far these move; NaN for shapes that move no skin.
    """
    motion = np.linalg.norm(head.shapes, axis=2) / head.eyes
    error = np.linalg.norm(shapes - head.shapes, axis=2) / head.eyes
    moving = motion > MOVES
    count = np.where(moving.any(1), moving.sum(1), np.nan)
    return 100 * (error * moving).sum(1) / count, 100 * (motion * moving).sum(1) / count
