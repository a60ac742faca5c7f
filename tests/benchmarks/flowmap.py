"""What FlowMap does alone, what its frozen-pose loss gives as depth, and what splats make of
estimated cameras.
"""

import json
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image

from backend.cameras.flowmap.fit import FlowMapConfig, fit
from backend.cameras.flowmap.solve_footage import PIXELS, as_solve, make_clip
from backend.cameras.footage.images import GrayFrames
from backend.formats import capture, depth_exr
from backend.geometry.conventions import from_viewmat
from backend.media import video
from backend.media.tracks.follow import FollowConfig, follow
from tests.benchmarks import camera_errors, clips
from tests.benchmarks.clips import Clip
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.suite import report
from tests.benchmarks.table import OUT, Row, Table, say

ALONE = ("orbit", "small dolly", "forward dolly", "sideways track", "wide field of view")
DEPTH = ("orbit", "small dolly")
MASKS = ("moving eighth", "moving quarter")
SPLATS = ("orbit", "sideways track")
SEEDS = [int(s) for s in os.environ.get("SEEDS", "0,1,2").split(",")]


def alone(clip: Clip, seed: int, table: Table) -> None:
    """FlowMap without weights, without bundle adjustment: the poses and the lens that gradient
    descent ends at.
    """
    footage = video.extract(clip.video, table.scratch / clip.video.stem, 120, 0)
    start = time.process_time()
    tracks = follow(
        GrayFrames(footage, 960), FollowConfig(points=1200, window=13, back_and_forth=0.3)
    )
    small = make_clip(footage, tracks, None, PIXELS)
    result = fit(small, FlowMapConfig(), seed=seed)
    cpu = time.process_time() - start
    size = footage.width, footage.height
    solve = as_solve(result, size)
    found = camera_errors.compare(
        clip,
        np.arange(len(clip.focals)),
        from_viewmat(solve.viewmats.numpy()),
        solve.focals.numpy(),
    )
    report(clip.name, "FlowMap alone", found, seed, table, cpu)
    truth = np.stack([clip.depth(i, small.size[::-1]) for i in range(len(clip.focals))])
    depth_rows(clip.name, "FlowMap alone", result.depth.numpy(), truth, seed, table)


def depth_rows(
    name: str, who: str, found: np.ndarray, truth: np.ndarray, seed: int, table: Table
) -> None:
    """Mean relative error after one scale for the clip, and the sign of the correlation: near must
    be near.
    """
    scale = np.median(truth / found)
    table.add(
        Row(
            name,
            f"{who}: depth AbsRel",
            float((np.abs(scale * found - truth) / truth).mean()),
            "",
            seed,
        )
    )
    table.add(
        Row(
            name,
            f"{who}: depth correlation",
            float(np.corrcoef(np.log(found).ravel(), np.log(truth).ravel())[0, 1]),
            "",
            seed,
        )
    )


def frozen(clip: Clip, seed: int, table: Table) -> Path | None:
    """The product's depth, at its own cameras."""
    output = table.scratch / f"{clip.video.stem}-capture"
    manifest = backend("cameras", clip.video, output, "--seed", str(seed))
    if isinstance(manifest, str):
        say(f"{clip.name:<20} {seed}  {manifest}")
        return None
    frames = [f for f in capture.read(output).frames if f.depth is not None]
    found = np.stack([depth_exr.read(f.depth) for f in frames if f.depth is not None])
    truth = np.stack(
        [clip.depth(round((f.time or 0) * 12), (found.shape[2], found.shape[1])) for f in frames]
    )
    depth_rows(clip.name, "frozen cameras", found, truth, seed, table)
    cpu, peak = cost(manifest)
    seconds = manifest["timings"]["stages"].get("Dense depth", 0.0)
    table.add(Row(clip.name, "dense depth, wall seconds of all", seconds, "s", seed, cpu, peak))
    return output


def with_true_cameras(clip: Clip, solved: Path, folder: Path) -> Path:
    """The solved capture's pictures with the clip's own cameras; points are triangulated anew."""
    data = json.loads((solved / "transforms.json").read_text(encoding="utf-8"))
    for key in ("fl_x", "fl_y", "ply_file_path"):
        data.pop(key, None)
    for record in data["frames"]:
        index = round(record["time"] * 12)
        record |= {
            "transform_matrix": clip.camera_to_world[index].tolist(),
            "fl_x": clip.focals[index],
            "fl_y": clip.focals[index],
        }
        record.pop("depth_file_path", None)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "images").unlink(missing_ok=True)
    (folder / "images").symlink_to(solved / "images")
    (folder / "transforms.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


def splats(clip: Clip, solved: Path, seed: int, table: Table) -> None:
    """Held-out quality with estimated cameras, with the same from sparse points, and with true
    cameras.
    """
    true = with_true_cameras(clip, solved, table.scratch / f"{clip.video.stem}-true-input")
    cases = {"estimated cameras": solved}
    for name, source, options in (
        ("true cameras", true, ()),
        ("estimated, sparse points", solved, ("--no-depth",)),
    ):
        output = table.scratch / f"{clip.video.stem}-{name.replace(' ', '-').replace(',', '')}"
        target = clip.video if name.startswith("estimated") else source
        done = backend("cameras", target, output, "--seed", str(seed), *options)
        if isinstance(done, str):
            say(f"{clip.name:<20} {name}: {done}")
            continue
        cases[name] = output
    for name, folder in cases.items():
        manifest = backend(
            "splats", folder, table.scratch / "splats", "--preset", "fast", "--seed", str(seed)
        )
        if isinstance(manifest, str):
            say(f"{clip.name:<20} {name}: {manifest}")
            continue
        table.add(
            Row(
                clip.name,
                f"splats, {name}: PSNR",
                manifest["metrics"]["psnr"],
                "dB",
                seed,
                *cost(manifest),
            )
        )


def masks(clip: Clip, seed: int, table: Table) -> None:
    """How well the masks of what moves cover what truly does."""
    output = table.scratch / f"{clip.video.stem}-masks"
    manifest = backend("cameras", clip.video, output, "--seed", str(seed), "--no-depth")
    if isinstance(manifest, str):
        say(f"{clip.name:<20} {seed}  {manifest}")
        return
    both = either = true = 0
    for frame in capture.read(output).frames:
        truth, mask = (
            clip.moving(round((frame.time or 0) * 12)),
            np.zeros(clip.config.size[::-1], bool),
        )
        if frame.mask is not None:
            with Image.open(frame.mask) as image:
                mask = np.asarray(image.resize(clip.config.size, Image.Resampling.NEAREST)) == 0
        both, either, true = (
            both + (mask & truth).sum(),
            either + (mask | truth).sum(),
            true + truth.sum(),
        )
    table.add(
        Row(
            clip.name,
            "motion masks: intersection over union",
            both / either,
            "",
            seed,
            *cost(manifest),
        )
    )
    table.add(Row(clip.name, "motion masks: of the moving pixels", 100 * both / true, "%", seed))


def run(table: Table) -> None:
    """PARTS (the environment's) narrows it down: alone, depth, masks, splats."""
    parts = os.environ.get("PARTS", "alone,depth,masks,splats").split(",")
    for seed in SEEDS:
        for name in ALONE if "alone" in parts else ():
            alone(clips.make(name, seed, OUT / "clips"), seed, table)
        for name in MASKS if "masks" in parts else ():
            masks(clips.make(name, seed, OUT / "clips"), seed, table)
        for name in sorted(
            {*(DEPTH if "depth" in parts else ()), *(SPLATS if "splats" in parts else ())}
        ):
            clip = clips.make(name, seed, OUT / "clips")
            solved = frozen(clip, seed, table)
            if solved is not None and "splats" in parts and name in SPLATS and seed == SEEDS[0]:
                splats(clip, solved, seed, table)
