"""Worlds that lie far from their origin, as surveys' do: how far to move them, so that single
precision holds them. numpy only.
"""

import numpy as np

from .arrays import Doubles

FAR = 1000.0  # units from the origin at which single precision begins to be coarse, where it is
RATIO = 100.0  # also so many times as far as the cameras are from each other
SMALL_RATIO = 1e4  # the same for worlds of small units, degrees for one
NOISE = 1e-7  # of the distance, below which cameras stand still
LOST = 1e4  # times as far from the middle of the cameras as most of them: no place, but an error


def offset_of(centers: Doubles) -> Doubles | None:
    """What to subtract from a world whose cameras stand at `centers` (N, 3): a point near their
    middle, in whole units where they are far away; None where single precision holds the world
    as it is.
    """
    middle = np.median(centers, axis=0)
    away = float(np.linalg.norm(middle))
    spread = float(np.median(np.linalg.norm(centers - middle, axis=1)))
    if away > max(FAR, RATIO * spread):
        return np.asarray(np.round(middle))
    if spread > NOISE * away and away > SMALL_RATIO * spread:
        return np.asarray(middle)
    return None


def lost_cameras(centers: Doubles) -> list[int]:
    """Indices of cameras that are not finite, or stand where no camera of the scene can stand."""
    finite = np.isfinite(centers).all(1)
    lost = ~finite
    if finite.sum() > 3:
        middle = np.median(centers[finite], axis=0)
        with np.errstate(all="ignore"):
            away = np.linalg.norm(centers - middle, axis=1)
        spread = float(np.quantile(away[finite], 0.75))
        if spread > NOISE * float(np.abs(middle).max()):
            lost |= ~(away <= LOST * spread)
    return np.flatnonzero(lost).tolist()
