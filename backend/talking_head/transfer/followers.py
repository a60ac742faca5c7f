"""What else is in a head: eyes turn, teeth and tongue go with the jaw, brows and lashes with the
skin that they lie on, and hair, clothes or a second head rest.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...geometry.arrays import Doubles, Flags, Floats, Ints
from ..rigs.rig import Part
from .alignment import Similarity, similarity
from .template import RigidPiece, Template

SKIN, RESTS = -1, -2  # what an island follows that follows no piece
ON_SKIN, IN_PIECE = 0.12, 0.22  # eye distances to what an island follows, in the mean
AROUND = 1.0  # eye distances from a piece in which the skin says where it has gone
SIZES = (0.35, 2.5)  # of an eye to the template's


@dataclass(frozen=True)
class Islands:
    """V vertices in I connected parts."""

    label: Ints  # (V,)
    follows: Ints  # (I,) SKIN, RESTS or the number of a piece


def place_pieces(template: Template, fitted: Doubles) -> list[Similarity]:
    """Where each of the template's pieces goes: as the skin around it went."""
    ways = []
    for piece in template.pieces:
        middle = (piece.vertices.min(0) + piece.vertices.max(0)) / 2
        away = np.linalg.norm(template.vertices - middle, axis=1)
        weights = np.exp(-((away / AROUND) ** 2)) + 1e-9
        ways.append(similarity(template.vertices, fitted, weights))
    return ways


def sort_islands(
    template: Template,
    ways: list[Similarity],
    vertices: Doubles,
    label: Ints,
    face: Flags,
    distances: Doubles,
) -> Islands:
    """What each island follows. `face` (V,): what the template lies on; `distances` (V,) to the
    template's skin.
    """
    count = int(label.max()) + 1
    sizes = np.maximum(np.bincount(label, minlength=count), 1)

    def mean(values: Doubles) -> Doubles:
        return np.bincount(label, values, count) / sizes

    far = np.stack(
        [
            mean(cKDTree(way.apply(piece.vertices)).query(vertices)[0])
            for piece, way in zip(template.pieces, ways, strict=True)
        ]
    )
    nearest, to_skin = far.argmin(0), mean(distances)
    follows = np.where(far.min(0) < IN_PIECE, nearest, RESTS)
    on_skin = (to_skin < ON_SKIN) & (to_skin < 0.8 * far.min(0))
    follows[on_skin] = SKIN
    follows[np.unique(label[face])] = SKIN
    return Islands(label, follows)


def follow_pieces(
    template: Template, ways: list[Similarity], vertices: Doubles, islands: Islands, shapes: Floats
) -> None:
    """Writes the movement of what follows pieces into shapes (K, V, 3), in place."""
    for number, (piece, way) in enumerate(zip(template.pieces, ways, strict=True)):
        own = np.flatnonzero(islands.follows[islands.label] == number)
        if not len(own):
            continue
        if piece.part is Part.TONGUE:  # it bends
            _, nearest = cKDTree(way.apply(piece.vertices)).query(vertices[own])
            shapes[:, own] = way.scale * piece.shapes[:, nearest] @ way.rotation.T
            continue
        if piece.part is Part.EYE:
            way = _onto_eye(piece, way, vertices[own])
        local = (vertices[own] - way.shift) @ way.rotation / way.scale
        for k, shape in enumerate(piece.shapes):
            if np.abs(shape).max() > 1e-6:
                turn = similarity(piece.vertices, piece.vertices + shape)
                moved = local @ turn.rotation.T + turn.shift + (turn.scale - 1) * _middle(piece)
                shapes[k, own] = way.scale * (moved - local) @ way.rotation.T


def _middle(piece: RigidPiece) -> Doubles:
    return np.asarray(piece.vertices.mean(0))


def _onto_eye(piece: RigidPiece, way: Similarity, eye: Doubles) -> Similarity:
    """Turns about the eye's own middle, as large as the eye is."""
    (center, radius), (own, size) = sphere(piece.vertices), sphere(eye)
    share = radius * way.scale
    if not SIZES[0] < size / share < SIZES[1] or np.linalg.norm(own - way.apply(center)) > share:
        return way  # half an eye, or a shell: the skin says more about where it is
    scale = size / radius
    return Similarity(scale, way.rotation, own - scale * way.rotation @ center)


def sphere(points: Doubles) -> tuple[Doubles, float]:
    """Middle (3,) and radius of the sphere through points (N, 3), in the least squares' sense."""
    low = points.mean(0)
    local = points - low
    system = np.hstack([2 * local, np.ones((len(points), 1))])
    solution, *_ = np.linalg.lstsq(system, (local**2).sum(1), rcond=None)
    radius = float(np.sqrt(max(solution[3] + solution[:3] @ solution[:3], 0.0)))
    return solution[:3] + low, radius
