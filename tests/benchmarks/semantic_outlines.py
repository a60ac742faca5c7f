"""`segment` as a user runs it, without a model, on real footage that the product has solved and
trained itself: the things that a person would name were outlined by hand in a few of its pictures
(semantic_outlines.json). SCENES chooses some.

Things stand in each picture from front to back, in pixels of the source's picture: what lies in the
first outline is not in the others. "?" is what a person could not say either. "Any whole" may be
any group of the tree that *Granularity* goes up and down.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from backend.cutting.hierarchy import MergeTree
from backend.formats import capture
from backend.formats.capture import Frame
from backend.semantics.view_features import drawn_regions
from backend.semantics.views import SemanticView, choose_views
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.semantic_metrics import summed
from tests.benchmarks.semantic_rooms import TRAINING, drawables
from tests.benchmarks.semantic_trained import PRESET, owners_of, tree_of
from tests.benchmarks.table import OUT, Row, Table, has, say

OUTLINES = Path(__file__).with_name("semantic_outlines.json")
UNCLEAR = "?"
SIDE = 480  # pixels of the longer side that is judged at, as the preset `balanced` looks
FOUND = 0.5  # intersection over union from which a thing counts as one object
CROWD = 0.05  # of a thing's pixels that an object must make up to be one of its pieces


@dataclass(frozen=True)
class Footage:
    """Where it lies, and how its cameras are solved."""

    source: str
    cameras: tuple[str, ...] = ("--preset", "fast")


SCENES = {
    "fox": Footage("static/fox/images", ("--preset", "balanced")),
    "nerf_lego50": Footage("static/nerf_lego50"),
    "lund_door": Footage("static/lund_door/images"),
    "tum_fr2_desk": Footage("static/tum_fr2_desk"),
    "vid_apple": Footage("static/vid_apple/apple.mp4"),
}
WANTED = [s for s in os.environ.get("SCENES", "").split(",") if s] or [*SCENES]


@dataclass(frozen=True)
class Outlined:
    """A picture in which things were outlined."""

    view: SemanticView
    things: np.ndarray  # (H, W) number of the thing, -1: none
    counts: np.ndarray  # (H, W) bool: what could be told


@dataclass(frozen=True)
class Fit:
    """How well one object is one thing, over all pictures in which that is outlined."""

    iou: float  # of the object that fits best
    whole: float  # of the object or group of objects that fits best
    pieces: int  # objects that make up a good part of it
    number: int  # of the object that fits best; where there are none, 0


def run(table: Table) -> None:
    fits: list[Fit] = []
    for name in WANTED:
        if (folder := trained(name)) is not None:
            fits += _one(table, name, folder)
    if fits:
        ious = np.array([fit.iou for fit in fits])
        whole = float(np.mean([fit.whole for fit in fits]))
        for metric, value in (
            ("IoU of the best object", float(ious.mean())),
            ("found as one object", float((ious > FOUND).mean())),
            ("IoU of the best object, any whole", whole),
        ):
            table.add(Row("mean, outlined things", metric, 100 * value, "%"))


def trained(name: str) -> Path | None:
    """The folder of the footage's capture and splats, made where it is not there; it is kept like
    semantic_rooms'.
    """
    source, folder = has(SCENES[name].source), OUT / "semantic_scenes" / name
    if source is None:
        return None
    for verb, given, options in (
        ("cameras", source, SCENES[name].cameras),
        ("splats", folder / "capture", TRAINING),
    ):
        output = folder / {"cameras": "capture", "splats": "splats"}[verb]
        if not (output / "manifest.json").is_file():
            done = backend(verb, given, output, *options)
            if isinstance(done, str):
                say(f"{name:<28} {done}")
                return None
    return folder


def _one(table: Table, name: str, folder: Path) -> list[Fit]:
    ply, output = folder / "splats" / "splats.ply", table.scratch / f"{name} objects"
    done = backend("segment", ply, output, "--capture", str(folder / "capture"), "--preset", PRESET)
    if isinstance(done, str):
        raise RuntimeError(f"segment failed at {ply}: {done}")
    owner, (cpu, peak) = owners_of(output), cost(done)
    fits = judge(folder, name, ply, owner, tree_of(output))
    for thing, fit in fits.items():
        table.add(Row(name, f"{thing}: IoU of the best object", 100 * fit.iou, "%"))
        table.add(Row(name, f"{thing}: IoU of the best object, any whole", 100 * fit.whole, "%"))
        table.add(Row(name, f"{thing}: objects in it", fit.pieces))
    overlaps = [fit.iou for fit in fits.values()]
    table.add(Row(name, "mean IoU of outlined things", 100 * float(np.mean(overlaps)), "%"))
    table.add(Row(name, "objects found", int(owner.max(initial=-1)) + 1, "", 0, cpu, peak))
    return [*fits.values()]


def judge(folder: Path, name: str, ply: Path, owner: np.ndarray, tree: MergeTree) -> dict[str, Fit]:
    """Of every outlined thing of a footage, whose capture lies in `folder`, with objects (N,) of
    its splats, and how these are parts of wholes.
    """
    names, views = outlined(folder / "capture", name)
    found = int(owner.max(initial=-1)) + 1
    gaussians, _ = drawables(ply)
    sizes, table = np.zeros(len(names)), np.zeros((len(names), found + 1))  # the last: nothing
    shown = np.zeros((len(names), found + 1))  # of objects, in the pictures where a thing is
    for one in views:
        regions, _ = drawn_regions(gaussians, one.view.view, owner)
        there = np.unique(one.things[one.counts & (one.things >= 0)])
        drawn = np.bincount(regions[one.counts] % (found + 1), minlength=found + 1)
        for thing in there:
            mine = one.counts & (one.things == thing)
            sizes[thing] += mine.sum()
            table[thing] += np.bincount(regions[mine] % (found + 1), minlength=found + 1)
            shown[thing] += drawn
    overlap = (table / np.maximum(sizes[:, None] + shown - table, 1))[:, :found]
    inside, there = (summed(values[:, :found].T, tree).T for values in (table, shown))
    wholes = inside / np.maximum(sizes[:, None] + there - inside, 1)
    pieces = (table[:, :found] > CROWD * sizes[:, None]).sum(1)
    return {
        thing: Fit(
            iou=float(overlap[i].max(initial=0.0)),
            whole=float(wholes[i].max(initial=0.0)),
            pieces=int(pieces[i]),
            number=int(np.append(overlap[i], 0.0).argmax()),
        )
        for i, thing in enumerate(names)
        if sizes[i]
    }


def outlined(folder: Path, name: str) -> tuple[list[str], list[Outlined]]:
    """Names of the things, and the capture's pictures with outlines."""
    record = json.loads(OUTLINES.read_text(encoding="utf-8"))[name]
    names = sorted({thing for view in record["views"].values() for thing in view} - {UNCLEAR})
    source = capture.read(folder)
    views = {
        _key(v.frame, record): v
        for v in choose_views(source, len(source.frames), SIDE, "cpu")
        if _key(v.frame, record) in record["views"]
    }
    found = []
    for key, view in views.items():
        things, counts = _drawn(record["views"][key], names, record["size"], view)
        found.append(Outlined(view, things, counts))
    return names, found


def _key(frame: Frame, record: dict) -> str:
    """What a picture is called in the outlines: its file's name, or its number in the video."""
    if "fps" in record and frame.time is not None:
        return str(round(frame.time * record["fps"]))
    return Path(frame.source or frame.image.name).name


def _drawn(
    outlines: dict[str, list], names: list[str], size: list[int], view: SemanticView
) -> tuple[np.ndarray, np.ndarray]:
    """Things (H, W), and where they could be told; both as large as the view."""
    width, height = view.view.width, view.view.height
    canvas = Image.new("I", (width, height), -1)
    for thing, outline in reversed(outlines.items()):  # from back to front
        corners = [(x * width / size[0], y * height / size[1]) for x, y in outline]
        number = len(names) if thing == UNCLEAR else names.index(thing)
        ImageDraw.Draw(canvas).polygon(corners, fill=number)
    things = np.asarray(canvas).astype(int)
    with Image.open(view.frame.image) as image:
        if image.mode == "RGBA":  # what is see-through is no thing
            alpha = np.asarray(image.resize((width, height)))[..., 3]
            things = np.where(alpha > 127, things, -1)
    return np.where(things == len(names), -1, things), things != len(names)
