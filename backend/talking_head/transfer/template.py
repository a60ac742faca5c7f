"""What of a rig is carried over: its moving skin, the rigid pieces in it, and its landmarks."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ...formats.arkit import BLENDSHAPES
from ...formats.character_file import LANDMARKS
from ...geometry.arrays import Doubles, Flags, Ints
from ...protocol import InputError
from ..rigs.ict import KEPT
from ..rigs.rig import Part, Rig
from ..rigs.small_head.surface import EYE, MOUTH

# of the 68 landmarks that ICT-FaceKit lists, those that an artist marks
ICT_LANDMARKS = {"eyeOuterLeft": 3721, "eyeInnerLeft": 3742, "eyeInnerRight": 1528,
    "eyeOuterRight": 1507, "noseTip": 4857, "mouthLeft": 6213, "mouthRight": 5708,
    "browLeft": 4114, "browRight": 1914}  # fmt: skip
FEWEST = 40  # of ARKit's shapes that a rig must have
SMALLEST = 30  # vertices of a piece


@dataclass(frozen=True, kw_only=True)
class RigidPiece:
    """What lies in the head and moves as a whole: an eyeball, a tooth, the tongue."""

    part: Part
    vertices: Doubles  # (P, 3) at rest
    shapes: Doubles  # (K, P, 3)


@dataclass(frozen=True, kw_only=True)
class Template:
    """Axes and unit as the rig's."""

    names: tuple[str, ...]  # K shapes
    numbers: Ints  # (V,) which of the rig's vertices are the skin's
    vertices: Doubles  # (V, 3)
    triangles: Ints  # (T, 3)
    outside: Flags  # (V,) not the mouth's inside
    shapes: Doubles  # (K, V, 3)
    landmarks: dict[str, int]  # vertices of the skin
    pieces: tuple[RigidPiece, ...]


def eye_distance(landmarks: dict[str, Doubles]) -> float:
    """Between the middles of the eyes, by their corners."""
    left, right = (
        (landmarks[f"eyeInner{side}"] + landmarks[f"eyeOuter{side}"]) / 2
        for side in ("Left", "Right")
    )
    return float(np.linalg.norm(left - right))


def islands(triangles: Ints, count: int) -> Ints:
    """(V,) number of the connected part that each vertex is of."""
    rows, columns = triangles[:, [0, 1]].ravel(), triangles[:, [1, 2]].ravel()
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def template_of(rig: Rig) -> Template:
    """InputError where the rig has not ARKit's shapes."""
    if len([name for name in rig.names if name in BLENDSHAPES]) < FEWEST:
        raise InputError(
            f"{rig.name} has not ARKit's shapes, so that there is nothing to carry over.",
            "Name the folder of ICT-FaceKit, or leave the face model empty for the project's own.",
        )
    triangles, parts = rig.triangles.astype(np.int64), rig.triangle_parts
    label = islands(triangles, len(rig.neutral))
    skin = np.isin(parts, (Part.SKIN, Part.MOUTH))
    sizes = np.bincount(label[triangles[skin, 0]], minlength=label.max() + 1)
    chosen = label == sizes.argmax()
    numbers = np.flatnonzero(chosen)
    place = np.cumsum(chosen) - 1
    own = skin & chosen[triangles[:, 0]]
    outside = np.zeros(len(rig.neutral), bool)
    outside[triangles[own & (parts == Part.SKIN)]] = True
    vertices = rig.neutral[numbers].astype(np.float64)
    return Template(
        names=rig.names,
        numbers=numbers,
        vertices=vertices,
        triangles=place[triangles[own]],
        outside=outside[numbers],
        shapes=rig.shapes[:, numbers].astype(np.float64),
        landmarks={k: int(place[v]) for k, v in _landmarks(rig, numbers).items()},
        pieces=_pieces(rig, triangles, parts, label),
    )


def _pieces(rig: Rig, triangles: Ints, parts: np.ndarray, label: Ints) -> tuple[RigidPiece, ...]:
    pieces = []
    inside = np.isin(parts, (Part.EYE, Part.IRIS, Part.TEETH, Part.TONGUE))
    for number in np.unique(label[triangles[inside, 0]]):
        own = np.flatnonzero(label == number)
        if len(own) >= SMALLEST:
            kinds = parts[label[triangles[:, 0]] == number]
            part = Part.EYE if np.isin(kinds, (Part.EYE, Part.IRIS)).any() else Part(kinds[0])
            pieces.append(
                RigidPiece(
                    part=part,
                    vertices=rig.neutral[own].astype(float),
                    shapes=rig.shapes[:, own].astype(float),
                )
            )
    return tuple(pieces)


def _landmarks(rig: Rig, numbers: Ints) -> dict[str, int]:
    """Vertices of the rig. The chin's is found: the foremost in the middle below the mouth."""
    if len(rig.neutral) == KEPT:
        marked = dict(ICT_LANDMARKS)
    else:
        marked = {name: _nearest(rig, numbers, place) for name, place in _small_places().items()}
    rest = rig.neutral
    marked["noseTip"] = marked.get("noseTip", int(numbers[rest[numbers, 2].argmax()]))
    mouth, eyes = (
        (rest[marked[f"{name}Left"]] + rest[marked[f"{name}Right"]]) / 2
        for name in ("mouth", "eyeInner")
    )
    below = mouth[1] - 0.35 * (eyes[1] - mouth[1])
    middle = numbers[(np.abs(rest[numbers, 0]) < 0.6) & (rest[numbers, 1] < below)]
    marked["chin"] = int(middle[rest[middle, 2].argmax()])
    return {name: marked[name] for name in LANDMARKS}


def _small_places() -> dict[str, tuple[float, float]]:
    """x and y on the front of the project's own head."""
    places = {}
    for side, sign in (("Left", 1), ("Right", -1)):
        places[f"eyeOuter{side}"] = (sign * (EYE[0] + EYE[1]), 0.0)
        places[f"eyeInner{side}"] = (sign * (EYE[0] - EYE[1]), 0.0)
        places[f"mouth{side}"] = (sign * MOUTH[1], MOUTH[0])
        places[f"brow{side}"] = (sign * EYE[0], 2.1)
    return places


def _nearest(rig: Rig, numbers: Ints, place: tuple[float, float]) -> int:
    """The vertex of the skin's front; of equals, such as both rims of a slit, the foremost."""
    x, y, z = rig.neutral[numbers].T
    away = np.hypot(x - place[0], y - place[1]) - 0.02 * z
    return int(numbers[np.where(z > 0, away, np.inf).argmin()])
