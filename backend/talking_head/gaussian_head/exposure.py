"""The light of one clip against another's: recordings of one person are never exposed alike."""

import numpy as np
import torch
from torch import Tensor

from ...geometry.arrays import Floats

MOST = 4.0  # times as bright
FEW = 30  # vertices that both must show
DARK = 0.04  # sRGB below which a ratio is noise


def relative_light(of: Floats, against: Floats) -> Tensor:
    """(3,) by how much brighter each channel is, from what both show of the vertices (F, V, 3),
    NaN where nothing: the middle ratio, which what has changed (hair, a shadow) does not move.
    """
    shown = [np.isfinite(rows[:, :, 0]).any(0) for rows in (of, against)]
    both = shown[0] & shown[1]
    if both.sum() < FEW:
        return torch.ones(3)
    ours, theirs = (np.nanmedian(rows[:, both], 0) for rows in (of, against))
    bright = (ours > DARK).all(1) & (theirs > DARK).all(1)
    if bright.sum() < FEW:
        return torch.ones(3)
    ratio = np.exp(np.median(np.log(ours[bright] / theirs[bright]), 0)).clip(1 / MOST, MOST)
    return torch.from_numpy(np.asarray(ratio, np.float32))
