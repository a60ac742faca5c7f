"""`make bench ROOM=dynamic_mesh`: clips with exact truth (CLIPS=monkey,fox for some), and real ones (CLIPS=real).

Units: the longest side of the object's box over the whole clip is 1. Chamfer and earth mover's distance as in the paper (Liu et al. 2024):
squared, between vertices, times 1000; and between surface samples. Every eighth picture is held out.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import torch

from backend.dynamic_mesh.mesh_rasterizer import fragments, picture, project
from backend.dynamic_mesh.quality import mask_iou
from backend.formats import capture, mesh_sequence
from backend.formats.mesh_sequence import MeshSequence
from backend.geometry.conventions import align_similarity, to_viewmat
from tests.benchmarks import mesh_metrics as metrics
from tests.benchmarks.clay import draw
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import DATA, ROOT, Row, Table, say

KNOWN = ("monkey", "flag", "metaballs", "torus", "fox", "knight", "mage", "horse", "wolf", "robot", "monkey_front", "knight_front")
ESTIMATED = ("monkey_estimated", "fox_estimated")
BLENDER = ROOT / ".venv-bpy45" / "bin" / "python"
EVERY = 5  # frames between those that are compared
QUARTER = 90.0  # degrees
BAKED = "monkey"  # the clip whose result is written as every kind of file
SAMPLES = 1024  # of the exact earth mover's distance
Truth = list[tuple[np.ndarray, np.ndarray]]  # vertices and faces, a frame each


def clips(folder: Path, names: tuple[str, ...]) -> None:
    """Films what is missing."""
    missing = [n for n in names if not (folder / f"{n}.npz").is_file() or not (folder / n / "transforms.json").is_file()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [str(BLENDER), str(ROOT / "tests/helpers/moving_objects.py"), str(folder), *missing], check=True, capture_output=True
        )


def read_truth(path: Path) -> Truth:
    with np.load(path) as data:
        if "faces" in data:
            return [(v, data["faces"]) for v in data["vertices"]]
        count = sum(name.startswith("faces") for name in data.files)
        return [(data[f"vertices{i}"], data[f"faces{i}"]) for i in range(count)]


def _coverage(vertices: np.ndarray, faces: np.ndarray, frame: capture.Frame) -> torch.Tensor:
    viewmat, K = torch.tensor(to_viewmat(frame.camera_to_world)).float(), torch.tensor(frame.K).float()
    screen = project(torch.tensor(vertices).float(), torch.tensor(faces.astype(np.int64)), viewmat, K, (frame.width, frame.height))
    seen = fragments(screen)
    return picture(seen, screen, torch.zeros(len(seen.pixels), 0))[..., 0]


def _around(frame: capture.Frame, center: np.ndarray) -> capture.Frame:
    """The same camera a quarter further around the object."""
    from dataclasses import replace

    turn = np.eye(4)
    turn[:2, :2] = [[0, -1], [1, 0]]
    shift = np.eye(4)
    shift[:3, 3] = center
    return replace(frame, camera_to_world=shift @ turn @ np.linalg.inv(shift) @ frame.camera_to_world)


def compare(positions: np.ndarray, faces: np.ndarray, truth: Truth, frames: list[capture.Frame]) -> dict[str, float]:
    """All measures against the truth, at every fifth moment."""
    everything = np.concatenate([v for v, _ in truth])
    size, center = float(np.ptp(everything, axis=0).max()), (everything.max(0) + everything.min(0)) / 2
    random, rows = np.random.default_rng(0), []
    for k in range(0, len(truth), EVERY):
        (true, true_faces), found = truth[k], positions[k]
        a, b = (metrics.sample_surface(v, f, 2 * SAMPLES, random) / size for v, f in ((found, faces), (true, true_faces)))
        view = _around(frames[k], center)
        rows.append([
            1e3 * metrics.chamfer_squared(found / size, true / size), metrics.earth_movers(a[:SAMPLES], b[:SAMPLES]),
            100 * metrics.chamfer(a, b), mask_iou(_coverage(found, faces, view), _coverage(true, true_faces, view)),
        ])  # fmt: skip
    result = dict(zip(("CD x1e-3", "EMD", "L1 CD %", "IoU at +90 degrees"), np.mean(rows, axis=0).tolist(), strict=True))
    if len({len(v) for v, _ in truth}) == 1:
        moved, still = metrics.trajectory_error(positions / size, np.stack([v for v, _ in truth]) / size)
        result |= {"trajectory error %": 100 * moved, "of a motionless mesh %": 100 * still}
    return result


def _to_truth(sequence: MeshSequence, solved: capture.Capture, true: capture.Capture) -> np.ndarray:
    """(T, V, 3) in the truth's world: estimated cameras know neither place nor scale."""
    by_name = {f.image.name: f for f in true.frames}
    pairs = [(f.camera_to_world[:3, 3], by_name[Path(f.source or f.image.name).name].camera_to_world[:3, 3]) for f in solved.frames]
    scale, rotation, shift = align_similarity(*(np.stack(side) for side in zip(*pairs, strict=True)))
    return np.asarray(scale * sequence.positions @ rotation.T + shift)


def _one(table: Table, folder: Path, name: str, preset: str) -> None:
    source, options = folder / name, []
    if name in ESTIMATED:
        source = table.scratch / f"{name}_cameras"
        solved = backend("cameras", folder / name / "images", source, "--preset", "balanced", "--masks", str(_inverted(folder / name)))
        if isinstance(solved, str):
            say(f"{name:<28} {solved}")
            return
        options = ["--masks", str(folder / name / "masks"), "--fps", "24"]
    manifest = backend("mesh", source, table.scratch / name, "--preset", preset, *options)
    if isinstance(manifest, str):
        say(f"{name:<28} {manifest}")
        return
    seconds, memory = cost(manifest)
    sequence, true = mesh_sequence.read(table.scratch / name / mesh_sequence.NAME), capture.read(folder / name)
    positions = _to_truth(sequence, capture.read(source), true) if name in ESTIMATED else sequence.positions
    found = compare(positions, sequence.faces, read_truth(folder / f"{name}.npz"), true.frames)
    found |= {
        "held-out PSNR": manifest["metrics"]["psnr"],
        "held-out mask IoU": manifest["metrics"]["iou"],
        "frames of one topology %": 100.0,
    }
    for metric, value in found.items():
        table.add(Row(name, metric, value, cpu_seconds=seconds, peak_mb=memory))


def _inverted(clip: Path) -> Path:
    """Masks for the camera solver: black is what moves."""
    from PIL import Image, ImageOps

    folder = clip / "still"
    folder.mkdir(exist_ok=True)
    for mask in sorted((clip / "masks").glob("*.png")):
        with Image.open(mask) as image:
            ImageOps.invert(image.convert("L")).save(folder / mask.name)
    return folder


def sheet(sequence: MeshSequence, frames: list[capture.Frame], path: Path) -> None:
    """Five moments from two sides that no camera was at."""
    from PIL import Image

    center = sequence.positions.reshape(-1, 3).mean(0)
    rows = []
    for k in np.linspace(0, len(sequence.seconds) - 1, 5).round().astype(int):
        here = frames[min(k, len(frames) - 1)]
        views = [_around(here, center), _around(_around(_around(here, center), center), center)]
        args = (
            torch.tensor(sequence.positions[k]).float(),
            torch.tensor(sequence.faces.astype(np.int64)),
            torch.tensor(sequence.colors).float(),
        )
        rows.append(np.vstack([
            draw(*args, torch.tensor(to_viewmat(v.camera_to_world)).float(), torch.tensor(v.K).float(), (v.width, v.height)) for v in views
        ]))  # fmt: skip
    Image.fromarray(np.hstack(rows)).save(path)


def _bakes(table: Table, name: str) -> None:
    """Every kind of file, written and read back in Blender."""
    arguments = [str(BLENDER), str(ROOT / "tests/helpers/bake_all.py"), str(table.scratch / name / mesh_sequence.NAME)]
    done = subprocess.run([*arguments, str(table.scratch / f"{name}_baked")], capture_output=True, text=True, check=True)
    for line in done.stderr.splitlines():
        if line.startswith("BAKED "):
            found = json.loads(line.removeprefix("BAKED "))
            table.add(Row(f"{name} {found['kind']}", "size", found["megabytes"], "MB"))
            table.add(Row(f"{name} {found['kind']}", "largest error, of the box", found["error"]))


def run(table: Table) -> None:
    wanted = tuple(name for name in os.environ.get("CLIPS", "").split(",") if name) or (*KNOWN, *ESTIMATED)
    preset = os.environ.get("PRESET", "balanced")
    folder = table.scratch / "clips"
    usable = tuple(
        n
        for n in wanted
        if n in (*KNOWN, *ESTIMATED) and (DATA.is_dir() or n.partition("_")[0] in ("monkey", "flag", "metaballs", "torus"))
    )
    clips(folder, usable)
    for name in usable:
        _one(table, folder, name, preset)
        result = table.scratch / name / mesh_sequence.NAME
        if result.is_file() and name in KNOWN:
            if name == BAKED:
                _bakes(table, name)
            sheet(mesh_sequence.read(result), capture.read(folder / name).frames, table.scratch / f"{name}.png")
