"""Self-training (CLIP-GS's 3DCS) on rooms that the product has trained: what words say of splats
learned from few and from many photographs alone, and with drawings from between them. `segment`
runs as a user runs it, without a model for regions; the teacher is simulated, and errs as often on
drawings as on photographs, or more often.
"""

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from helpers import command_line
from helpers.furnished_room import Room
from helpers.teacher_simulator import DIMENSIONS, Simulator, SimulatorConfig

from backend.formats import capture
from backend.geometry.arrays import Ints32
from backend.semantics import segment_job
from backend.semantics.object_codes import evidence
from backend.semantics.regions.view_regions import ViewRegions
from backend.semantics.self_training import SelfTrainingConfig, self_train
from backend.semantics.view_features import drawn_regions
from tests.benchmarks import semantic_metrics as metrics, semantic_rooms
from tests.benchmarks.semantic_metrics import Truth
from tests.benchmarks.semantic_rooms import RoomFiles
from tests.benchmarks.semantic_trained import TRAINED, means, owners_of
from tests.benchmarks.semantic_words import teacher_of
from tests.benchmarks.table import Row, Table

TEACHERS = range(20)  # seeds
WORSE = {"as often": 0.0, "more often": 0.1, "much more often": 0.2}  # on top of 0.3
ASKED = ((8, 30), (30, 60))  # photographs, and views together: a short capture, and the preset best


@dataclass
class Recorder:
    """A teacher that keeps what it is asked, and what self-training is given."""

    room: Room
    known: Any  # teacher of the photographs
    asked: list[tuple[np.ndarray, Ints32, int, Any]] = field(default_factory=list)
    given: tuple[Any, ...] = ()
    name, dimensions = "simulated", DIMENSIONS

    def encode_regions(self, image: np.ndarray, regions: Ints32, count: int) -> np.ndarray:
        owners, camera = self.known.shown(image)
        self.asked.append((owners, regions, count, camera))
        return np.asarray(self.known.encode_regions(image, regions, count))

    def render_image(self, gaussians: Any, view: Any, options: Any) -> np.ndarray:
        """As the product draws; what is truly there is remembered."""
        image = DRAW(gaussians, view, options)
        truth, _ = drawn_regions(self.room.gaussians, view, self.room.objects.astype(np.int32))
        self.known.shows(image, truth, view)
        return image

    def self_train(self, *given: Any) -> Any:
        self.given = given
        return self_train(*given)

    def again(self, config: SimulatorConfig, worse: float, seed: int) -> tuple[Any, ...]:
        """What self-training would be given by another teacher."""
        photos, photo_objects, drawings, drawn_objects, count = self.given
        teacher, views = Simulator(self.room, config, 7 + seed), list[ViewRegions]()
        for number, (view, asked) in enumerate(zip([*photos, *drawings], self.asked, strict=True)):
            is_drawn = number >= len(photos)
            teacher.config = replace(config, confusion=config.confusion + worse * is_drawn)
            views.append(ViewRegions(view.weights, teacher.given(*asked)))
        split = len(photos)
        return views[:split], photo_objects, views[split:], drawn_objects, count


DRAW = segment_job.render_image


def run(table: Table) -> None:
    for seed in TRAINED:
        found = semantic_rooms.files(seed)
        room = semantic_rooms.load(found, trained=True)
        truth = Truth(room, room.objects >= 0, semantic_rooms.unseen())
        for photos, together in ASKED:
            output = table.scratch / f"self-training {seed} {photos}"
            recorder = _segmented(room, found, output, (photos, together, seed))
            owner = owners_of(output)
            for often, worse in WORSE.items():
                case = f"room {seed}, {photos} photographs, errs {often} on drawings"
                for metric, value in _scores(truth, owner, recorder, worse).items():
                    table.add(Row(case, metric, value, "%", seed))
    means(table, tuple(f"{photos} photographs" for photos, _ in ASKED))


def _segmented(room: Room, found: RoomFiles, output: Path, which: tuple[int, int, int]) -> Recorder:
    photos, together, seed = which
    recorder = Recorder(room, teacher_of(room, found, seed))
    short = _short(found, photos, output.with_name(f"{output.name} capture"))
    with (
        patch.object(segment_job, "load", lambda *_: recorder),
        patch.object(segment_job, "render_image", recorder.render_image),
        patch.object(segment_job, "self_train", recorder.self_train),
    ):
        done = command_line.run(
            "segment", "--input", found.trained, "--capture", short, "--output", output,
            "--preset", "balanced", "--views", str(together), "--model", "simulated",
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"segment failed: {done.stderr}")
    return recorder


def _short(found: RoomFiles, photos: int, folder: Path) -> Path:
    """A capture of so many of the room's photographs, evenly spread."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "images").mkdir(parents=True)
    frames = capture.read(found.capture).frames
    chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, photos).round().astype(int)]
    copied = [
        replace(
            f, image=shutil.copy(f.image, folder / "images" / f.image.name), mask=None, depth=None
        )
        for f in chosen
    ]
    capture.write(folder, copied, None)
    return folder


def _scores(truth: Truth, owner: np.ndarray, recorder: Recorder, worse: float) -> dict[str, float]:
    """Means over teachers: mIoU of classes over splats, and what drawings add to it."""
    plain, gains = list[float](), {"where accepted": list[float](), "always": list[float]()}
    accepted = list[bool]()
    for seed in TEACHERS:
        given = recorder.again(SimulatorConfig(), worse, seed)
        photos, photo_objects, drawings, drawn_objects, count = given
        seen, weight = evidence(photos, photo_objects, count), SelfTrainingConfig().weight
        trained = self_train(*given)
        more = seen.plus(evidence(drawings, drawn_objects, count), weight)
        mean = np.concatenate([v.features for v in photos]).mean(0)
        right = [
            _miou(truth, owner, features - mean)
            for features in (seen.features, trained.features, more.features)
        ]
        plain.append(right[0])
        gains["where accepted"].append(right[1] - right[0])
        gains["always"].append(right[2] - right[0])
        accepted.append(trained.accepted)
    table = {"3D mIoU, photographs alone": float(np.mean(plain))}
    for way, values in gains.items():
        table[f"gain by drawings, {way}"] = float(np.mean(values))
        table[f"its standard error, {way}"] = float(np.std(values, ddof=1) / len(values) ** 0.5)
    return {**table, "accepted": 100 * float(np.mean(accepted))}


def _miou(truth: Truth, owner: np.ndarray, features: np.ndarray) -> float:
    """Of objects' features (K, D) less the mean of all that was seen."""
    texts = Simulator(truth.room).text
    classes = (features @ (texts - texts.mean(0)).T).argmax(1)
    labels = np.where(owner >= 0, classes[owner], -1)
    told = metrics.confusion(np.where(truth.visible, truth.classes, -1), labels)
    return metrics.scores(told)[0]
