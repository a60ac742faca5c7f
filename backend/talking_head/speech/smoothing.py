"""Rows over time, smoothed by a Gaussian; the ends are held."""

import numpy as np
from numpy.typing import NDArray


def smoothed(values: NDArray[np.floating], rows: float) -> NDArray[np.float32]:
    """(T, K) or (T,), by a Gaussian whose deviation is so many rows; as they are where that is less
    than a third of one.
    """
    if rows < 0.3 or len(values) < 2:
        return np.asarray(values, np.float32)
    reach = max(1, int(3 * rows))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / rows) ** 2)
    table = values.reshape(len(values), -1)
    padded = np.pad(table, ((reach, reach), (0, 0)), mode="edge")
    blurred = np.stack(
        [np.convolve(column, kernel / kernel.sum(), "valid") for column in padded.T], 1
    )
    return np.asarray(blurred.reshape(values.shape), np.float32)
