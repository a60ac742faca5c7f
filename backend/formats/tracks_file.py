"""Tracks of a capture, for people to look at: tracks.npz, numpy only.

Rows of (frame, from 1; track, from 0; x; y), sorted by track, then frame. x and y run 0..1 from the
picture's top left.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError

NAME = "tracks.npz"
MOST_ROWS = 5_000_000


def write(path: Path, rows: NDArray[np.float64]) -> None:
    """(N, 4)"""
    np.savez_compressed(path, rows=rows.astype(np.float32))


def read(path: Path) -> NDArray[np.float32]:
    """(N, 4); InputError for anything that is not such a file."""
    try:
        with np.load(path, allow_pickle=False) as data:
            rows = np.asarray(data["rows"], np.float32)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(f"{path.name} holds no tracks.", "Solve the cameras again.") from error
    if (
        rows.ndim != 2
        or rows.shape[1] != 4
        or not len(rows) <= MOST_ROWS
        or not np.isfinite(rows).all()
    ):
        raise InputError(f"{path.name} holds no tracks.", "Solve the cameras again.")
    return rows
