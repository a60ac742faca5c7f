"""Cameras from real footage: how many, how far off, what the verdict says. Solved captures stay for
the room `splats`.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from backend.formats import capture, depth_exr
from backend.geometry.conventions import FLIP_YZ
from tests.benchmarks import clips, truth
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import OUT, Row, Table, has, say

CASES = {
    "fox": ("static/fox/images", "static/fox", truth.fox),
    "strecha_fountain_P11": (
        "static/strecha_fountain_P11/images",
        "static/strecha_fountain_P11",
        truth.fountain,
    ),
    "lund_door": ("static/lund_door/images", "static/lund_door", truth.lund),
    "tum_fr2_desk": ("static/tum_fr2_desk", "static/tum_fr2_desk", truth.tum),
    "vid_apple": ("static/vid_apple/apple.mp4", "", None),
}
RGBD = {  # fl_x fl_y cx cy, units of the depth files to a metre, whether their y axis points up
    "slambook_rgbd5": ((518.0, 519.0, 325.5, 253.5), 1000.0, False),
    "icl_rgbd5": ((481.2, 480.0, 319.5, 239.5), 5000.0, True),
}
LONG = "2000 frames"
DAVIS = ("davis_blackswan", "davis_camel", "davis_car-roundabout")


def solve(
    table: Table,
    case: str,
    source: Path,
    read_truth: Callable | None,
    known: Path | None,
    *options: str,
) -> Path | None:
    """Solves at the balanced preset; the capture's folder."""
    output = table.scratch / case.replace(" ", "-")
    manifest = backend("cameras", source, output, "--preset", "balanced", *options)
    if isinstance(manifest, str):
        say(f"{case:<28} {manifest}")
        table.add(Row(case, "registered", 0, "%"))
        return None
    cpu, peak = cost(manifest)
    table.add(
        Row(
            case,
            "registered",
            100 * manifest["metrics"]["registered"] / manifest["metrics"]["pictures"],
            "%",
            0,
            cpu,
            peak,
        )
    )
    table.add(Row(case, "reprojection", manifest["metrics"]["reprojection_px"], "px"))
    table.add(Row(case, "focal length", manifest["metrics"]["focal_px"], "px"))
    if read_truth and known:
        table.add(
            Row(
                case,
                "ATE, share of the path",
                truth.trajectory_error(output, read_truth(known)),
                "%",
            )
        )
    verdict = manifest["verdict"]
    say(
        f"{case:<28} {verdict['level']} ({verdict['kind']}, {manifest['solver']}) "
        f"{'; '.join(verdict['reasons'])}"
    )
    return output


def depth_error(output: Path, folder: Path, unit: float) -> tuple[float, float]:
    """Mean relative error after one scale for all pictures, and the correlation of the
    logarithms.
    """
    ours, theirs = [], []
    for frame in capture.read(output).frames:
        if frame.depth is None:
            continue
        found = depth_exr.read(frame.depth)
        path = next((folder / "depth").glob(f"{Path(frame.source).stem}.*"))
        known = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        sized = (
            cv2.resize(known, found.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(np.float64)
            / unit
        )
        good = (sized > 0) & (found > 0)
        ours.append(found[good])
        theirs.append(sized[good])
    if not ours:
        return float("inf"), float("nan")
    a, b = np.concatenate(ours), np.concatenate(theirs)
    scale = np.median(b / a)
    return float((np.abs(scale * a - b) / b).mean()), float(np.corrcoef(np.log(a), np.log(b))[0, 1])


def rgbd(table: Table, case: str, root: Path) -> None:
    """Depth at the given cameras, five pictures with wide steps between them."""
    (fl_x, fl_y, cx, cy), unit, y_up = RGBD[case]
    given = table.scratch / f"{case}-given"
    shutil.rmtree(given, ignore_errors=True)
    shutil.copytree(root / "color", given / "images")
    rows = [
        [float(v) for v in line.split()]
        for line in (root / "pose.txt").read_text().splitlines()
        if line.strip()
    ]
    names = sorted(
        (p.name for p in (given / "images").iterdir()), key=lambda n: int(n.split(".")[0])
    )
    mirror, frames = np.diag([1.0, -1.0 if y_up else 1.0, 1.0, 1.0]), []
    for name, (x, y, z, *quat) in zip(names, rows, strict=True):
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = Rotation.from_quat(quat).as_matrix(), (x, y, z)
        frames.append(
            {
                "file_path": f"images/{name}",
                "transform_matrix": (mirror @ pose @ mirror @ FLIP_YZ).tolist(),
            }
        )
    height, width = cv2.imread(str(given / "images" / names[0])).shape[:2]
    camera = {"fl_x": fl_x, "fl_y": fl_y, "cx": cx, "cy": cy, "w": width, "h": height}
    (given / "transforms.json").write_text(
        json.dumps({**camera, "frames": frames}), encoding="utf-8"
    )
    output = table.scratch / f"{case}-depth"
    manifest = backend("cameras", given, output)
    if isinstance(manifest, str):
        say(f"{case:<28} {manifest}")
        return
    error, correlation = depth_error(output, root, unit)
    table.add(Row(case, "depth, given cameras: AbsRel", error, "", 0, *cost(manifest)))
    table.add(Row(case, "depth, given cameras: correlation", correlation))


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
        cv2.imwrite(
            str(inverted / path.name),
            np.where(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0, 0, 255).astype(np.uint8),
        )
    solve(table, case, images, None, None, "--no-depth")
    solve(table, f"{case} masked", images, None, None, "--no-depth", "--masks", str(inverted))


def long_clip(table: Table) -> None:
    """2000 frames solved together: the orbit of the suite, there and back again, compressed. Memory
    and time are the figures.
    """
    import av

    path = table.scratch / "long.mp4"
    with av.open(str(clips.make("orbit", 0, OUT / "clips").video)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    there_and_back = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "14"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for i in range(2000):
            container.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(
                        frames[there_and_back[i % len(there_and_back)]], format="rgb24"
                    )
                )
            )
        container.mux(stream.encode(None))
    solve(table, LONG, path, None, None, "--no-depth", "--frames", "2000")


def flow(table: Table) -> None:
    """DIS flow against Middlebury's RubberWhale."""
    from backend.media.tracks.flow import flow_between

    root = has("flow/middlebury_rubberwhale")
    if root is None:
        return
    first, second = (
        cv2.imread(str(root / f"rubberwhale{i}.png"), cv2.IMREAD_GRAYSCALE) for i in (1, 2)
    )
    known = cv2.readOpticalFlow(str(root / "flow_gt.flo"))
    miss = np.linalg.norm(flow_between(first, second) - known, axis=-1)[np.abs(known).max(-1) < 1e3]
    table.add(Row("middlebury_rubberwhale", "flow: mean end-point error", float(miss.mean()), "px"))
    table.add(
        Row("middlebury_rubberwhale", "flow: median end-point error", float(np.median(miss)), "px")
    )


def run(table: Table) -> None:
    """CASES (the environment's) narrows it down."""
    wanted = os.environ.get("CASES", ",".join([*CASES, *RGBD, *DAVIS, LONG])).split(",")
    for case, (path, truth_path, read_truth) in CASES.items():
        source = has(path) if case in wanted else None
        if source is not None:
            solve(table, case, source, read_truth, has(truth_path) if truth_path else None)
    for case in RGBD:
        root = has(f"static/{case}") if case in wanted else None
        if root is not None:
            solve(table, case, root / "color", None, None, "--no-depth")
            rgbd(table, case, root)
    for case in DAVIS:
        if case in wanted:
            davis(table, case)
    if LONG in wanted:
        long_clip(table)
    flow(table)
