"""ICT-FaceKit's light model (Li et al. 2020; MIT): the published folder of OBJ files, or the same
packed in one file.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...formats.arkit import BLENDSHAPES, SIDES
from ...formats.gate import check_file
from ...formats.limits import MOST_TEXT as LARGEST
from ...formats.npz_file import NUMBERS, TEXT, Array, read_npz
from ...geometry.arrays import Floats
from ...protocol import InputError
from .rig import Part, Rig

NEUTRAL_FILE, PACKED_FILE = "generic_neutral_mesh.obj", "ict_light.npz"
IDENTITIES = 50
VERTICES = 26_719
KEPT = 24_591  # what follows are lashes and the shaders' shells around the eyes
PARTS = {"M_GumsTongue": Part.TONGUE, "M_Teeth": Part.TEETH, "M_ScleraLeft": Part.EYE,
    "M_ScleraRight": Part.EYE,
         "M_IrisLeft": Part.IRIS, "M_IrisRight": Part.IRIS}  # fmt: skip
SOCKET = range(11_248, 13_294)  # vertices of the mouth's inside
CORNEA = 0.88  # cosine of half the angle that the iris fills
LOOKS = {
    "Up": (0, -25),
    "Down": (0, 25),
    "In": (1, -30),
    "Out": (1, 30),
}  # axis and degrees of a left eye's full look
BOTH_SIDES = ("browInnerUp", "cheekPuff")  # split in two here, one in ARKit


def read_ict(folder: Path) -> Rig:
    """InputError where the folder lacks a file, or a file is not what was published."""
    folder = folder if (folder / NEUTRAL_FILE).is_file() else folder / "FaceXModel"
    if not (folder / NEUTRAL_FILE).is_file():
        raise InputError(
            f"{folder.parent} holds no {NEUTRAL_FILE}.",
            "Choose the folder FaceXModel of ICT-FaceKit.",
        )
    neutral, faces, parts, uvs = _read_mesh(folder / NEUTRAL_FILE)
    packed = folder / PACKED_FILE
    own, deltas, identities = _packed(packed) if packed.is_file() else _unpacked(folder, neutral)
    names = [name for name in BLENDSHAPES if _sources(name, own)]
    shapes = np.stack(
        [sum(deltas[own.index(source)] for source in _sources(name, own)) for name in names]
    ).astype(np.float32)
    parts[_before_iris(neutral, faces, parts)] = Part.IRIS
    _turn_eyes(shapes, names, neutral, faces, parts)
    rig = Rig(
        name="ICT",
        neutral=neutral,
        faces=faces,
        parts=parts,
        names=tuple(names),
        shapes=shapes,
        identities=identities,
        lowest=np.zeros(len(names), np.float32),
        uvs=uvs,
    )
    return rig.only_vertices(np.arange(len(neutral)) < KEPT)


def _sources(name: str, own: list[str]) -> list[str]:
    """What a shape of ARKit is called here; nothing for tongueOut, which is missing."""
    if name in BOTH_SIDES:
        return [f"{name}_{side}" for side in SIDES if f"{name}_{side}" in own]
    for short, side in SIDES.items():
        if name.endswith(side) and f"{name.removesuffix(side)}_{short}" in own:
            return [f"{name.removesuffix(side)}_{short}"]
    return [name] if name in own else []


def _before_iris(
    neutral: Floats, faces: NDArray[np.int32], parts: NDArray[np.int8]
) -> NDArray[np.bool_]:
    """(F,) true where the white of the eye bulges out before the iris: it is clear there, and the
    iris is what is seen.
    """
    clear = np.zeros(len(faces), bool)
    centers = neutral[faces[:, :3]].mean(1)
    for side in (-1, 1):
        mine = (parts == Part.EYE) & (centers[:, 0] * side > 0)
        outward = centers[mine] - centers[mine].mean(0)
        clear[mine] = outward[:, 2] / np.linalg.norm(outward, axis=1) > CORNEA
    return clear


def _turn_eyes(
    shapes: Floats,
    names: list[str],
    neutral: Floats,
    faces: NDArray[np.int32],
    parts: NDArray[np.int8],
) -> None:
    """Lets eyeballs go where the lids look, in place: the light model leaves them to a rig of
    bones.
    """
    ball = np.zeros(len(neutral), bool)
    ball[np.unique(faces[(parts == Part.EYE) | (parts == Part.IRIS)][:, :3])] = True
    for side, sign in (("Left", 1), ("Right", -1)):
        mine = ball & (neutral[:, 0] * sign > 0)
        center = (neutral[mine].min(0) + neutral[mine].max(0)) / 2
        for look, (axis, angle) in LOOKS.items():
            name = f"eyeLook{look}{side}"
            if name in names:
                turn = _rotation(axis, np.radians(angle) * (sign if axis == 1 else 1))
                shapes[names.index(name), mine] = (neutral[mine] - center) @ (turn - np.eye(3)).T


def _rotation(axis: int, angle: float) -> NDArray[np.float64]:
    """Right-handed, about x, y or z."""
    cos, sin = np.cos(angle), np.sin(angle)
    matrix, (i, j) = np.eye(3), ((axis + 1) % 3, (axis + 2) % 3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = cos, -sin, sin, cos
    return matrix


def _read_mesh(
    path: Path,
) -> tuple[Floats, NDArray[np.int32], NDArray[np.int8], Floats | None]:
    """Vertices, faces, their parts, and their corners' UVs (F, 4, 2) of the neutral mesh; None
    where these are missing.
    """
    faces: list[list[int]] = []
    parts: list[int] = []
    laid: list[list[int]] = []  # number of each corner's UV
    places: list[tuple[float, float]] = []
    part = Part.SKIN
    check_file(path, LARGEST)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("usemtl "):
                    part = PARTS.get(line.split()[1], Part.SKIN)
                elif line.startswith("vt "):
                    u, v = line.split()[1:3]
                    places.append((float(u), float(v)))
                elif line.startswith("f "):
                    words = [corner.split("/") for corner in line.split()[1:5]]
                    corners = [int(word[0]) - 1 for word in words]
                    own = [int(word[1]) - 1 if word[1:] and word[1] else -1 for word in words]
                    laid.append(own + own[:1] * (4 - len(own)))
                    faces.append(corners + [-1] * (4 - len(corners)))
                    parts.append(Part.MOUTH if part is Part.SKIN and corners[0] in SOCKET else part)
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise InputError(
            f"{path.name} can't be read as a mesh.", "Fetch ICT-FaceKit again."
        ) from error
    vertices = _read_vertices(path)
    quads = np.array(faces, np.int32).reshape(-1, 4)
    if not len(quads) or quads.max() >= len(vertices):
        raise InputError(
            f"{path.name} is damaged: its faces name vertices that are missing.",
            "Fetch ICT-FaceKit again.",
        )
    return vertices, quads, np.array(parts, np.int8), _uvs(laid, places)


def _uvs(laid: list[list[int]], places: list[tuple[float, float]]) -> Floats | None:
    numbers = np.array(laid, np.int64).reshape(-1, 4)
    if not places or numbers.min(initial=0) < 0 or numbers.max(initial=-1) >= len(places):
        return None
    uvs = np.array(places, np.float32)[numbers]
    return uvs if np.isfinite(uvs).all() else None


def _read_vertices(path: Path) -> Floats:
    check_file(path, LARGEST)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            rows = [line.split()[1:4] for line in file if line.startswith("v ")]
        vertices = np.array(rows, np.float32)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path.name} can't be read as a mesh.", "Fetch ICT-FaceKit again."
        ) from error
    if vertices.shape != (VERTICES, 3) or not np.isfinite(vertices).all():
        raise InputError(
            f"{path.name} has not the {VERTICES:,} vertices of ICT-FaceKit.",
            "Fetch ICT-FaceKit again.",
        )
    return vertices


def _packed(path: Path) -> tuple[list[str], Floats, Floats]:
    """Names, shapes (57, V, 3) and identities (50, V, 3)."""
    wanted = {
        "expression_names": Array(TEXT, ("K",)),
        "expression_deltas": Array(NUMBERS, ("K", VERTICES, 3)),
        "identity_deltas": Array(NUMBERS, ("P", VERTICES, 3)),
    }
    advice = "Choose the folder FaceXModel of ICT-FaceKit instead."
    data = read_npz(path, wanted, "a face of ICT-FaceKit that fits the mesh beside it", advice)
    names = [str(name) for name in data["expression_names"]]
    deltas, identities = (
        data[key].astype(np.float32) for key in ("expression_deltas", "identity_deltas")
    )
    if not np.isfinite(deltas).all() or not np.isfinite(identities).all():
        raise InputError(f"{path.name} is damaged.", advice)
    return names, deltas, identities


def _unpacked(folder: Path, neutral: Floats) -> tuple[list[str], Floats, Floats]:
    """The same from the published OBJ files, which hold whole faces."""
    files = {path.stem: path for path in folder.glob("*.obj") if path.name != NEUTRAL_FILE}
    people = sorted(name for name in files if name.startswith("identity"))[:IDENTITIES]
    names = sorted(name for name in files if not name.startswith("identity"))
    if not names or not people:
        raise InputError(
            f"{folder} holds no shapes of the face.", "Choose the folder FaceXModel of ICT-FaceKit."
        )
    deltas, identities = (
        np.stack([_read_vertices(files[name]) - neutral for name in some])
        for some in (names, people)
    )
    return names, deltas, identities
