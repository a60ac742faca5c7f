"""What passes between the worker and the COLMAP process: cameras and tracks in one .npz file, never
pickled.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...formats.npz_file import NUMBERS, WHOLE, Array, read_npz
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


WANTED = {
    "frames": Array(WHOLE, ("N",)),
    "viewmats": Array(NUMBERS, ("N", 4, 4)),
    "focals": Array(NUMBERS, ("N",)),
    "radial": Array(NUMBERS, (2,)),
    "points": Array(NUMBERS, ("P", 3)),
    "track_frame": Array(WHOLE, ("O",)),
    "track_point": Array(WHOLE, ("O",)),
    "track_uv": Array(NUMBERS, ("O", 2)),
}


def load(path: Path) -> Solved:
    """From a .npz file; nothing in it is unpickled."""
    data = read_npz(path, WANTED, "a list of solved cameras", "Solve the cameras again.")
    return Solved(
        frames=data["frames"],
        viewmats=data["viewmats"],
        focals=data["focals"],
        radial=data["radial"],
        tracks=Tracks(data["track_frame"], data["track_point"], data["track_uv"]),
        points=data["points"],
    )
