"""Footage of real moving things: cameras solved from what stands still, one mesh of what moves, its
outline in held-out pictures, and what it looks like from two new sides.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from backend.formats import capture, mesh_sequence
from tests.benchmarks.mesh_clips import inverted_masks, sheet
from tests.benchmarks.mesh_verdicts import LEVELS
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import DATA, Row, Table, say

MASKED = ("davis_blackswan", "davis_camel", "davis_car-roundabout")  # with a mask for every picture
FPS = 24.0
DEVICE = os.environ.get("DEVICE", "auto")


@dataclass(frozen=True)
class Video:
    """Without masks: its object's outline was drawn by hand in a few frames, as an artist would
    (mesh_outlines.json).
    """

    file: str
    width: int
    fps: float


VIDEOS = {"vid_teddy": Video("teddy.mp4", 368, 19.98), "vid_bear": Video("bear.mp4", 854, 30.0)}
OUTLINES = Path(__file__).with_name("mesh_outlines.json")  # frame of the video -> corners in pixels


def run(table: Table, wanted: tuple[str, ...], preset: str) -> None:
    for name in (*MASKED, *VIDEOS):
        if (not wanted or name in wanted) and (DATA / "dynamic" / name).is_dir():
            _one(table, name, preset)


def _one(table: Table, name: str, preset: str) -> None:
    solved, options = _cameras(table, name)
    if solved is None:
        return
    manifest = backend(
        "mesh", solved, table.scratch / name, "--preset", preset, "--device", DEVICE, *options
    )
    if isinstance(manifest, str):
        say(f"{name:<28} {manifest}")
        return
    seconds, memory = cost(manifest)
    metrics = manifest["metrics"]
    for metric, key in (
        ("held-out mask IoU", "iou"),
        ("held-out PSNR inside the object", "psnr_inside"),
        ("held-out PSNR", "psnr"),
        ("degrees seen around it", "arc"),
    ):
        table.add(Row(name, metric, metrics[key], cpu_seconds=seconds, peak_mb=memory))
    verdict = manifest["verdict"]
    table.add(Row(name, "verdict (0 failed, 1 weak, 2 good)", LEVELS[verdict["level"]]))
    say(f"{name:<28} {verdict['level']}: {'; '.join(verdict['reasons'])}")
    sequence, frames = (
        mesh_sequence.read(table.scratch / name / mesh_sequence.NAME),
        capture.read(solved).frames,
    )
    meshes, colors = (
        [(p, sequence.faces) for p in sequence.positions],
        [sequence.colors] * len(sequence.positions),
    )
    sheet(meshes, colors, frames, table.scratch / f"{name}.png", (35.0, -35.0))


def _cameras(table: Table, name: str) -> tuple[Path | None, list[str]]:
    """A capture, and how `mesh` is told where the object is."""
    folder, output = DATA / "dynamic" / name, table.scratch / f"{name}_cameras"
    source, options, extra = folder, [], []
    if name in MASKED:
        masks = next(p for p in (folder / "Annotations").rglob("*.png")).parent
        source = next(p for p in (folder / "JPEGImages").rglob("*.jpg")).parent
        options, extra = (
            ["--masks", str(masks), "--fps", str(FPS)],
            ["--masks", str(inverted_masks(masks, table.scratch / f"{name}_still"))],
        )
    else:
        source = folder / VIDEOS[name].file
    if not (output / "manifest.json").is_file():
        done = backend("cameras", source, output, "--preset", "balanced", *extra)
        if isinstance(done, str):
            say(f"{name:<28} {done}")
            return None, []
        say(f"{name:<28} cameras: {done['summary']}")
    if name in VIDEOS:
        options = [
            "--masks",
            str(_outlined(name, capture.read(output).frames, table.scratch / f"{name}_masks")),
        ]
    return output, options


def _outlined(name: str, frames: list[capture.Frame], folder: Path) -> Path:
    """Masks of the few pictures that are nearest to the frames with an outline; `mesh` carries them
    to the others.
    """
    video = VIDEOS[name]
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for number, corners in json.loads(OUTLINES.read_text(encoding="utf-8"))[name].items():
        times = [frame.time or 0.0 for frame in frames]
        frame = frames[int(np.argmin(np.abs(np.array(times) - int(number) / video.fps)))]
        scale = frame.width / video.width
        image = Image.new("L", (frame.width, frame.height))
        ImageDraw.Draw(image).polygon([(x * scale, y * scale) for x, y in corners], fill=255)
        image.save(folder / f"{frame.image.stem}.png")
    return folder
