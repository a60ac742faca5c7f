"""Clips of moving objects with exact truth, and how close a reconstruction comes to it.

Units: the longest side of the object's box over the whole clip is 1. Chamfer and earth mover's
distance as in the paper (Liu et al. 2024): squared, between vertices, times 1000; and between
surface samples.
"""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from backend.dynamic_mesh.optimization.quality import mask_iou
from backend.dynamic_mesh.surfaces.mesh_rasterizer import fragments, project, render_image
from backend.formats import capture
from backend.geometry.conventions import align_similarity, to_viewmat
from tests.benchmarks import mesh_metrics as metrics
from tests.benchmarks.clay import draw
from tests.benchmarks.table import DATA, ROOT

KNOWN = (
    "monkey",
    "flag",
    "metaballs",
    "torus",
    "fox",
    "knight",
    "mage",
    "horse",
    "wolf",
    "robot",
    "monkey_front",
    "knight_front",
)
DEVELOPED_ON = ("knightwalk", "foxrun", "wolfwalk")  # gaits that constants were chosen on
HELD_OUT = ("knightrun", "magerun", "horsewalk", "robotwalk")  # and that were not
GAITS = (*DEVELOPED_ON, *HELD_OUT)
BANDS = ("lowest third", "middle third", "highest third")
LEAST_BONE = 0.01  # of all vertices, to be told of
ESTIMATED = ("monkey_estimated", "fox_estimated")
GIVEN = (
    "monkey_given",
    "fox_given",
)  # the same pictures and outlines with the cameras that filmed them: what solved ones cost
PROCEDURAL = ("monkey", "flag", "metaballs", "torus")
BLENDER = ROOT / ".venv-bpy45" / "bin" / "python"
EVERY = 5  # frames between those that are compared
SAMPLES = 1024  # of the exact earth mover's distance
Meshes = list[tuple[np.ndarray, np.ndarray]]  # vertices and faces, a frame each


def usable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those whose models are at hand."""
    return tuple(
        n
        for n in names
        if n in (*KNOWN, *GAITS, *ESTIMATED, *GIVEN)
        and (DATA.is_dir() or n.partition("_")[0] in PROCEDURAL)
    )


def filmed_as(name: str) -> str:
    """The clip whose pictures a row of the table is made from."""
    return name.replace("_given", "_estimated")


def film(folder: Path, names: tuple[str, ...]) -> None:
    """What is missing."""
    clips = dict.fromkeys(map(filmed_as, names))
    missing = [
        n
        for n in clips
        if not (folder / f"{n}.npz").is_file() or not (folder / n / "transforms.json").is_file()
    ]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [str(BLENDER), str(ROOT / "tests/helpers/moving_objects.py"), str(folder), *missing],
            check=True,
            capture_output=True,
        )


def read_truth(path: Path) -> Meshes:
    with np.load(path) as data:
        if "faces" in data:
            return [(v, data["faces"]) for v in data["vertices"]]
        count = sum(name.startswith("faces") for name in data.files)
        return [(data[f"vertices{i}"], data[f"faces{i}"]) for i in range(count)]


def _coverage(vertices: np.ndarray, faces: np.ndarray, frame: capture.Frame) -> torch.Tensor:
    viewmat, K = (
        torch.tensor(to_viewmat(frame.camera_to_world)).float(),
        torch.tensor(frame.K).float(),
    )
    screen = project(
        torch.tensor(vertices).float(),
        torch.tensor(faces.astype(np.int64)),
        viewmat,
        K,
        (frame.width, frame.height),
    )
    seen = fragments(screen)
    return render_image(seen, screen, torch.zeros(len(seen.pixels), 0))[..., 0]


def around(
    frame: capture.Frame,
    center: np.ndarray,
    degrees: float = 90.0,
    axis: np.ndarray = np.array([0, 0, 1.0]),
) -> capture.Frame:
    """The same camera further around the object."""
    from scipy.spatial.transform import Rotation

    turn, shift = np.eye(4), np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(
        np.radians(degrees) * axis / np.linalg.norm(axis)
    ).as_matrix()
    shift[:3, 3] = center
    return replace(
        frame, camera_to_world=shift @ turn @ np.linalg.inv(shift) @ frame.camera_to_world
    )


def compare(found: Meshes, truth: Meshes, frames: list[capture.Frame]) -> dict[str, float]:
    """Shape against the truth, at every fifth moment."""
    size, center = extent(truth)
    random, rows = np.random.default_rng(0), []
    for k in range(0, len(truth), EVERY):
        (true, true_faces), (vertices, faces) = truth[k], found[k]
        a, b = (
            metrics.sample_surface(v, f, 2 * SAMPLES, random) / size
            for v, f in ((vertices, faces), (true, true_faces))
        )
        view = around(frames[k], center)
        rows.append(
            [
                1e3 * metrics.chamfer_squared(vertices / size, true / size),
                metrics.earth_movers(a[:SAMPLES], b[:SAMPLES]),
                100 * metrics.chamfer(a, b),
                mask_iou(_coverage(vertices, faces, view), _coverage(true, true_faces, view)),
            ]
        )
    return dict(
        zip(
            ("CD x1e-3", "EMD", "L1 CD %", "IoU at +90 degrees"),
            np.mean(rows, axis=0).tolist(),
            strict=True,
        )
    )


def compare_tracks(tracks: np.ndarray, truth: Meshes) -> dict[str, float]:
    """(T, V, 3) of places that keep their identity; nothing where the truth has no such."""
    if len({len(v) for v, _ in truth}) > 1:
        return {}
    size, _ = extent(truth)
    moved, still = metrics.trajectory_error(tracks / size, np.stack([v for v, _ in truth]) / size)
    return {"trajectory error %": 100 * moved, "of a motionless mesh %": 100 * still}


def compare_parts(tracks: np.ndarray, truth: Meshes, path: Path) -> dict[str, float]:
    """The ways of true vertices by height, and by the bone of the true skeleton that moves them,
    which `path` tells; each beside those of a mesh that stands still. And how quick it all is.
    """
    if len({len(v) for v, _ in truth}) > 1:
        return {}
    size, _ = extent(truth)
    true = np.stack([v for v, _ in truth]) / size
    found, wanted = metrics.ways_of(tracks / size, true)
    error, still = (100 * np.linalg.norm(w, axis=2).mean(0) for w in (found - wanted, wanted))
    bands = metrics.height_bands(true[0])
    parts = {name: bands == number for number, name in enumerate(BANDS)}
    with np.load(path) as data:
        if "bone" in data:
            of_bone = {str(n): data["bone"] == k for k, n in enumerate(data["bones"])}
            parts |= {n: own for n, own in of_bone.items() if own.mean() >= LEAST_BONE}
    rows = {"speed, of the true": metrics.speed(found, wanted)}
    for name, own in parts.items():
        rows[f"{name}: error %"] = float(error[own].mean())
        rows[f"{name}: motionless %"] = float(still[own].mean())
    low = parts[BANDS[0]]
    rows["lowest third: of motionless"] = float(error[low].mean() / still[low].mean())
    rows["lowest third: speed"] = metrics.speed(found[:, low], wanted[:, low])
    return rows


def extent(truth: Meshes) -> tuple[float, np.ndarray]:
    """The longest side of the box over all frames, and its middle."""
    everything = np.concatenate([v for v, _ in truth])
    return float(np.ptp(everything, axis=0).max()), (everything.max(0) + everything.min(0)) / 2


def to_truth(positions: np.ndarray, solved: capture.Capture, true: capture.Capture) -> np.ndarray:
    """(…, 3) in the truth's world: estimated cameras know neither place nor scale."""
    by_name = {f.image.name: f for f in true.frames}
    pairs = [
        (
            f.camera_to_world[:3, 3],
            by_name[Path(f.source or f.image.name).name].camera_to_world[:3, 3],
        )
        for f in solved.frames
    ]
    scale, rotation, shift = align_similarity(
        *(np.stack(side) for side in zip(*pairs, strict=True))
    )
    return np.asarray(scale * positions @ rotation.T + shift)


def inverted_masks(masks: Path, folder: Path) -> Path:
    """For the camera solver: black is what moves."""
    folder.mkdir(parents=True, exist_ok=True)
    for mask in sorted(masks.glob("*.png")):
        with Image.open(mask) as image:
            flat = image.point(lambda v: 255 * (v > 0)) if image.mode == "P" else image
            ImageOps.invert(flat.convert("L")).save(folder / mask.name)
    return folder


def sheet(
    meshes: Meshes,
    colors: list[np.ndarray],
    frames: list[capture.Frame],
    path: Path,
    angles: tuple[float, float],
) -> None:
    """Five moments from two sides, degrees away from where the camera was."""
    center = np.concatenate([v for v, _ in meshes]).mean(0)
    up = np.mean([f.camera_to_world[:3, 1] for f in frames], axis=0)
    columns = []
    for k in np.linspace(0, len(meshes) - 1, 5).round().astype(int):
        here, (vertices, faces) = frames[min(k, len(frames) - 1)], meshes[k]
        views = [around(here, center, angle, up) for angle in angles]
        args = (
            torch.tensor(vertices).float(),
            torch.tensor(faces.astype(np.int64)),
            torch.tensor(colors[k]).float(),
        )
        columns.append(
            np.vstack(
                [
                    draw(
                        *args,
                        torch.tensor(to_viewmat(v.camera_to_world)).float(),
                        torch.tensor(v.K).float(),
                        (v.width, v.height),
                    )
                    for v in views
                ]
            )
        )
    Image.fromarray(np.hstack(columns)).save(path)
