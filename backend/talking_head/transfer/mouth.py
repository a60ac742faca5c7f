"""A character's own teeth and tongue, which stay behind its lips in the shapes it was given."""

import numpy as np
from scipy.spatial import cKDTree

from ...geometry.arrays import Doubles, Floats, Ints
from ..rigs.rig import Part, Rig
from ..rigs.teeth import behind_lips
from .alignment import similarity
from .followers import SKIN, Islands
from .template import Template


def teeth_behind_lips(
    template: Template,
    fitted: Doubles,
    vertices: Doubles,
    triangles: Ints,
    islands: Islands,
    shapes: Floats,
) -> int:
    """Lets teeth and tongue give way in shapes (K, V, 3), in place; at rest they stay where the
    artist has put them. `template` is in its rig's own axes and unit, `fitted` its skin (T, 3)
    where it lies on the mesh. In how many poses they would have been seen.
    """
    follows = islands.follows[islands.label]
    parts = np.full(len(vertices), Part.EYE, np.int8)  # nothing that counts
    parts[follows == SKIN] = Part.SKIN
    near = cKDTree(fitted).query(vertices[follows == SKIN])[1]
    parts[np.flatnonzero(follows == SKIN)[~template.outside[near]]] = Part.MOUTH
    for number, piece in enumerate(template.pieces):
        parts[follows == number] = piece.part
    if not np.isin(parts, (Part.TEETH, Part.TONGUE)).any():
        return 0
    way = similarity(template.vertices, fitted)
    local = np.asarray((vertices - way.shift) @ way.rotation / way.scale, np.float32)
    rig = Rig(
        name="character",
        neutral=local,
        faces=np.hstack([triangles, np.full((len(triangles), 1), -1)]).astype(np.int32),
        parts=parts[triangles[:, 0]],
        names=template.names,
        shapes=np.asarray(shapes @ way.rotation / way.scale, np.float32),
        identities=np.zeros((0, len(vertices), 3), np.float32),
        lowest=np.zeros(len(template.names), np.float32),
    )
    fixed, _, count = behind_lips(rig, local)
    back = way.scale * (fixed.shapes - rig.shapes) @ way.rotation.T
    shapes += back.astype(np.float32)
    return count
