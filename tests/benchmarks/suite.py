"""Cameras of clips with exact truth: ours with the verdict, COLMAP alone, FlowMap alone. SEEDS and
CLIPS narrow it down.
"""

import os
import resource
import shutil
from pathlib import Path

import numpy as np

from backend.cameras.colmap import runner, solved
from backend.cameras.colmap.colmap_command import ColmapTask
from backend.geometry.conventions import from_viewmat
from backend.media import video
from backend.protocol import SplatsmithError
from backend.runtime.cancel import CancelToken
from tests.benchmarks import camera_errors, clips
from tests.benchmarks.camera_errors import CameraErrors
from tests.benchmarks.clips import Clip
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import OUT, Row, Table, say

SEEDS = [int(s) for s in os.environ.get("SEEDS", "0,1,2").split(",")]
NAMES = [n for n in os.environ.get("CLIPS", ",".join(clips.CLIPS)).split(",") if n]
RIVALS = os.environ.get("RIVALS", "1") == "1"
GOOD_ATE, GOOD_FOCAL, GOOD_TURN = 0.5, 3.0, 0.1  # percent of the path, percent, degrees a frame
WRONG_ATE, WRONG_FOCAL = 2.0, 10.0


def is_good(clip: Clip, errors: CameraErrors | None) -> bool:
    if errors is None or clip.config.truth == "refused":
        return False
    place = errors.turn < GOOD_TURN if clip.config.truth == "rotation" else errors.ate < GOOD_ATE
    return place and errors.focal < GOOD_FOCAL


def is_wrong(clip: Clip, errors: CameraErrors) -> bool:
    return (
        errors.focal > WRONG_FOCAL
        or (clip.config.truth == "solved" and errors.ate > WRONG_ATE)
        or errors.turn > 0.5
    )


def ours(clip: Clip, seed: int, table: Table) -> tuple[CameraErrors | None, str]:
    """Errors and verdict of the product's default."""
    output = table.scratch / clip.video.stem
    manifest = backend("cameras", clip.video, output, "--seed", str(seed), "--no-depth")
    if isinstance(manifest, str):
        say(f"{clip.name:<20} {seed}  refused: {manifest}")
        return None, "refused"
    errors, verdict = camera_errors.of_capture(clip, output), manifest["verdict"]
    level = verdict["level"] if verdict["kind"] == "moving" else f"{verdict['level']}, turning"
    cpu, peak = cost(manifest)
    report(clip.name, "ours", errors, seed, table, cpu, peak)
    table.add(
        Row(clip.name, "ours: reprojection", manifest["metrics"]["reprojection_px"], "px", seed)
    )
    say(f"{clip.name:<20} {seed}  {level}; {manifest['solver']}; {'; '.join(verdict['reasons'])}")
    return errors, level


def report(
    name: str,
    who: str,
    errors: CameraErrors,
    seed: int,
    table: Table,
    cpu: float,
    peak: float = 0.0,
) -> None:
    for metric, value, unit in (
        ("ATE", errors.ate, "%"),
        ("turn a frame", errors.turn, "deg"),
        ("focal", errors.focal, "%"),
        ("placed", errors.placed, "%"),
    ):
        table.add(Row(name, f"{who}: {metric}", value, unit, seed, cpu, peak))


def colmap_alone(clip: Clip, seed: int, table: Table) -> CameraErrors | None:
    """COLMAP with the settings that it comes with: SIFT, neighbouring pictures, one SIMPLE_RADIAL
    camera, incremental.
    """
    work = table.scratch / "colmap" / clip.video.stem
    shutil.rmtree(work, ignore_errors=True)
    footage = video.extract(clip.video, work / "images", 120, 0)
    paths = {k: str(work / f"{k}.npz") for k in ("match", "map")}
    tasks = [
        ColmapTask(
            kind=k,
            images=str(footage.folder),
            work=str(work),
            output="",
            names=footage.names,
            ordered=True,
            solved=paths[k],
            seed=seed,
        )
        for k in ("match", "map")
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        for task in tasks:
            runner.run(task, CancelToken(), lambda _: None, lambda *_: None)
    except SplatsmithError as error:
        say(f"{clip.name:<20} {seed}  COLMAP: {error}")
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = solved.load(Path(paths["map"]))
    if len(found.frames) < 3:
        say(f"{clip.name:<20} {seed}  COLMAP: no cameras")
        return None
    errors = camera_errors.compare(clip, found.frames, from_viewmat(found.viewmats), found.focals)
    report(
        clip.name,
        "COLMAP alone",
        errors,
        seed,
        table,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )
    return errors


def run(table: Table) -> None:
    results, rivals = [], []
    for seed in SEEDS:
        for name in NAMES:
            clip = clips.make(name, seed, OUT / "clips")
            results.append((clip, *ours(clip, seed, table)))
            if RIVALS:
                rivals.append((clip, colmap_alone(clip, seed, table)))
    solvable = [(c, e) for c, e, _ in results if c.config.truth != "refused"]
    table.add(
        Row(
            "all clips",
            "ours: good, of the solvable",
            100 * float(np.mean([is_good(c, e) for c, e in solvable])),
            "%",
        )
    )
    wrong = [
        c.name
        for c, e, level in results
        if e is not None and level.startswith("solved") and is_wrong(c, e)
    ]
    table.add(Row("all clips", "ours: wrong and called solved", len(wrong)))
    called = [level.startswith("solved") for c, e, level in results if is_good(c, e)]
    table.add(
        Row(
            "all clips",
            "ours: good ones called solved",
            100 * float(np.mean(called)) if called else 0.0,
            "%",
        )
    )
    if rivals:
        good = [is_good(c, e) for c, e in rivals if c.config.truth != "refused"]
        table.add(
            Row("all clips", "COLMAP alone: good, of the solvable", 100 * float(np.mean(good)), "%")
        )
        bad = [
            c.name
            for c, e in rivals
            if e is not None and (is_wrong(c, e) or c.config.truth == "rotation")
        ]
        table.add(Row("all clips", "COLMAP alone: wrong, no word of it", len(bad)))
    for name in wrong:
        say(f"wrong and called solved: {name}")
