"""head.npz of a head that comes as several meshes: the default one, or a rig's own parts."""

import numpy as np
from scipy.spatial import cKDTree

from ...formats.arkit import BLENDSHAPES
from ...formats.head_file import Head, HeadPieces
from ...geometry.arrays import Floats
from ..rigs.drawing import COLORS
from ..rigs.rig import Part, Rig
from ..rigs.small_head.build import small_head
from .build import default_head

# pieces of a rig by the parts of its faces, and their materials
PIECES = (
    ("Head", "Skin", (Part.SKIN, Part.MOUTH)),
    ("Eyes", "Eye", (Part.EYE, Part.IRIS)),
    ("Teeth", "Teeth", (Part.TEETH,)),
    ("Tongue", "Tongue", (Part.TONGUE,)),
)


def styled_head(identity: Floats) -> Head:
    """The default head of someone, by the small head's coefficients (I,)."""
    rig = small_head()
    grown = (rig.person(identity) - rig.neutral).astype(np.float64)
    tree = cKDTree(rig.neutral)
    pieces = default_head(lambda points: grown[tree.query(points)[1]])
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces[:-1])])
    faces = [np.where(p.faces >= 0, p.faces + s, -1) for p, s in zip(pieces, starts, strict=True)]
    return Head(
        name="the default head",
        vertices=np.concatenate([p.vertices for p in pieces]).astype(np.float32),
        faces=np.concatenate(faces).astype(np.int32),
        names=list(BLENDSHAPES),
        shapes=np.concatenate([p.shapes for p in pieces], 1).astype(np.float32),
        colors=np.concatenate([p.colors for p in pieces]).clip(0, 1).astype(np.float32),
        lowest=np.zeros(len(BLENDSHAPES), np.float32),
        pieces=HeadPieces(
            names=[p.name for p in pieces],
            materials=[p.material for p in pieces],
            piece=np.repeat(np.arange(len(pieces)), [len(p.faces) for p in pieces]).astype(
                np.int32
            ),
            uvs=np.concatenate([p.uvs for p in pieces]).astype(np.float32),
        ),
    )


def head_in_parts(rig: Rig, rest: Floats) -> Head:
    """A rig with the resting face (V, 3): skin, eyes, teeth and tongue, and its own UVs where it
    has some.
    """
    table = np.array([COLORS[part] for part in Part], np.float32)
    number = np.zeros(len(Part), np.int32)
    for k, (_, _, parts) in enumerate(PIECES):
        number[list(parts)] = k
    piece = number[rig.parts]
    present = np.unique(piece)
    uvs = rig.uvs if rig.uvs is not None else np.zeros((len(rig.faces), 4, 2), np.float32)
    return Head(
        name=rig.name,
        vertices=rest,
        faces=rig.faces,
        names=list(rig.names),
        shapes=rig.shapes,
        colors=rig.colors if rig.colors is not None else table[rig.vertex_parts],
        lowest=rig.lowest,
        pieces=HeadPieces(
            names=[PIECES[k][0] for k in present],
            materials=[PIECES[k][1] for k in present],
            piece=np.searchsorted(present, piece).astype(np.int32),
            uvs=uvs,
        ),
    )
