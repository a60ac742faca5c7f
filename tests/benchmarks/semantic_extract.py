"""*Extract* of the fox, which the product has solved, trained and segmented itself, without a
model: is it one piece, is it whole, and is it nothing else? Its pictures before flat gray are kept
in out/bench/semantics for looking at.
"""

from pathlib import Path

import cv2
import numpy as np

from backend.cutting.footprints import footprints_of
from backend.cutting.parts import object_parts
from backend.formats import capture, semantics_file, splat_ply
from backend.gaussians.region_weights import label_map
from backend.semantics.views import choose_views
from tests.benchmarks import semantic_outlines
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.semantic_rooms import drawables
from tests.benchmarks.semantic_trained import PRESET, owners_of, tree_of
from tests.benchmarks.table import Row, Table

SCENE, THING = "fox", "fox"
SOLID = 0.5  # alpha from which a pixel shows it
GRAY, SCALE = "0.55,0.55,0.55", "0.3"
SPECKS = 1e-3  # of a picture's pixels of it, that may lie beside the rest: ends of hairs
FRAY = 3  # pixels by which an outline that was drawn by hand may be off


def run(table: Table) -> None:
    folder = semantic_outlines.trained(SCENE)
    if folder is None:
        return
    ply, objects = folder / "splats" / "splats.ply", table.scratch / f"{SCENE} objects"
    camera = ("--capture", str(folder / "capture"))
    _done("segment", ply, objects, *camera, "--preset", PRESET)
    owner, tree = owners_of(objects), tree_of(objects)
    fit = semantic_outlines.judge(folder, SCENE, ply, owner, tree)[THING]
    table.add(Row(SCENE, f"{THING}: IoU of the best object", 100 * fit.iou, "%"))
    for way, options in (("plainly", ()), ("clean", ("--clean",))):
        output = table.scratch / f"{SCENE} extracted {way}"
        chosen = ("--objects", str(fit.number), "--no-plain", *options)
        cpu, peak = _done("select", objects, output, *chosen)
        for metric, value, unit in judged(folder, output / "splats.ply", fit.number):
            table.add(Row(f"{SCENE}, extracted {way}", metric, value, unit, 0, cpu, peak))
        pictures = table.scratch / f"{SCENE} extracted {way}, pictures"
        look = ("--background", GRAY, "--scale", SCALE)
        _done("render", output / "splats.ply", pictures, *camera, *look)


def _done(verb: str, source: Path, output: Path, *options: str) -> tuple[float, float]:
    done = backend(verb, source, output, *options)
    if isinstance(done, str):
        raise RuntimeError(f"{verb} failed at {source}: {done}")
    return cost(done)


def judged(folder: Path, ply: Path, number: int) -> list[tuple[str, float, str]]:
    """What was extracted, by itself and as all cameras of the capture see it."""
    arrays, (gaussians, _) = splat_ply.read(ply), drawables(ply)
    of = arrays.extra[semantics_file.LABEL].astype(int)
    loose = object_parts(footprints_of(arrays)).floaters
    whole = np.zeros(len(arrays), np.int32)

    def shown(view: semantic_outlines.SemanticView) -> np.ndarray:
        return label_map(gaussians, view.view, whole, 1)[1] > SOLID

    source = capture.read(folder / "capture")
    views = choose_views(source, len(source.frames), semantic_outlines.SIDE, "cpu")
    pieces = [crumbs(shown(view)) for view in views]
    names, outlined = semantic_outlines.outlined(folder / "capture", SCENE)
    inside, mine, beside = 0, 0, 0
    for one in outlined:
        drawn, true = shown(one.view) & one.counts, one.things == names.index(THING)
        inside, mine = inside + (drawn & true).sum(), mine + (true & one.counts).sum()
        beside += (drawn & ~_grown(true)).sum()
    return [
        ("splats", float(len(arrays)), ""),
        ("splats of other objects", float((of != number).sum()), ""),
        ("splats that hang on nothing", float(loose.sum()), ""),
        ("views that show it in one piece", 100 * float(np.mean(np.array(pieces) < SPECKS)), "%"),
        ("pixels beside the largest piece", 100 * float(np.mean(pieces)), "%"),
        ("pixels of it that are there", 100 * float(inside / max(mine, 1)), "%"),
        ("pixels of other things", 100 * float(beside / max(mine, 1)), "%"),
    ]


def crumbs(shown: np.ndarray) -> float:
    """The share of a picture's pixels (H, W) that hang together with the largest part of none."""
    _, _, told, _ = cv2.connectedComponentsWithStats(shown.astype(np.uint8), connectivity=8)
    sizes = told[1:, cv2.CC_STAT_AREA]
    return float(1 - sizes.max() / sizes.sum()) if len(sizes) else 0.0


def _grown(mask: np.ndarray) -> np.ndarray:
    kernel = np.ones((2 * FRAY + 1, 2 * FRAY + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
