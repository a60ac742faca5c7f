"""What passes between the worker and the COLMAP process: cameras and tracks in one .npz file, never
pickled.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...media.tracks.tracks import EMPTY, Tracks


@dataclass(frozen=True, kw_only=True)
class Solved:
    """Cameras of `frames` (indices into the task's names), OpenCV axes; one lens model: see
    bundle/state.py.
    """

    frames: NDArray[np.int64]  # (n,)
    viewmats: NDArray[np.float64]  # (n, 4, 4)
    focals: NDArray[np.float64]  # (n,) pixels
    radial: NDArray[np.float64]  # (2,)
    tracks: Tracks = EMPTY  # frames are indices into the task's names
    points: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros((0, 3))
    )  # of the tracks, where they are known

    def save(self, path: Path) -> None:
        """To a .npz file."""
        np.savez(
            path,
            frames=self.frames,
            viewmats=self.viewmats,
            focals=self.focals,
            radial=self.radial,
            points=self.points,
            track_frame=self.tracks.frame,
            track_point=self.tracks.point,
            track_uv=self.tracks.uv,
        )


def load(path: Path) -> Solved:
    """From a .npz file; nothing in it is unpickled."""
    with np.load(path, allow_pickle=False) as data:
        tracks = Tracks(data["track_frame"], data["track_point"], data["track_uv"])
        return Solved(
            frames=data["frames"],
            viewmats=data["viewmats"],
            focals=data["focals"],
            radial=data["radial"],
            tracks=tracks,
            points=data["points"],
        )
