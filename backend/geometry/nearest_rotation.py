"""The rotation nearest to a matrix, which the best rigid fit of points comes down to (Kabsch 1976,
Umeyama 1991). numpy only; for tensors rotations.py has the same.
"""

import numpy as np
from numpy.typing import NDArray

from .arrays import Doubles


def nearest_rotation(matrices: NDArray[np.floating]) -> tuple[Doubles, Doubles]:
    """Of a covariance sum(target source^T), the rotation that carries source best onto target.

    Args:
        matrices: (..., 3, 3).

    Returns:
        The rotations (..., 3, 3), never mirrored, and the singular values (..., 3), the last of
        them negative where the best orthogonal matrix would have been a mirror.
    """
    u, singular, vt = np.linalg.svd(matrices)
    sign = np.ones_like(singular)
    sign[..., 2] = np.sign(np.linalg.det(u @ vt))
    return np.asarray((u * sign[..., None, :]) @ vt), np.asarray(singular * sign)
