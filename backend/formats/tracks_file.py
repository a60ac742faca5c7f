"""Tracks of a capture, for people to look at: tracks.npz, numpy only.

Rows of (frame, from 1; track, from 0; x; y), sorted by track, then frame. x and y run 0..1 from the
picture's top left.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError
from .npz_file import NUMBERS, Array, read_npz

NAME = "tracks.npz"
MOST_ROWS = 5_000_000


def write(path: Path, rows: NDArray[np.float64]) -> None:
    """(N, 4)"""
    np.savez_compressed(path, rows=rows.astype(np.float32))


def read(path: Path) -> NDArray[np.float32]:
    """(N, 4); InputError for anything that is not such a file."""
    wanted = {"rows": Array(NUMBERS, ("N", 4))}
    data = read_npz(path, wanted, "a file of tracks", "Solve the cameras again.")
    with np.errstate(over="ignore"):
        rows = np.asarray(data["rows"], np.float32)
    if not len(rows) <= MOST_ROWS or not np.isfinite(rows).all():
        raise InputError(f"{path.name} holds no tracks.", "Solve the cameras again.")
    return rows
