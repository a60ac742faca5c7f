"""Values continued into a hole as a stretched skin would: every cell is the mean of those around
it. numpy only.
"""

import numpy as np

from ..geometry.arrays import Doubles, Flags

STEPS, CLOSE = 2000, 1e-6  # of conjugate gradients; of the first residual, where they end


def continued(values: Doubles, known: Flags, hole: Flags) -> Doubles:
    """values (H, W, D) with those in `hole` (H, W) solved from those that are `known`; at cells
    that are neither, and at the picture's edge, nothing flows (Neumann).

    Holes that touch nothing known get the mean of what is known.
    """
    if not hole.any() or not known.any():
        return values
    middle = values[known].mean(0)
    shifted = np.where((known & ~hole)[..., None], values - middle, 0.0)
    weight = _neighbors((known | hole).astype(np.float64)[..., None])

    def product(x: Doubles) -> Doubles:
        return np.asarray(np.where(hole[..., None], weight * x - _neighbors(x), 0.0))

    x = np.zeros_like(shifted)
    residual = np.where(hole[..., None], _neighbors(shifted), 0.0)
    direction, size = residual, (residual**2).sum()
    end = CLOSE**2 * size
    for _ in range(STEPS):
        if size <= end:
            break
        pushed = product(direction)
        step = size / max(float((direction * pushed).sum()), 1e-300)
        x = x + step * direction
        residual = residual - step * pushed
        size, before = (residual**2).sum(), size
        direction = residual + size / before * direction
    return np.asarray(np.where(hole[..., None], x + middle, values))


def _neighbors(x: Doubles) -> Doubles:
    """Sum of the four around each cell."""
    around = np.zeros_like(x)
    around[1:] += x[:-1]
    around[:-1] += x[1:]
    around[:, 1:] += x[:, :-1]
    around[:, :-1] += x[:, 1:]
    return around
