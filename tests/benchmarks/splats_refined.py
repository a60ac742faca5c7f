"""Whether camera refinement helps: the same training on the cameras that *Solve Cameras* found, on
the same disturbed, and on ones that the training may move. Every eighth picture is held out; its
own camera is moved by neither, but aligned before the second figure (aligned_cameras.py).
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from tests.benchmarks.aligned_cameras import aligned_psnr
from tests.benchmarks.splats import solved, train
from tests.benchmarks.table import Row, Table

CASES = ("fox", "lund_door", "tum_fr2_desk", "vid_apple")
PIXELS = 60_000
OPTIONS = ("--max-pixels", str(PIXELS), "--max-splats", "30000", "--steps", "2500")
TURNED, MOVED = 0.15, 0.003  # degrees, and shares of the cameras' extent; each axis, at random
WAYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("as given", ()),
    ("refined", ("--refine-cameras",)),
)


def run(table: Table) -> None:
    """CASES (the environment's) narrows it down."""
    wanted = os.environ.get("CASES", ",".join(CASES)).split(",")
    for case in CASES:
        capture = solved(case) if case in wanted else None
        if capture is not None:
            _both(table, f"{case}, as solved", capture)
            _both(table, f"{case}, disturbed", _disturbed(capture, table.scratch / f"{case} off"))


def _both(table: Table, case: str, capture: Path) -> None:
    for way, options in WAYS:
        name = f"{case}, {way}"
        train(table, name, capture, (*OPTIONS, *options), curve=False)
        ply = table.scratch / f"{name} splats" / "splats.ply"
        if ply.is_file():
            value = aligned_psnr(ply, capture, PIXELS)
            table.add(Row(name, "psnr, held-out cameras aligned", value, "dB", 0))


def _disturbed(capture: Path, output: Path) -> Path:
    """A copy of the capture whose cameras are off by a little."""
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(capture, output)
    path, random = output / "transforms.json", np.random.default_rng(0)
    told = json.loads(path.read_text(encoding="utf-8"))
    places = np.array([frame["transform_matrix"] for frame in told["frames"]])[:, :3, 3]
    extent = np.linalg.norm(places - places.mean(0), axis=1).max()
    for frame in told["frames"]:
        matrix = np.array(frame["transform_matrix"])
        turn = Rotation.from_rotvec(np.radians(TURNED) * random.normal(size=3)).as_matrix()
        matrix[:3, :3] = matrix[:3, :3] @ turn
        matrix[:3, 3] += MOVED * extent * random.normal(size=3)
        frame["transform_matrix"] = matrix.tolist()
    path.write_text(json.dumps(told), encoding="utf-8")
    return output
