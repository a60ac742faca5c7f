"""How far solved cameras are from true ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.formats import capture
from backend.geometry.conventions import align_similarity, to_viewmat
from tests.benchmarks.clips import Clip


@dataclass(frozen=True)
class CameraErrors:
    """`ate`: percent of the path after a similarity without reflection; `turn`: degrees a frame;
    `focal`: percent, the worst frame.
    """

    ate: float
    turn: float
    focal: float
    placed: float  # percent of the clip's frames


def compare(
    clip: Clip, frames: np.ndarray, camera_to_world: np.ndarray, focals: np.ndarray
) -> CameraErrors:
    """Cameras (OpenGL) of some frames against the clip's truth."""
    true, ours = clip.camera_to_world[frames], camera_to_world
    scale, turn, shift = align_similarity(ours[:, :3, 3], true[:, :3, 3])
    off = scale * ours[:, :3, 3] @ turn.T + shift - true[:, :3, 3]
    path = np.linalg.norm(np.diff(true[:, :3, 3], axis=0), axis=1).sum()
    a, b = to_viewmat(ours)[:, :3, :3], to_viewmat(true)[:, :3, :3]
    steps = (a[1:] @ a[:-1].transpose(0, 2, 1)).transpose(0, 2, 1) @ (
        b[1:] @ b[:-1].transpose(0, 2, 1)
    )
    angles = np.degrees(np.arccos(np.clip((np.trace(steps, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    ate = 100 * float(np.sqrt(np.square(off).sum(1).mean()) / path) if path > 1e-6 else 0.0
    focal = 100 * float(np.abs(focals / clip.focals[frames] - 1).max())
    return CameraErrors(ate, float(angles.mean()), focal, 100 * len(frames) / len(clip.focals))


def of_capture(clip: Clip, folder: Path) -> CameraErrors:
    """Of a capture solved from the clip's video, frames known by their time (12 a second)."""
    found = capture.read(folder).frames
    index = np.array([round((f.time or 0.0) * 12) for f in found])
    poses = np.stack([f.camera_to_world for f in found])
    return compare(clip, index, poses, np.array([f.fl_x for f in found]))
