"""What of some splats is the subject, and what lies around it. No bpy.

Training marks far Gaussians; what other programs trained is not marked, and every scene has a few
strays. A box that must hold them all is no use to *View Selected* or a brush.
"""

import numpy as np

from ....backend.formats.splat_ply import SplatArrays
from ....backend.geometry.arrays import Flags, Floats

MARK = "surroundings"  # property of the file: 1 for what training put far away
CORE = (1.0, 99.0)  # percent, by axis
ROOM = 1.5  # how many times as large as its core the subject's box may be
FEWEST = 100  # splats that have a core
GIANT = 0.15  # longest axis, in diagonals of the core, from which a splat is no part of a subject


def is_surroundings(arrays: SplatArrays) -> Flags:
    """(N,) what is marked, what lies outside the box around the core of the rest, and splats so
    large that they fill a good part of it; nothing where that would leave no subject.
    """
    marked = arrays.extra.get(MARK)
    far = np.zeros(len(arrays), bool) if marked is None else np.asarray(marked == 1)
    inside = _core(arrays.means, ~far)
    if inside.sum() >= FEWEST:
        core = np.percentile(arrays.means[inside], CORE, axis=0)
        diagonal = float(np.linalg.norm(core[1] - core[0]))
        inside &= arrays.log_scales.max(1) < np.log(max(GIANT * diagonal, 1e-30))
    return ~inside if inside.any() else np.zeros_like(far)


def _core(means: Floats, inside: Flags) -> Flags:
    """(N,) of those inside, without the ones whose places stretch the box; what is left is looked
    at again, for its core is smaller then.
    """
    while inside.sum() >= FEWEST:
        low, high = np.percentile(means[inside], CORE, axis=0)
        middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-9) * ROOM
        left = inside & (np.abs(means - middle) <= half).all(1)
        if left.sum() == inside.sum():
            break
        inside = left
    return inside
