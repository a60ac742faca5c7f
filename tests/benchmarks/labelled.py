"""Words on data sets that others have labelled, for whoever has them and a CLIP model: the product
solves or takes the cameras, trains, segments and is asked, and both protocols score it.

DATASET is the data set's folder, MODEL a CLIP model as `segment --model` takes it, PRESET is for
training (balanced), SCENES chooses some. (A variable PATH on make's command line would replace the
one that programs are found by.)
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from backend.formats import capture, semantics_file
from backend.formats.capture import Frame
from backend.gaussians.options import Drawables, RasterView
from backend.geometry.conventions import FLIP_YZ, to_viewmat
from backend.semantics.object_codes import ObjectCodes
from backend.semantics.query import ask
from backend.semantics.select_verb import SelectOptions
from backend.semantics.teachers.loading import load
from backend.semantics.teachers.relevancy import Prompt
from backend.semantics.teachers.teacher import Teacher
from tests.benchmarks.labelled_sets import LabelledScene, LabelledView, Posed
from tests.benchmarks.runs import backend
from tests.benchmarks.semantic_rooms import drawables
from tests.benchmarks.table import Row, Table, say


@dataclass(frozen=True)
class Asked:
    """A segmented scene, its judging views, and how well each splat fits each of the words."""

    scene: LabelledScene
    gaussians: Drawables
    views: list[tuple[RasterView, LabelledView]]
    heat: np.ndarray  # (N, W)

    @property
    def chosen(self) -> np.ndarray:
        """(N, W) what `select` would choose at its own threshold."""
        return self.heat >= THRESHOLD


THRESHOLD = SelectOptions().threshold
Reader = Callable[[Path], Iterator[LabelledScene]]
Scorer = Callable[[Asked], list[tuple[str, float]]]


def run(table: Table, read: Reader, score: Scorer) -> None:
    """Rows of every scene in DATASET, and their means."""
    root, model = os.environ.get("DATASET", ""), os.environ.get("MODEL", "")
    wanted = [s for s in os.environ.get("SCENES", "").split(",") if s]
    if not (root and model):
        say(f"{table.room:<28} left out: give DATASET=folder and MODEL=a CLIP model")
        return
    teacher, found = load(model, torch.device("cpu")), dict[str, list[float]]()
    for scene in read(Path(root)):
        if wanted and scene.name not in wanted:
            continue
        asked = prepared(scene, table.scratch / scene.name, model, teacher)
        for metric, value in score(asked):
            table.add(Row(scene.name, metric, 100 * value, "%"))
            found.setdefault(metric, []).append(100 * value)
    for metric, values in found.items():
        table.add(Row("mean", metric, float(np.mean(values)), "%"))


def prepared(scene: LabelledScene, work: Path, model: str, teacher: Teacher) -> Asked:
    """From pictures to scores; what is there already is used again."""
    source = scene.source or write_posed(scene, work / "footage")
    training = os.environ.get("PRESET", "balanced")
    solved, trained, objects = work / "capture", work / "splats", work / "objects"
    for verb, given, output, options in (
        ("cameras", source, solved, ()),
        ("splats", solved, trained, ("--preset", training, "--holdout", "0")),
        ("segment", trained / "splats.ply", objects,
         ("--capture", str(solved), "--model", model)),
    ):  # fmt: skip
        if not (output / "manifest.json").is_file():
            done = backend(verb, given, output, *options)
            if isinstance(done, str):
                raise RuntimeError(f"{verb} failed at {scene.name}: {done}")
    gaussians, _ = drawables(objects / "splats.ply")
    return Asked(scene, gaussians, judging(scene, solved), heat(objects, scene.words, teacher))


def heat(objects: Path, words: tuple[str, ...], teacher: Teacher) -> np.ndarray:
    """(N, W) scores of a segmented folder's splats."""
    semantics = semantics_file.read(objects / semantics_file.NAME)
    answer = ask(semantics, teacher, [Prompt((word,)) for word in words])
    codes = ObjectCodes(semantics.objects, semantics.shares)
    return np.asarray(codes.mix(np.ascontiguousarray(answer.objects.T)))


def judging(scene: LabelledScene, solved: Path) -> list[tuple[RasterView, LabelledView]]:
    """The labelled pictures with their cameras, at the labels' own size."""
    if scene.posed:
        posed = {p.image.name: (p.pose, p.K, 1.0) for p in scene.posed}
    else:
        frames = capture.read(solved).frames
        posed = {
            Path(f.source or f.image.name).name: (f.camera_to_world @ FLIP_YZ, f.K, f.width)
            for f in frames
        }
    found = []
    for label in scene.views:
        if label.name in posed:
            pose, K, width = posed[label.name]
            found.append((_view(pose, K, width, label.read().size), label))
    return found


def _view(pose: np.ndarray, K: np.ndarray, width: float, size: tuple[int, int]) -> RasterView:
    """A camera (OpenCV axes) whose K is of pictures so wide; 1: of the labels themselves."""
    scaled = K.copy()
    scaled[:2] *= size[1] / width if width > 1 else 1
    return RasterView(
        viewmat=torch.from_numpy(to_viewmat(pose @ FLIP_YZ)).float(),
        K=torch.from_numpy(scaled).float(),
        width=size[1],
        height=size[0],
        sh_degree=None,
        background=torch.zeros(3),
    )


def write_posed(scene: LabelledScene, folder: Path) -> Path:
    """The pictures that train, with their cameras, as transforms.json."""
    if not (folder / "transforms.json").is_file():
        (folder / "images").mkdir(parents=True, exist_ok=True)
        chosen = [p for p in scene.posed if p.image.name in scene.training]
        capture.write(folder, [_frame(p, folder / "images") for p in chosen], None)
    return folder


def _frame(posed: Posed, images: Path) -> Frame:
    shutil.copy(posed.image, images / posed.image.name)
    width, height = capture.image_size(posed.image)
    K = posed.K
    return Frame(
        image=images / posed.image.name,
        camera_to_world=posed.pose @ FLIP_YZ,
        fl_x=float(K[0, 0]),
        fl_y=float(K[1, 1]),
        cx=float(K[0, 2]),
        cy=float(K[1, 2]),
        width=width,
        height=height,
    )
