"""How splats stand in a scene when their capture is not at hand. No bpy."""

import numpy as np

from ....backend.formats.splat_moves import matrices_of
from ....backend.formats.splat_ply import SplatArrays
from ....backend.geometry.arrays import Doubles
from ....backend.geometry.upright import flat_normals, upright_of_splats


def of_splats(arrays: SplatArrays) -> Doubles:
    """(4, 4) their world to an upright scene: as their file says, else by their own planes."""
    if arrays.notes.upright is not None:
        return arrays.notes.upright
    opacities = 1 / (1 + np.exp(-arrays.opacity_logits))
    normals, areas = flat_normals(matrices_of(arrays.quats), np.exp(arrays.log_scales), opacities)
    return upright_of_splats(normals, areas)
