"""Cameras from real footage: how many, how far off, what the verdict says. Solved captures stay for the room `splats`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from backend.formats import capture, depth_exr
from tests.benchmarks import truth
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import Row, Table, has, say

CASES = {
    "fox": ("static/fox/images", "static/fox", truth.fox),
    "strecha_fountain_P11": ("static/strecha_fountain_P11/images", "static/strecha_fountain_P11", truth.fountain),
    "lund_door": ("static/lund_door/images", "static/lund_door", truth.lund),
    "tum_fr2_desk": ("static/tum_fr2_desk", "static/tum_fr2_desk", truth.tum),
    "vid_apple": ("static/vid_apple/apple.mp4", "", None),
}
RGBD = {"slambook_rgbd5": 1000.0, "icl_rgbd5": 5000.0}  # units of the depth files to a metre
DAVIS = ("davis_blackswan", "davis_camel", "davis_car-roundabout")


def solve(table: Table, case: str, source: Path, read_truth: Callable | None, known: Path | None, *options: str) -> Path | None:
    """Solves at the balanced preset; the capture's folder."""
    output = table.scratch / case.replace(" ", "-")
    manifest = backend("cameras", source, output, "--preset", "balanced", *options)
    if isinstance(manifest, str):
        say(f"{case:<28} {manifest}")
        table.add(Row(case, "registered", 0, "%"))
        return None
    cpu, peak = cost(manifest)
    table.add(Row(case, "registered", 100 * manifest["metrics"]["registered"] / manifest["metrics"]["pictures"], "%", 0, cpu, peak))
    table.add(Row(case, "reprojection", manifest["metrics"]["reprojection_px"], "px"))
    table.add(Row(case, "focal length", manifest["metrics"]["focal_px"], "px"))
    if read_truth and known:
        table.add(Row(case, "ATE, share of the path", truth.trajectory_error(output, read_truth(known)), "%"))
    verdict = manifest["verdict"]
    say(f"{case:<28} {verdict['level']} ({verdict['kind']}, {manifest['solver']}) {'; '.join(verdict['reasons'])}")
    return output


def depth_error(output: Path, folder: Path, unit: float) -> tuple[float, float]:
    """Mean relative error after one scale for all pictures, and the correlation of the logarithms."""
    ours, theirs = [], []
    for frame in capture.read(output).frames:
        if frame.depth is None:
            continue
        found = depth_exr.read(frame.depth)
        known = cv2.imread(str(folder / "depth" / frame.source), cv2.IMREAD_UNCHANGED)
        if known is None:
            continue
        sized = cv2.resize(known, found.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(np.float64) / unit
        good = (sized > 0) & (found > 0)
        ours.append(found[good])
        theirs.append(sized[good])
    if not ours:
        return float("inf"), float("nan")
    a, b = np.concatenate(ours), np.concatenate(theirs)
    scale = np.median(b / a)
    return float((np.abs(scale * a - b) / b).mean()), float(np.corrcoef(np.log(a), np.log(b))[0, 1])


def davis(table: Table, case: str) -> None:
    """A clip with something that moves: with its masks, and without."""
    root = has(f"dynamic/{case}")
    if root is None:
        return
    images = next(p for p in sorted((root / "JPEGImages").rglob("*")) if p.suffix == ".jpg").parent
    masks = next(p for p in sorted((root / "Annotations").rglob("*")) if p.suffix == ".png").parent
    inverted = table.scratch / f"{case}-masks"
    shutil.rmtree(inverted, ignore_errors=True)
    inverted.mkdir(parents=True)
    for path in masks.glob("*.png"):  # theirs show what moves, ours what stays
        cv2.imwrite(str(inverted / path.name), np.where(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0, 0, 255).astype(np.uint8))
    solve(table, case, images, None, None, "--no-depth")
    solve(table, f"{case} masked", images, None, None, "--no-depth", "--masks", str(inverted))


def flow(table: Table) -> None:
    """DIS flow against Middlebury's RubberWhale."""
    from backend.cameras.tracks.flow import flow_between

    root = has("flow/middlebury_rubberwhale")
    if root is None:
        return
    first, second = (cv2.imread(str(root / f"rubberwhale{i}.png"), cv2.IMREAD_GRAYSCALE) for i in (1, 2))
    known = cv2.readOpticalFlow(str(root / "flow_gt.flo"))
    miss = np.linalg.norm(flow_between(first, second) - known, axis=-1)[np.abs(known).max(-1) < 1e3]
    table.add(Row("middlebury_rubberwhale", "flow: mean end-point error", float(miss.mean()), "px"))
    table.add(Row("middlebury_rubberwhale", "flow: median end-point error", float(np.median(miss)), "px"))


def run(table: Table) -> None:
    for case, (path, truth_path, read_truth) in CASES.items():
        source = has(path)
        if source is not None:
            solve(table, case, source, read_truth, has(truth_path) if truth_path else None)
    for case, unit in RGBD.items():
        root = has(f"static/{case}")
        output = solve(table, case, root / "color", None, None) if root else None
        if output is not None and root is not None:
            error, correlation = depth_error(output, root, unit)
            table.add(Row(case, "depth: mean relative error", error))
            table.add(Row(case, "depth: correlation of logs", correlation))
    for case in DAVIS:
        davis(table, case)
    flow(table)
