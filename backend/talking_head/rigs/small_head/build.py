"""Puts the small head together: skin and what lies in it, 52 shapes, a few ways in which people
differ, colours.
"""

import itertools
from functools import cache

import numpy as np

from ....formats.arkit import BLENDSHAPES
from ....geometry.arrays import Doubles
from ..rig import Part, Rig
from .expressions import Places, movement, with_lids
from .grid import Skin, make_skin
from .inside import Piece, ear, eyeball, teeth, tongue
from .surface import EYE, MOUTH, Lids, bump

SKIN_COLOR, LIP_COLOR, BROW_COLOR, HAIR_COLOR = (
    (0.82, 0.62, 0.53),
    (0.7, 0.4, 0.38),
    (0.3, 0.2, 0.14),
    (0.27, 0.18, 0.13),
)
PART_COLORS = {Part.MOUTH: (0.45, 0.16, 0.15), Part.TONGUE: (0.72, 0.36, 0.35), Part.TEETH: (0.92,
    0.9, 0.84), Part.EYE: (0.95, 0.94, 0.92),
               Part.IRIS: (0.3, 0.2, 0.13)}  # fmt: skip
FADE = (-1.0, 4.0)  # depths between which the jaw's skin begins to go with the jaw


@cache
def small_head() -> Rig:
    """About 7,000 vertices, 52 shapes, 8 identities."""
    skin = make_skin()
    pieces = [eyeball(1), eyeball(-1), teeth(True), teeth(False), tongue(), ear(1), ear(-1)]
    rest = np.concatenate([skin.vertices(), *(piece.vertices for piece in pieces)])
    faces, parts = _faces(skin, pieces)
    places = _places(skin, pieces, rest)
    shapes = np.stack(
        [movement(name, places) + _lid_movement(name, skin, len(rest)) for name in BLENDSHAPES]
    )
    identities = np.stack(_identities(rest, places))
    return Rig(
        name="the small head",
        neutral=rest.astype(np.float32),
        faces=faces,
        parts=parts,
        names=BLENDSHAPES,
        shapes=shapes.astype(np.float32),
        identities=identities.astype(np.float32),
        lowest=np.zeros(len(BLENDSHAPES), np.float32),
        colors=_colors(skin, rest, faces, parts),
    )


def _faces(skin: Skin, pieces: list[Piece]) -> tuple[np.ndarray, np.ndarray]:
    faces, parts, count = (
        [skin.faces],
        [np.where(skin.inside, Part.MOUTH, Part.SKIN).astype(np.int8)],
        len(skin.angle),
    )
    for piece in pieces:
        faces.append(np.where(piece.faces >= 0, piece.faces + count, -1).astype(np.int32))
        parts.append(piece.parts)
        count += len(piece.vertices)
    return np.concatenate(faces), np.concatenate(parts)


def _places(skin: Skin, pieces: list[Piece], rest: Doubles) -> Places:
    count = len(skin.angle)
    sizes = np.cumsum([count, *(len(piece.vertices) for piece in pieces)])
    numbers = [np.arange(a, b) for a, b in itertools.pairwise(sizes)]
    on_skin = np.zeros(len(rest))
    on_skin[:count] = np.clip(3 * np.cos(skin.angle), 0, 1)
    on_skin[:count] *= np.exp(-np.maximum(skin.fold[:, 1] - 0.3, 0))  # the depth of the mouth stays
    x, y, z = rest.T
    beside = np.maximum(np.abs(x) - MOUTH[1], 0)
    lower = 1 / (1 + np.exp(np.clip((y - MOUTH[0]) / (0.03 + 0.45 * beside), -60, 60)))
    line = np.abs(skin.height - MOUTH[0]) < 1e-9
    inner = np.abs(np.where(line, rest[:count, 0], 99)) < MOUTH[1]
    lower[:count] = np.where(inner, skin.below, lower[:count])
    depth = np.clip((z - FADE[0]) / (FADE[1] - FADE[0]), 0, 1)
    neck = np.clip((y + 14) / 3.2, 0, 1)
    jaw = np.zeros(len(rest))
    jaw[:count] = (lower * depth**0.7 * neck)[:count]
    jaw[numbers[3]] = 1
    tip = np.zeros(len(rest))
    along = rest[numbers[4], 2]
    tip[numbers[4]] = np.clip((along - along.min()) / np.ptp(along), 0, 1) ** 0.7
    jaw[numbers[4]] = 0.8
    return Places(
        rest=rest,
        skin=on_skin,
        lower=lower,
        jaw=jaw,
        balls={1: numbers[0], -1: numbers[1]},
        tongue=tip,
    )


def _lid_movement(name: str, skin: Skin, count: int) -> Doubles:
    offsets = np.zeros((count, 3))
    side = "Left" if name.endswith("Left") else "Right"
    lids = with_lids(Lids(), name.removesuffix(side), side)
    if lids is not None:
        offsets[: len(skin.angle)] = skin.vertices(lids) - skin.vertices()
    return offsets


def _identities(rest: Doubles, places: Places) -> list[Doubles]:
    """One deviation each: breadth, length, jaw, nose (two), lips, brows, depth."""
    x, y, z = rest.T
    zero = np.zeros_like(x)
    nose = bump(x, y, (0, -2.6), (1.6, 2.0)) * places.skin
    return [
        np.stack([0.035 * x, zero, zero], 1),
        np.stack([zero, 0.03 * y, zero], 1),
        np.stack([0.07 * x * np.clip((-4 - y) / 5, 0, 1), zero, zero], 1),
        np.stack([zero, zero, 0.3 * nose], 1),
        np.stack([0.18 * x * nose, zero, zero], 1),
        np.stack([zero, zero, 0.16 * bump(x, y, (0, MOUTH[0]), (2.6, 1.1)) * places.skin], 1),
        np.stack(
            [zero, zero, 0.2 * bump(np.abs(x), y, (EYE[0] - 0.5, 2.1), (2.4, 1.0)) * places.skin], 1
        ),
        np.stack([zero, zero, 0.03 * (z - 4) * np.clip(z / 4, 0, 1)], 1),
    ]


def _colors(skin: Skin, rest: Doubles, faces: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """(V, 3) sRGB"""
    count = len(skin.angle)
    colors = np.tile(np.array(SKIN_COLOR), (len(rest), 1))
    for part, color in PART_COLORS.items():
        of_part = np.unique(faces[parts == part])
        colors[of_part[of_part >= count if part is not Part.MOUTH else of_part >= 0]] = color
    x, y, z = rest[:count].T
    outside, front = skin.fold[:, 1] <= 0.25, np.cos(skin.angle) > 0.2
    half = np.clip(1 - (x / 2.55) ** 2, 0, 1)
    lips = _soft((0.7 * half**0.6 - np.abs(y + 6.38)) / 0.12) * (np.abs(x) < 2.6)
    brow = _soft((1.75 - np.abs(np.abs(x) - 3.1)) / 0.4) * _soft(
        (0.4 - np.abs(y - 2.05 - 0.12 * (np.abs(x) - 2))) / 0.25
    )
    hair = np.where(
        front,
        _soft((y - 6.9) / 0.5),
        _soft(np.maximum((y - 6.9) / 0.5, (0.5 - z) * _soft((y + 5) / 2))),
    )
    for share, color in ((hair, HAIR_COLOR), (brow * front, BROW_COLOR), (lips * front, LIP_COLOR)):
        share = (share * outside)[:, None]
        colors[:count] = colors[:count] * (1 - share) + share * np.array(color)
    rim = outside & (np.abs(skin.height) < 1e-9) & (np.abs(np.abs(x) - EYE[0]) < EYE[1])
    colors[:count][rim] *= 0.35
    nostril = bump(np.abs(x), y, (0.55, -4.1), (0.32, 0.22))[:, None] * front[:, None]
    colors[:count] *= 1 - 0.6 * nostril
    return colors.astype(np.float32)


def _soft(value: Doubles) -> Doubles:
    """0 below zero, 1 above one, smoothly between."""
    t = np.clip(value, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
