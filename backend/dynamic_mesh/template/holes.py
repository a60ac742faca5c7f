"""Holes in thin sheets of a solid made of cells."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Cells = NDArray[np.bool_]  # (X, Y, Z)


def faint_holes(solid: Cells, there: Cells, radius: int) -> Cells:
    """The cells that close holes through a solid: those of a morphological closing by a ball of so
    many cells, as far as there is something. A slit between two legs is none, though a closing
    would fill it too: that takes no handle away.
    """
    wide = radius + 1
    ball = np.linalg.norm(np.mgrid[(slice(-radius, radius + 1),) * 3], axis=0) <= radius
    closed = ndimage.binary_closing(np.pad(solid, wide), ball)[(slice(wide, -wide),) * 3]
    label = ndimage.label(closed & there & ~solid, np.ones((3, 3, 3)))[0]
    holes = np.zeros_like(solid)
    for number, box in enumerate(ndimage.find_objects(label), 1):
        around = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)
        gap = label[around] == number
        if euler(solid[around] | gap) > euler(solid[around]):
            holes[around] |= gap
    return holes


def euler(cells: Cells) -> int:
    """Parts less handles plus hollows, where cells that share a corner are one part: corners -
    edges + sides - cells.
    """
    total = 0
    for flat in range(4):
        for axes in combinations(range(3), flat):
            shared = np.pad(cells, [(int(axis in axes),) * 2 for axis in range(3)])
            for axis in axes:  # between two cells there is what either has
                shared = np.take(shared, range(1, shared.shape[axis]), axis) | np.take(
                    shared, range(shared.shape[axis] - 1), axis
                )
            total -= (-1) ** flat * int(shared.sum())
    return total
