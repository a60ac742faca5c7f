"""All of it: a rig's shapes onto a character's meshes, with a word about every vertex that does not
take part.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...formats.character_file import LANDMARKS, Character
from ...geometry.arrays import Doubles, Flags, Floats, Ints
from ...protocol import InputError
from .alignment import Similarity, align_by_front, similarity
from .closest import SurfaceIndex, vertex_normals
from .followers import RESTS, SKIN, Islands, follow_pieces, place_pieces, sort_islands
from .mouth import teeth_behind_lips
from .registration import fit_template
from .template import Template, eye_distance, islands
from .transfer import carry_over

Tell = Callable[[str, float], None]
FEWEST_LANDMARKS, MISPLACED = 4, 0.3  # eye distances by which landmarks are off in the mean
FEWEST_VERTICES = 150  # of a face
NEAR_HEAD = 0.6  # eye distances around the template in which the mesh is looked at
MET, LEAST_MET = 0.1, 0.6  # eye distances within which the face must be met, and by how much of it
MOVES = 0.01  # eye distances: what moves less does not belong to the face


@dataclass(frozen=True, kw_only=True)
class AddedShapes:
    """In the character's axes and unit."""

    shapes: Floats  # (K, V, 3)
    landmarks: dict[str, Doubles]  # where the template's lie on the character
    eyes: float  # distance between the eyes
    met: float  # share of the template's face that lies on the mesh
    islands: Islands
    skin: int  # vertices that move with the skin


def scaled(template: Template, way: Similarity, unit: float) -> Template:
    """Brought to a character, with the unit as length."""

    def move(shapes: Doubles) -> Doubles:
        return np.asarray(way.scale / unit * shapes @ way.rotation.T)

    return replace(
        template,
        vertices=way.apply(template.vertices) / unit,
        shapes=move(template.shapes),
        pieces=tuple(
            replace(piece, vertices=way.apply(piece.vertices) / unit, shapes=move(piece.shapes))
            for piece in template.pieces
        ),
    )


def fit_to(template: Template, character: Character, tell: Tell) -> tuple[Template, Doubles, float]:
    """The template brought to the character, its skin's vertices on it, both in eye distances, and
    these' length.

    Raises:
        InputError: there is no face, or the landmarks are not those of one.
    """
    tell("Finding the face", 0.0)
    way = _aligned(template, character)
    places = np.array(list(template.landmarks.values()))
    rest = dict(zip(template.landmarks, way.apply(template.vertices[places]), strict=True))
    unit = eye_distance(rest)
    brought, vertices = scaled(template, way, unit), character.vertices / unit
    low, high = brought.vertices.min(0) - NEAR_HEAD, brought.vertices.max(0) + NEAR_HEAD
    near = ((vertices >= low) & (vertices <= high)).all(1)
    triangles = character.triangles[near[character.triangles].all(1)]
    if (count := len(np.unique(triangles))) < FEWEST_VERTICES:
        raise InputError(
            f"{', '.join(character.meshes)} has only {count} vertices where the face should be.",
            "Choose the mesh of a head, and see that the landmarks lie on its face.",
        )
    marked = {name: place / unit for name, place in character.landmarks.items()}
    numbers = np.array([template.landmarks[name] for name in marked], np.int64)
    goals = np.array(list(marked.values()), np.float64).reshape(-1, 3)
    fitted = fit_template(
        brought,
        SurfaceIndex(vertices, triangles),
        (numbers, goals),
        progress=lambda share: tell("Laying the template on the head", share),
    )
    return brought, fitted, unit


def _aligned(template: Template, character: Character) -> Similarity:
    marked = character.landmarks
    if not marked:
        normals, outer = vertex_normals(template.vertices, template.triangles), template.outside
        eyes = eye_distance({k: template.vertices[v] for k, v in template.landmarks.items()})
        above = (
            template.vertices[:, 1] > template.vertices[template.landmarks["chin"], 1] - 0.3 * eyes
        )
        used = outer & above
        way = align_by_front(
            template.vertices[used] / eyes, normals[used], character.vertices, character.triangles
        )
        return Similarity(way.scale / eyes, way.rotation, way.shift)
    if len(marked) < FEWEST_LANDMARKS:
        raise InputError(
            f"Only {len(marked)} landmarks are marked; it takes {FEWEST_LANDMARKS} at least.",
            f"Mark more of: {', '.join(LANDMARKS.values())}.",
        )
    start = template.vertices[[template.landmarks[name] for name in marked]]
    end = np.array(list(marked.values()))
    way = similarity(start, end)
    eyes = eye_distance({k: template.vertices[v] for k, v in template.landmarks.items()})
    off = np.linalg.norm(way.apply(start) - end, axis=1) / max(way.scale * eyes, 1e-30)
    if not way.scale > 0 or off.mean() > MISPLACED:
        worst = LANDMARKS[list(marked)[int(off.argmax())]]
        raise InputError(
            f"The landmarks are not those of a face: the {worst} is the furthest off.",
            "Left and right are the character's own: its left eye is on the right as you look at "
            "its face.",
        )
    return way


def add_shapes(template: Template, character: Character, tell: Tell) -> AddedShapes:
    """Shapes for all meshes of a character.

    Raises:
        InputError: there is no face, or the template does not fit it.
    """
    brought, fitted, unit = fit_to(template, character, tell)
    vertices, triangles = character.vertices / unit, character.triangles
    met = _met(brought, fitted, vertices, triangles)
    if met < LEAST_MET:
        raise InputError(
            f"Only {met:.0%} of the face was recognised on {', '.join(character.meshes)}.",
            "Place the landmarks by hand, or choose the mesh of a head.",
        )
    label = islands(triangles, len(vertices))
    distances = SurfaceIndex(fitted, brought.triangles).nearest(vertices).distances
    ways = place_pieces(brought, fitted)
    face = _face(brought, fitted, vertices, triangles, label)
    sorted_ = sort_islands(brought, ways, vertices, label, face, distances)
    skin = np.flatnonzero(sorted_.follows[label] == SKIN)
    own, number = (
        np.isin(triangles[:, 0], skin),
        np.cumsum(np.isin(np.arange(len(vertices)), skin)) - 1,
    )
    carried = carry_over(
        brought,
        fitted,
        vertices[skin],
        number[triangles[own]],
        progress=lambda share: tell("Carrying shapes over", share),
    )
    shapes = np.zeros((len(template.names), len(vertices), 3), np.float32)
    shapes[:, skin] = carried.shapes
    follow_pieces(brought, ways, vertices, sorted_, shapes)
    teeth_behind_lips(template, fitted, vertices, triangles, sorted_, shapes)
    marks = {name: fitted[place] * unit for name, place in template.landmarks.items()}
    return AddedShapes(
        shapes=shapes * np.float32(unit),
        landmarks=marks,
        eyes=unit,
        met=met,
        islands=sorted_,
        skin=int((carried.share > 0).sum()),
    )


def _moving(template: Template) -> Flags:
    return np.asarray(template.outside & (np.linalg.norm(template.shapes, axis=2).max(0) > MOVES))


def _met(template: Template, fitted: Doubles, vertices: Doubles, triangles: Ints) -> float:
    """Share of the template's face that lies on the mesh and faces as it does there."""
    moving = _moving(template)
    normals = vertex_normals(fitted, template.triangles)[moving]
    places = SurfaceIndex(vertices, triangles).nearest(fitted[moving], normals)
    return float(((places.distances < MET) & ((places.normals * normals).sum(1) > 0.5)).mean())


def _face(
    template: Template, fitted: Doubles, vertices: Doubles, triangles: Ints, label: Ints
) -> Flags:
    """(V,) the island on which most of the template's face lies."""
    moving = _moving(template)
    normals = vertex_normals(fitted, template.triangles)[moving]
    places = SurfaceIndex(vertices, triangles).nearest(fitted[moving], normals)
    hit = np.bincount(label[triangles[places.triangles, 0]], minlength=int(label.max()) + 1)
    return np.asarray(label == hit.argmax())


def rests(character: Character, result: AddedShapes) -> str:
    """A line about what moves with what, and what stays; by meshes' names."""
    follows, label = result.islands.follows, result.islands.label
    pieces = int((follows >= 0)[label].sum())
    still = (follows == RESTS)[label]
    line = f"{result.skin:,} vertices move with the skin"
    line += f", {pieces:,} as eyes, teeth or tongue" if pieces else ""
    if not still.any():
        return line
    ends = np.cumsum(character.sizes)
    names = [
        f"{name} ({int(still[end - size : end].sum()):,})"
        for name, size, end in zip(character.meshes, character.sizes, ends, strict=True)
        if still[end - size : end].any()
    ]
    count = int((follows == RESTS).sum())
    return (
        f"{line}; {int(still.sum()):,} in {count:,} separate parts stay at rest: {', '.join(names)}"
    )
