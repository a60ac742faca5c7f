"""Readers of data sets whose pictures or points are labelled with words, in the layouts in which
papers on splats and words use them.
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from backend.formats import ply

REPLICA_STEP = 5  # every fifth picture trains; the one in the middle between two judges
SCANNET_STEP = 20  # of its pictures, which are frames of a video
SCANNET = {
    1: "wall", 2: "floor", 3: "cabinet", 4: "bed", 5: "chair", 6: "sofa", 7: "table", 8: "door",
    9: "window", 10: "bookshelf", 11: "picture", 12: "counter", 14: "desk", 16: "curtain",
    24: "refrigerator", 28: "shower curtain", 33: "toilet", 34: "sink", 36: "bathtub",
    39: "other furniture",
}  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """What one picture shows, by words. Masks may overlap."""

    size: tuple[int, int]  # H, W
    masks: dict[str, np.ndarray]  # (H, W) bool
    boxes: dict[str, np.ndarray]  # (B, 4) left, top, right, bottom; one for every thing of a word


@dataclass(frozen=True)
class LabelledView:
    """A picture, by its file's name, and how its labels are read: hundreds would not fit."""

    name: str
    read: Callable[[], Labels]


@dataclass(frozen=True)
class LabelledPoints:
    """Vertices of a scan."""

    means: np.ndarray  # (M, 3)
    classes: np.ndarray  # (M,) index of the word, -1: none


@dataclass(frozen=True)
class Posed:
    """A picture that trains: camera to world with OpenCV axes, intrinsics of its own size."""

    image: Path
    pose: np.ndarray  # (4, 4)
    K: np.ndarray  # (3, 3), pixels' middles at halves


@dataclass(frozen=True)
class LabelledScene:
    """One scene. `source` is what the verb `cameras` takes; where it is None, `posed` has the
    cameras of every picture, and `training` names those that train.
    """

    name: str
    words: tuple[str, ...]
    views: list[LabelledView]
    source: Path | None = None
    posed: tuple[Posed, ...] = ()
    training: frozenset[str] = frozenset()
    points: LabelledPoints | None = None


def lerf_ovs(root: Path) -> Iterator[LabelledScene]:
    """LangSplat's release: SCENE with images/ and a COLMAP model in sparse/0, and label/SCENE with
    a JSON of polygons for each picture that judges.
    """
    for folder in sorted(p for p in (root / "label").iterdir() if p.is_dir()):
        paths = sorted(folder.glob("frame_*.json"))
        views = [LabelledView(_json(p)["info"]["name"], partial(_polygons, p)) for p in paths]
        words = tuple(sorted({thing["category"] for p in paths for thing in _json(p)["objects"]}))
        yield LabelledScene(folder.name, words, views, source=root / folder.name)


def _polygons(path: Path) -> Labels:
    record = _json(path)
    size = (record["info"]["height"], record["info"]["width"])
    masks: dict[str, np.ndarray] = {}
    boxes: dict[str, list[np.ndarray]] = {}
    for thing in record["objects"]:
        corners = np.asarray(thing["segmentation"], np.float64).reshape(-1, 2)
        mask = np.zeros(size, np.uint8)
        cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
        word = thing["category"]
        masks[word] = masks.get(word, np.zeros(size, bool)) | mask.astype(bool)
        boxes.setdefault(word, []).append(np.concatenate([corners.min(0), corners.max(0)]))
    return Labels(size, masks, {w: np.array(b) for w, b in boxes.items()})


def replica(root: Path) -> Iterator[LabelledScene]:
    """Semantic-NeRF's renderings: SCENE/Sequence_1 with rgb/rgb_N.png, semantic_class/
    semantic_class_N.png and traj_w_c.txt, and the classes' names in semantic_info/SCENE (or
    anywhere in SCENE), info_semantic.json. The field of view is 90 degrees across.
    """
    for folder in sorted(p.parent for p in root.glob("*/Sequence_1") if p.is_dir()):
        yield _replica_scene(root, folder)


def _replica_scene(root: Path, folder: Path) -> LabelledScene:
    sequence = folder / "Sequence_1"
    poses = np.loadtxt(sequence / "traj_w_c.txt").reshape(-1, 4, 4)
    names = [f"rgb_{i}.png" for i in range(len(poses))]
    there = [i for i, n in enumerate(names) if (sequence / "rgb" / n).is_file()]
    labels = {
        i: sequence / "semantic_class" / f"semantic_class_{i}.png"
        for i in there
        if i % REPLICA_STEP == REPLICA_STEP // 2
    }
    known = _replica_names(root, folder)
    seen = [np.unique(_label_picture(path)) for path in labels.values()]
    ids = sorted({int(v) for values in seen for v in values} & {*known})
    shown = {k: known[k] for k in ids}
    views = [
        LabelledView(names[i], partial(_one_class_a_pixel, path, shown))
        for i, path in labels.items()
    ]
    height, width = _label_picture(next(iter(labels.values()))).shape
    K = np.array([[width / 2, 0, width / 2], [0, width / 2, height / 2], [0, 0, 1.0]])
    posed = tuple(Posed(sequence / "rgb" / names[i], poses[i], K) for i in there)
    training = frozenset(names[i] for i in there if i % REPLICA_STEP == 0)
    words = tuple(dict.fromkeys(known[k] for k in ids))
    return LabelledScene(folder.name, words, views, posed=posed, training=training)


def _replica_names(root: Path, folder: Path) -> dict[int, str]:
    """Names of classes by number; 0 and below are unknown."""
    places = [root / "semantic_info" / folder.name, folder]
    path = next(p for place in places for p in sorted(place.rglob("info_semantic.json")))
    return {int(c["id"]): str(c["name"]) for c in _json(path)["classes"] if int(c["id"]) > 0}


def _label_picture(path: Path) -> np.ndarray:
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if label is None:
        raise FileNotFoundError(path)
    return np.asarray(label).astype(int)


def _one_class_a_pixel(path: Path, words: dict[int, str]) -> Labels:
    label = _label_picture(path)
    masks: dict[str, np.ndarray] = {}
    for number, word in words.items():
        mine = label == number
        if mine.any():
            masks[word] = masks.get(word, np.zeros(label.shape, bool)) | mine
    return Labels((label.shape[0], label.shape[1]), masks, {})


def scannet(root: Path) -> Iterator[LabelledScene]:
    """ScanNet as its own tools export it: SCENE with color/N.jpg, pose/N.txt, intrinsic/
    intrinsic_color.txt and label-filt/N.png, the scan SCENE_vh_clean_2.ply with its segments and
    aggregation, and scannetv2-labels.combined.tsv beside the scenes.
    """
    with (root / "scannetv2-labels.combined.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for folder in sorted(p.parent for p in root.glob("scene*/color") if p.is_dir()):
        yield _scannet_scene(folder, rows)


def _scannet_scene(folder: Path, rows: list[dict[str, str]]) -> LabelledScene:
    words = tuple(SCANNET.values())
    of_id = {int(r["id"]): SCANNET[int(r["nyu40id"])] for r in rows if int(r["nyu40id"]) in SCANNET}
    of_name = {r["raw_category"]: of_id[int(r["id"])] for r in rows if int(r["id"]) in of_id}
    K = np.loadtxt(folder / "intrinsic" / "intrinsic_color.txt")[:3, :3]
    K[:2, 2] += 0.5  # its pixels' middles lie at whole numbers
    posed, views = [], []
    images = sorted((folder / "color").glob("*.jpg"), key=lambda p: int(p.stem))
    for image in images[::SCANNET_STEP]:
        pose = np.loadtxt(folder / "pose" / f"{image.stem}.txt").reshape(4, 4)
        if np.isfinite(pose).all():  # lost ones are infinite
            posed.append(Posed(image, pose, K))
            label = folder / "label-filt" / f"{image.stem}.png"
            views.append(LabelledView(image.name, partial(_one_class_a_pixel, label, of_id)))
    return LabelledScene(
        folder.name,
        words,
        views,
        posed=tuple(posed),
        training=frozenset(p.image.name for p in posed),
        points=_scan(folder, of_name, words),
    )


def _scan(folder: Path, of_name: dict[str, str], words: tuple[str, ...]) -> LabelledPoints:
    """The scan's vertices: segments belong to groups, and groups have names."""
    stem = f"{folder.name}_vh_clean_2"
    vertices = ply.read_vertices(folder / f"{stem}.ply")
    segments = np.array(_json(folder / f"{stem}.0.010000.segs.json")["segIndices"])
    classes = np.full(len(segments), -1)
    for group in _json(folder / f"{folder.name}.aggregation.json")["segGroups"]:
        word = of_name.get(group["label"])
        if word is not None:
            classes[np.isin(segments, group["segments"])] = words.index(word)
    means = np.stack([vertices[axis] for axis in "xyz"], 1).astype(np.float32)
    return LabelledPoints(means, classes)


def _json(path: Path) -> dict:
    found: dict = json.loads(path.read_text(encoding="utf-8"))
    return found
