"""True cameras of the data sets, by the name of the picture; and errors against them."""

import math
from pathlib import Path

import numpy as np

from backend.formats import capture
from backend.geometry.conventions import align_similarity


def fox(folder: Path) -> dict[str, np.ndarray]:
    return {f.image.name: f.camera_to_world[:3, 3] for f in capture.read(folder).frames}


def fountain(folder: Path) -> dict[str, np.ndarray]:
    """Strecha's .camera files: K, distortion, rotation, centre, size, a row each."""
    found = {}
    for path in sorted((folder / "gt_dense_cameras").glob("*.camera")):
        rows = [
            [float(x) for x in line.split()]
            for line in path.read_text().splitlines()
            if line.strip()
        ]
        found[path.name.removesuffix(".camera")] = np.array(rows[7])
    return found


def lund(folder: Path) -> dict[str, np.ndarray]:
    """images.txt of COLMAP: quaternion and translation, world to camera."""
    found = {}
    lines = [
        line
        for line in (folder / "colmap_ground_truth" / "images.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    for line in lines[::2]:
        words = line.split()
        w, x, y, z = (float(v) for v in words[1:5])
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
        found[words[9]] = -rotation.T @ np.array([float(v) for v in words[5:8]])
    return found


def tum(folder: Path) -> dict[str, np.ndarray]:
    """The motion capture's position at each picture's time."""
    rows = np.array(
        [
            [float(x) for x in line.split()]
            for line in (folder / "groundtruth.txt").read_text().splitlines()
            if line[0] != "#"
        ]
    )
    names = sorted(p.name for p in folder.glob("*.png"))
    return {
        n: np.array([np.interp(float(n[:-4]), rows[:, 0], rows[:, k]) for k in (1, 2, 3)])
        for n in names
    }


def trajectory_error(output: Path, truth: dict[str, np.ndarray]) -> float:
    """Root mean square position error after a similarity, in percent of the path; infinite with
    under three cameras.
    """
    frames = [f for f in capture.read(output).frames if f.source in truth]
    if len(frames) < 3:
        return math.inf
    ours, theirs = (
        np.stack([f.camera_to_world[:3, 3] for f in frames]),
        np.stack([truth[f.source] for f in frames]),
    )
    scale, rotation, shift = align_similarity(ours, theirs)
    error = np.linalg.norm(scale * ours @ rotation.T + shift - theirs, axis=1)
    return float(
        np.sqrt((error**2).mean()) / np.linalg.norm(np.diff(theirs, axis=0), axis=1).sum() * 100
    )
