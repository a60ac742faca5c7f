"""Puts the default head together: the small head's skin, mouth and shapes, new eyes, ears, brows,
lashes and hair, all styled by one map of space.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from ...geometry.arrays import Doubles, Ints
from ..rigs.rig import Part, Rig
from ..rigs.small_head.build import small_head
from ..rigs.small_head.grid import Skin, make_skin
from ..rigs.small_head.surface import EYE, MOUTH
from ..transfer.alignment import similarity
from . import hair
from .pieces import DressPiece, brow_lines, ear, eyeball, grid_faces, grid_uvs
from .style import smooth, styled

SKIN_COLOR, BLUSH, LIPS, SHADE = (
    np.array(color)
    for color in ((0.93, 0.73, 0.62), (0.93, 0.55, 0.47), (0.8, 0.42, 0.4), (0.78, 0.5, 0.42))
)
INSIDE = {
    Part.MOUTH: (0.48, 0.14, 0.15),
    Part.TONGUE: (0.82, 0.4, 0.4),
    Part.TEETH: (0.96, 0.95, 0.91),
}
LOOKS = ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut")
LASH = 0.42  # centimetres


Grow = Callable[[Doubles], Doubles]  # points (N, 3) to where somebody's differ (N, 3)


def default_head(grow: Grow) -> tuple[DressPiece, ...]:
    """Head, Eye Left, Ears, Brows, Lashes, Eye Right, Teeth, Tongue and Hair of someone, styled;
    all with ARKit's 52 shapes.
    """
    return tuple(_joined([_styled(piece, grow) for piece in _plain()]))


@cache
def _plain() -> tuple[DressPiece, ...]:
    rig, skin = small_head(), make_skin()
    rest, shapes = rig.neutral.astype(float), rig.shapes.astype(float)
    count = len(shapes)
    pieces = [_skin(rig, skin)]
    for side, word in ((1, "Left"), (-1, "Right")):
        ball = (rig.vertex_parts >= Part.EYE) & (rest[:, 0] * side > 0)
        turns = {
            f"{look}{word}": _turn(rest[ball], shapes[rig.names.index(f"{look}{word}")][ball])
            for look in LOOKS
        }
        pieces.append(eyeball(side, rig.names, turns))
        pieces.append(ear(side, count, (SKIN_COLOR * 0.5 + BLUSH * 0.5, SHADE)))
        pieces += [_brow(side, skin, rig), _lashes(side, skin, rig)]
    pieces += [_inner(rig, Part.TEETH, "Teeth"), _inner(rig, Part.TONGUE, "Tongue")]
    pieces += [hair.cap(count), *hair.locks(count)]
    return tuple(pieces)


def _styled(piece: DressPiece, grow: Grow) -> DressPiece:
    grown = grow(piece.vertices)
    if piece.material in ("Eye", "Teeth"):
        grown = grown.mean(0, keepdims=True)  # these stay as they are
    piece = replace(piece, vertices=piece.vertices + grown)
    if piece.material == "Eye":  # a ball stays one
        return _styled_ball(piece)
    rest = styled(piece.vertices)
    moved = np.zeros_like(piece.shapes)
    for number, shape in enumerate(piece.shapes):
        if shape.any():
            moved[number] = styled(piece.vertices + shape) - rest
    return replace(piece, vertices=rest, shapes=moved)


def _styled_ball(piece: DressPiece) -> DressPiece:
    """By the similarity that comes nearest to what happens to its front."""
    middle = piece.vertices.mean(0)
    away = np.linalg.norm((piece.vertices - middle)[:, :2], axis=1)
    front = piece.vertices[(away < 1.0) & (piece.vertices[:, 2] > middle[2])]
    way = similarity(front, styled(front))
    return replace(
        piece,
        vertices=way.apply(piece.vertices),
        shapes=way.scale * piece.shapes @ way.rotation.T,
    )


def _joined(pieces: list[DressPiece]) -> list[DressPiece]:
    """Those of one name as one mesh."""
    result = []
    for name in dict.fromkeys(piece.name for piece in pieces):
        own = [piece for piece in pieces if piece.name == name]
        starts = np.cumsum([0, *(len(piece.vertices) for piece in own[:-1])])
        faces = [np.where(p.faces >= 0, p.faces + s, -1) for p, s in zip(own, starts, strict=True)]
        result.append(
            replace(
                own[0],
                vertices=np.concatenate([p.vertices for p in own]),
                faces=np.concatenate(faces).astype(np.int32),
                shapes=np.concatenate([p.shapes for p in own], 1),
                colors=np.concatenate([p.colors for p in own]),
                uvs=np.concatenate([p.uvs for p in own]),
            )
        )
    return result


def _turn(rest: Doubles, shape: Doubles) -> Doubles:
    """(3, 3) of an eyeball (N, 3) whose vertices move so (Kabsch 1976)."""
    a = rest - (rest.min(0) + rest.max(0)) / 2
    left, _, right = np.linalg.svd((a + shape).T @ a)
    signs = [1.0, 1.0, np.linalg.det(left @ right)]
    return np.asarray((left * signs) @ right)


def _skin(rig: Rig, skin: Skin) -> DressPiece:
    """With the mouth's inside. Its net is laid out by angle and height."""
    count = len(skin.angle)
    own = (rig.faces < count).all(1)
    faces = rig.faces[own]
    corners = np.where(faces >= 0, faces, faces[:, :1])
    angle = skin.angle[corners]
    angle = angle[:, :1] + np.angle(np.exp(1j * (angle - angle[:, :1])))  # no face over the seam
    deep = 0.12 * skin.fold[corners][..., 1] / 3.2
    uvs = np.stack([0.5 + angle / (2 * np.pi), (skin.height[corners] + 16) / 28 - deep], -1)
    mouth = np.zeros(len(rig.neutral), bool)
    mouth[rig.faces[rig.parts == Part.MOUTH]] = True
    return DressPiece(
        name="Head",
        material="Skin",
        vertices=rig.neutral[:count].astype(float),
        faces=faces,
        shapes=rig.shapes[:, :count].astype(float),
        colors=_skin_colors(rig.neutral[:count].astype(float), skin, mouth[:count]),
        uvs=uvs,
    )


def _skin_colors(rest: Doubles, skin: Skin, mouth: np.ndarray) -> Doubles:
    x, y, _ = rest.T
    across, front = np.abs(x), smooth(np.cos(skin.angle), 0.1, 0.4)
    outside = 1 - smooth(skin.fold[:, 1], 0.2, 0.5)
    half = np.clip(1 - (x / 2.5) ** 2, 0, 1)
    bow = 0.1 * np.exp(-((x / 0.35) ** 2)) * (y > MOUTH[0])
    lips = smooth((0.66 - bow) * half**0.65 - np.abs(y + 6.38), -0.02, 0.16) * (across < 2.55)
    cheeks = np.exp(-(((across - 4.4) / 1.7) ** 2) - ((y + 3.2) / 1.5) ** 2)
    nose = 0.7 * np.exp(-((x / 0.9) ** 2) - ((y + 3.2) / 0.9) ** 2)
    lids = 0.55 * np.exp(-(((across - EYE[0]) / 1.9) ** 2) - ((y - 0.2) / 0.9) ** 2)
    nostril = np.exp(-(((across - 0.55) / 0.3) ** 2) - ((y + 4.12) / 0.2) ** 2)
    colors = np.tile(SKIN_COLOR, (len(rest), 1))
    for share, color in (
        (0.5 * cheeks * front, BLUSH),
        (nose * 0.5 * front, BLUSH),
        (lids * front * 0.6, SHADE),
        (lips * front, LIPS),
        (0.75 * nostril * front, SHADE * 0.5),
    ):
        share = (share * outside)[:, None]
        colors = colors * (1 - share) + share * color
    colors[mouth & (skin.fold[:, 1] > 0.3)] = INSIDE[Part.MOUTH]
    rim = (np.abs(skin.height) < 1e-9) & (np.abs(across - EYE[0]) < EYE[1])
    colors[rim] = colors[rim] * 0.4 + np.array([0.25, 0.1, 0.08]) * 0.6
    return colors


def _inner(rig: Rig, part: Part, name: str) -> DressPiece:
    faces = rig.faces[rig.parts == part]
    numbers = np.unique(faces[faces >= 0])
    place = np.full(len(rig.neutral) + 1, -1)
    place[numbers] = np.arange(len(numbers))
    rest = rig.neutral[numbers].astype(float)
    local = place[faces].astype(np.int32)
    flat = (rest[:, :2] - rest[:, :2].min(0)) / np.maximum(np.ptp(rest[:, :2], axis=0), 1e-9)
    return DressPiece(
        name=name,
        material=name,
        vertices=rest,
        faces=local,
        shapes=rig.shapes[:, numbers].astype(float),
        colors=np.tile(np.array(INSIDE[part]), (len(rest), 1)),
        uvs=flat[np.where(local >= 0, local, local[:, :1])],
    )


def _carried(places: Doubles, skin: Skin, rig: Rig) -> tuple[Doubles, Doubles]:
    """z (N,) of the face at x and y (N, 2), and its shapes (K, N, 3) there."""
    count = len(skin.angle)
    front = np.flatnonzero((np.cos(skin.angle) > 0.3) & (skin.fold[:, 1] == 0))
    rest, shapes = rig.neutral[:count][front].astype(float), rig.shapes[:, :count][:, front]
    away = ((places[:, None] - rest[None, :, :2]) ** 2).sum(2)
    nearest = np.argsort(away, 1)[:, :5]
    weights = 1 / (np.take_along_axis(away, nearest, 1) + 0.01)
    weights /= weights.sum(1, keepdims=True)
    z = (weights * rest[nearest, 2]).sum(1)
    return z, np.einsum("np,knpx->knx", weights, shapes[:, nearest].astype(float))


def _brow(side: int, skin: Skin, rig: Rig) -> DressPiece:
    """A soft spindle that lies on the skin."""
    line, high, thick = brow_lines(side)
    z, shapes = _carried(line, skin, rig)
    turn = np.arange(10) / 10 * 2 * np.pi
    slope = np.gradient(z, line[:, 0])
    normal = np.stack([-slope, np.full_like(z, 0.25), np.ones_like(z)], 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    center = np.column_stack([line, z]) + normal * 0.04
    ring = (
        center[:, None]
        + (high[:, None] * np.cos(turn))[..., None] * np.array([0.12 * side, 1, 0])
        + normal[:, None] * (thick[:, None] * np.sin(turn))[..., None]
    )
    vertices, faces = ring.reshape(-1, 3), grid_faces(len(line), 10, closed=True)
    faces = faces if side > 0 else faces[:, ::-1].copy()
    return DressPiece(
        name="Brows",
        material="Hair",
        vertices=vertices,
        faces=faces,
        shapes=np.repeat(shapes, 10, axis=1),
        colors=np.tile(np.array(hair.ROOT) * 1.1, (len(vertices), 1)),
        uvs=grid_uvs(len(line), 10, closed=True),
    )


def _lashes(side: int, skin: Skin, rig: Rig) -> DressPiece:
    """A strip from the upper lid's rim outwards, longer towards the outer corner."""
    count = len(skin.angle)
    x = rig.neutral[:count, 0] * side
    rim = (np.abs(skin.height) < 1e-9) & (skin.below == 0) & (skin.fold[:, 1] == 0)
    numbers: Ints = np.flatnonzero(rim & (np.abs(x - EYE[0]) < EYE[1]) & (np.cos(skin.angle) > 0))
    numbers = numbers[np.argsort(x[numbers])]
    rest = rig.neutral[numbers].astype(float)
    t = np.linspace(0, 1, len(numbers))
    long = LASH * (0.35 + 0.65 * t) * np.sin(np.pi * (0.06 + 0.94 * t)) ** 0.4
    ahead = np.stack([side * (0.1 + 0.5 * t), 0.25 + 0.25 * t, np.full_like(t, 0.75)], 1)
    low, high = np.array([0, 0, -0.02]), np.array([0, 0.1, 0.05])
    rows = [rest + low, rest + high, rest + ahead * long[:, None], rest + low]
    vertices = np.concatenate(rows)
    faces = grid_faces(4, len(numbers), closed=False)
    faces = faces if side > 0 else faces[:, ::-1].copy()
    return DressPiece(
        name="Lashes",
        material="Hair",
        vertices=vertices,
        faces=faces,
        shapes=np.tile(rig.shapes[:, numbers].astype(float), (1, 4, 1)),
        colors=np.tile(np.array(hair.ROOT) * 0.35, (len(vertices), 1)),
        uvs=grid_uvs(4, len(numbers), closed=False),
    )
