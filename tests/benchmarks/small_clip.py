"""Words for things that nothing was trained on: the project's own small CLIP, trained here on rooms
of other models (about 11 CPU minutes, once), names the objects of rooms of models that it never
saw. SEEDS are rooms.
"""

import os
import time

import numpy as np
import torch
from helpers import furniture_room, small_clip
from helpers.furnished_room import CLASSES, Room
from helpers.teacher_simulator import Simulator

from backend.geometry.arrays import Ints32
from backend.semantics.lift import lift
from backend.semantics.novel_views import between, render_image
from backend.semantics.object_codes import evidence
from backend.semantics.object_index import ObjectIndexConfig, index_objects, nearest, owners, spread
from backend.semantics.regions.proposals import propose
from backend.semantics.regions.superpixels import snapped
from backend.semantics.regions.view_regions import ViewRegions
from backend.semantics.self_training import self_train
from backend.semantics.teachers import open_clip_teacher
from backend.semantics.teachers.teacher import Teacher
from backend.semantics.view_features import drawn_regions, look, without_tiny
from tests.benchmarks import semantic_metrics as metrics
from tests.benchmarks.semantic_metrics import Truth
from tests.benchmarks.table import Row, Table, say

SEEDS = [int(s) for s in os.environ.get("SEEDS", "0,1,2").split(",")]
TRAINING_ROOMS = 30


def run(table: Table) -> None:
    if not furniture_room.available():
        say("the furniture models are not here: set SPLATSMITH_DATA to the folder that holds them")
        return
    folder = table.scratch / "model"
    if not (folder / "open_clip_model.safetensors").is_file():
        rooms = (
            furniture_room.make(100 + i, furniture_room.SEEN, 16, varied=True)
            for i in range(TRAINING_ROOMS)
        )
        table.add(
            Row("training", "CPU time", small_clip.train(small_clip.crops(rooms), folder), "s")
        )
    teacher = open_clip_teacher.load(str(folder), torch.device("cpu"))
    _one_look(teacher, table)
    for seed in SEEDS:
        room = furniture_room.make(50 + seed, furniture_room.UNSEEN)
        for regions in ("masks as a SAM gives them", "pieces by shape and colour"):
            for count in (30, 8):
                _room(room, teacher, regions, count, seed, table)
    cases = sorted({(row.case, row.metric) for row in table.rows if row.case.endswith("views")})
    for case, metric in cases:
        table.add(
            Row(
                f"mean, {case}",
                metric,
                float(
                    np.mean([r.value for r in table.rows if (r.case, r.metric) == (case, metric)])
                ),
                "%",
            )
        )


def _one_look(teacher: open_clip_teacher.OpenClipTeacher, table: Table) -> None:
    """How often a single region of an unseen model is named right, of 14 names."""
    rooms = [furniture_room.make(900 + i, furniture_room.UNSEEN, 8) for i in range(4)]
    words = teacher.encode_text(CLASSES)
    right: list[tuple[int, bool]] = []
    for room in rooms:
        for shown, whose in zip(room.images, room.owners, strict=True):
            labels, kept = without_tiny(whose.astype(np.int32), len(room.classes))
            found = (teacher.encode_regions(shown, labels, len(kept)) @ words.T).argmax(1)
            right += zip(
                room.classes[kept].tolist(), (found == room.classes[kept]).tolist(), strict=True
            )
    by_class = [np.mean([r for c, r in right if c == k]) for k in sorted({c for c, _ in right})]
    table.add(Row("one look", "class-mean accuracy", 100 * float(np.mean(by_class)), "%"))


def _room(room: Room, teacher: Teacher, kind: str, count: int, seed: int, table: Table) -> None:
    unseen = list(range(5, len(room.views), 6))
    chosen = [i for i in range(len(room.views)) if i not in unseen]
    everything = [
        look(
            room.gaussians, room.views[i], None, (np.zeros_like(room.owners[i], np.int32), 1), None
        )
        for i in chosen
    ]
    seen = sum(np.asarray(v.weights.sum(1)).ravel() for v in everything)
    truth = Truth(room, (seen > 9) & (room.objects >= 0), unseen)
    chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, count).round().astype(int)]
    means = room.gaussians.means.numpy()
    start = time.process_time()
    pieces = propose(means, room.rgb.astype(np.float32), room.gaussians.opacities.numpy())
    simulator = Simulator(room)
    views = []
    for i in chosen:
        taught = simulator.view(
            room.owners[i], room.views[i]
        )  # its regions: split, merged, lost, frayed
        regions = (taught.regions, len(taught.features))
        if "pieces" in kind:
            drawn, total = drawn_regions(room.gaussians, room.views[i], pieces)
            labels, kept = without_tiny(snapped(drawn, room.images[i]), total)
            regions = (labels, len(kept))
        views.append(look(room.gaussians, room.views[i], room.images[i], regions, teacher))
    shares, objects = index_objects(
        [v.weights for v in views], nearest(means), ObjectIndexConfig(), pieces
    )
    owner, k = owners(spread(shares, means)), shares.shape[1]
    mean, words = np.concatenate([v.features for v in views]).mean(0), teacher.encode_text(CLASSES)

    def named(features: np.ndarray) -> np.ndarray:
        return ((features - mean) @ (words - words.mean(0)).T).argmax(1)

    lifted, weight = lift(views)
    drawings, numbers = _drawings(room, teacher, owner, [room.views[i] for i in chosen])
    trained = self_train(views, objects, drawings, numbers, k)
    found = {
        "lift": np.where(weight > 0.5, named(lifted), -1),
        "object index": np.where(
            owner >= 0, named(evidence(views, objects, k).features)[owner], -1
        ),
        "and self-training": np.where(owner >= 0, named(trained.features)[owner], -1),
    }
    cpu = time.process_time() - start
    for method, labels in found.items():
        score = metrics.scores(
            metrics.confusion(np.where(truth.visible, truth.classes, -1), labels)
        )
        for metric, value in (("3D mIoU", score[0]), ("class-mean accuracy", score[1])):
            table.add(Row(f"{kind}, {count} views", f"{method}: {metric}", value, "%", seed, cpu))
    table.add(
        Row(f"{kind}, {count} views", "self-training accepted", 100.0 * trained.accepted, "%", seed)
    )
    table.add(
        Row(
            f"{kind}, {count} views",
            "instance recall",
            metrics.instances(truth, owner)[0],
            "%",
            seed,
        )
    )


def _drawings(
    room: Room, teacher: Teacher, owner: Ints32, cameras: list
) -> tuple[list[ViewRegions], list[Ints32]]:
    """What the teacher sees in the Gaussians themselves, drawn from between the cameras."""
    found, numbers = [], []
    for view in between(cameras, 30 - len(cameras) or 30):
        labels, kept = without_tiny(*drawn_regions(room.gaussians, view, owner))
        found.append(
            look(
                room.gaussians,
                view,
                render_image(room.gaussians, view),
                (labels, len(kept)),
                teacher,
            )
        )
        numbers.append(kept)
    return found, numbers
