"""`make bench ROOM=dynamic_mesh`: both modes on clips with exact truth, real clips, and files for
engines.

PART=tracked,free,real,engine,bones,masks,verdicts for some; CLIPS=monkey,fox for some; PRESET;
DEVICE; HOW=blurred for some of the spoilt clips of the verdicts. Every eighth picture is held out.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np

from backend.formats import capture, mesh_frames, mesh_sequence
from tests.benchmarks import mesh_bones, mesh_engine, mesh_masks, mesh_real, mesh_verdicts
from tests.benchmarks.mesh_clips import (
    BLENDER,
    ESTIMATED,
    GIVEN,
    KNOWN,
    Meshes,
    compare,
    compare_tracks,
    film,
    filmed_as,
    inverted_masks,
    read_truth,
    sheet,
    to_truth,
    usable,
)
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import ROOT, Row, Table, say

PARTS = ("tracked", "free", "real", "engine", "bones", "masks", "verdicts")
BAKED = "monkey"  # the clip whose result is written as every kind of file


def _reconstructed(
    table: Table, folder: Path, name: str, mode: str, preset: str
) -> tuple[dict, capture.Capture] | None:
    """The manifest, and the capture that it was made from."""
    clip, options = (
        folder / filmed_as(name),
        ["--mode", mode, "--device", os.environ.get("DEVICE", "auto")],
    )
    source = clip
    if name in ESTIMATED:
        source = table.scratch / f"{name}_cameras"
        if not (source / "manifest.json").is_file():
            still = inverted_masks(clip / "masks", clip / "still")
            solved = backend(
                "cameras", clip / "images", source, "--preset", "balanced", "--masks", str(still)
            )
            if isinstance(solved, str):
                say(f"{name:<28} {solved}")
                return None
    if name in (*ESTIMATED, *GIVEN):
        options += ["--masks", str(clip / "masks"), "--fps", "24"]
    manifest = backend(
        "mesh", source, table.scratch / f"{name}_{mode}", "--preset", preset, *options
    )
    if isinstance(manifest, str):
        say(f"{name:<28} {manifest}")
        return None
    return manifest, capture.read(source)


def read_result(folder: Path) -> tuple[Meshes, np.ndarray, list[np.ndarray]]:
    """Meshes, places that keep their identity (T, V, 3), and the vertices' colours, of either
    mode.
    """
    if (folder / mesh_sequence.NAME).is_file():
        found = mesh_sequence.read(folder / mesh_sequence.NAME)
        return (
            [(p, found.faces) for p in found.positions],
            found.positions,
            [found.colors] * len(found.positions),
        )
    free = mesh_frames.read(folder / mesh_frames.NAME)
    return (
        [(f.vertices, f.faces) for f in free.frames],
        free.canonical_tracks,
        [f.colors for f in free.frames],
    )


def _one(table: Table, folder: Path, name: str, mode: str, preset: str) -> None:
    done = _reconstructed(table, folder, name, mode, preset)
    if done is None:
        return
    manifest, solved = done
    seconds, memory = cost(manifest)
    true, truth = (
        capture.read(folder / filmed_as(name)),
        read_truth(folder / f"{filmed_as(name)}.npz"),
    )
    meshes, tracks, colors = read_result(table.scratch / f"{name}_{mode}")
    if len(meshes) != len(truth):
        say(f"{name:<28} {len(meshes)} meshes for {len(truth)} moments: nothing to compare")
        return
    if name in ESTIMATED:
        meshes, tracks = (
            [(to_truth(v, solved, true), f) for v, f in meshes],
            to_truth(tracks, solved, true),
        )
    found = compare(meshes, truth, true.frames) | compare_tracks(tracks, truth)
    found |= {
        "held-out PSNR inside the object": manifest["metrics"]["psnr_inside"],
        "held-out PSNR": manifest["metrics"]["psnr"],
        "held-out mask IoU": manifest["metrics"]["iou"],
        "frames of one topology %": 100 * manifest["metrics"]["one_topology"],
    }
    if "cycle_error" in manifest["metrics"]:
        found["cycle error, half boxes"] = manifest["metrics"]["cycle_error"]
    for metric, value in found.items():
        table.add(Row(f"{name} {mode}", metric, value, cpu_seconds=seconds, peak_mb=memory))
    sheet(meshes, colors, true.frames, table.scratch / f"{name}_{mode}.png", (90.0, 180.0))


def _bakes(table: Table, name: str) -> None:
    """Every kind of file, written and read back in Blender."""
    arguments = [
        str(BLENDER),
        str(ROOT / "tests/helpers/bake_all.py"),
        str(table.scratch / f"{name}_tracked" / mesh_sequence.NAME),
    ]
    done = subprocess.run(
        [*arguments, str(table.scratch / f"{name}_baked")],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in done.stderr.splitlines():
        if line.startswith("BAKED "):
            found = json.loads(line.removeprefix("BAKED "))
            table.add(Row(f"{name} {found['kind']}", "size", found["megabytes"], "MB"))
            table.add(Row(f"{name} {found['kind']}", "largest error, of the box", found["error"]))


def run(table: Table) -> None:
    parts = tuple(p for p in os.environ.get("PART", "").split(",") if p) or PARTS
    wanted = tuple(name for name in os.environ.get("CLIPS", "").split(",") if name)
    preset, folder = os.environ.get("PRESET", "balanced"), table.scratch / "clips"
    names = usable(wanted or (*KNOWN, *ESTIMATED, *GIVEN))
    film(folder, names)
    for name in names:
        for mode in ("tracked", "free"):
            if mode in parts:
                _one(table, folder, name, mode, preset)
    if "engine" in parts and (table.scratch / f"{BAKED}_tracked" / mesh_sequence.NAME).is_file():
        _bakes(table, BAKED)
        mesh_engine.run(
            table,
            table.scratch / f"{BAKED}_baked",
            table.scratch / f"{BAKED}_tracked" / mesh_sequence.NAME,
        )
    if "bones" in parts:
        mesh_bones.run(table, folder)
    if "real" in parts:
        mesh_real.run(table, wanted, preset)
    if "masks" in parts:
        mesh_masks.run(table, wanted)
    if "verdicts" in parts:
        mesh_verdicts.run(table, folder, wanted, preset)
