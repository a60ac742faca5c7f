"""What lies in and on the skin: eyeballs, teeth, tongue, ears. Each a mesh of its own, as vertices
and faces.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....geometry.arrays import Doubles
from ..rig import Part
from .surface import BALL, ball_center

PUPIL, IRIS = 0.21, 0.47  # radians of an eyeball's front
TEETH_FRONT, TEETH_CURVE, TEETH_HALF = 8.75, 0.38, 2.3  # an arch: z = front - curve x^2
TONGUE_CENTRE, TONGUE_RADII = (0.0, -7.15, 5.6), (1.55, 0.5, 2.4)


@dataclass(frozen=True)
class Piece:
    """V vertices (V, 3), faces (F, 4) and their parts (F,)."""

    vertices: Doubles
    faces: NDArray[np.int32]
    parts: NDArray[np.int8]


def eyeball(side: int) -> Piece:
    """A sphere whose rings lie around the line of sight."""
    rings = np.concatenate(
        [[PUPIL * 0.5, PUPIL, (PUPIL + IRIS) / 2, IRIS], np.linspace(IRIS + 0.15, np.pi - 0.3, 8)]
    )
    ball = _sphere(ball_center(side), (BALL, BALL, BALL), rings, 20, axis=2)
    first = np.array([min(f[f >= 0]) for f in ball.faces])
    parts = np.where(first < 1 + 3 * 20, Part.IRIS, Part.EYE).astype(np.int8)
    return Piece(ball.vertices, ball.faces, parts)


def tongue() -> Piece:
    """The tongue, at rest behind the lower teeth."""
    return _sphere(
        np.array(TONGUE_CENTRE),
        TONGUE_RADII,
        np.linspace(0.25, np.pi - 0.25, 10),
        16,
        axis=2,
        part=Part.TONGUE,
    )


def ear(side: int) -> Piece:
    """A leaf that stands off the head."""
    leaf = _sphere(
        np.zeros(3), (0.45, 2.9, 1.7), np.linspace(0.2, np.pi - 0.2, 9), 18, axis=0, part=Part.SKIN
    )
    x, y, z = leaf.vertices.T
    hollow = 0.35 * np.exp(-((y / 1.6) ** 2) - ((z / 0.9) ** 2)) * (x > 0)
    lean = 0.35 * (z < 0) * np.abs(z)
    places = np.stack([side * (7.1 + x - hollow + lean), y * (1 - 0.12 * z) - 1.2, z - 1.0], 1)
    faces = leaf.faces if side > 0 else _turned_over(leaf.faces)
    return Piece(places, faces, leaf.parts)


def teeth(upper: bool) -> Piece:
    """A curved row with a gap drawn between teeth: crowns that are a little round."""
    x = np.linspace(-TEETH_HALF, TEETH_HALF, 41)
    round_off = 0.08 * np.abs(np.sin(np.pi * x / 0.72)) ** 0.5
    z = TEETH_FRONT - TEETH_CURVE * x**2 - (0.0 if upper else 0.25) + round_off - 0.08
    top, bottom = (-5.45, -6.42) if upper else (-6.5, -7.35)
    rows = [
        np.stack([x, np.full_like(x, h), z - back], 1)
        for h, back in ((top, 0.1), ((top + bottom) / 2, 0.0), (bottom, 0.05), (bottom, 0.45))
    ]
    if not upper:  # the cutting edge is on top
        rows = [
            np.stack([x, np.full_like(x, h), z - back], 1)
            for h, back in ((top, 0.45), (top, 0.05), ((top + bottom) / 2, 0.0), (bottom, 0.1))
        ]
    count = len(x)
    faces = [
        [r * count + k, (r + 1) * count + k, (r + 1) * count + k + 1, r * count + k + 1]
        for r in range(3)
        for k in range(count - 1)
    ]
    return Piece(
        np.concatenate(rows), np.array(faces, np.int32), np.full(len(faces), Part.TEETH, np.int8)
    )


def _sphere(
    center: Doubles,
    radii: tuple[float, float, float],
    rings: Doubles,
    count: int,
    axis: int,
    part: Part = Part.EYE,
) -> Piece:
    """An ellipsoid with poles along an axis, rings at polar angles, `count` vertices on each."""
    around = np.arange(count) / count * 2 * np.pi
    u, v = (axis + 1) % 3, (axis + 2) % 3
    unit = np.zeros((2 + len(rings) * count, 3))
    unit[0, axis], unit[-1, axis] = 1, -1
    for r, polar in enumerate(rings):
        rows = slice(1 + r * count, 1 + (r + 1) * count)
        unit[rows, axis], unit[rows, u], unit[rows, v] = (
            np.cos(polar),
            np.sin(polar) * np.cos(around),
            np.sin(polar) * np.sin(around),
        )
    faces = [[0, 1 + k, 1 + (k + 1) % count, -1] for k in range(count)]
    for r in range(len(rings) - 1):
        a, b = 1 + r * count, 1 + (r + 1) * count
        faces += [[a + k, b + k, b + (k + 1) % count, a + (k + 1) % count] for k in range(count)]
    a, last = 1 + (len(rings) - 1) * count, len(unit) - 1
    faces += [[a + k, last, a + (k + 1) % count, -1] for k in range(count)]
    return Piece(
        unit * radii + center, np.array(faces, np.int32), np.full(len(faces), part, np.int8)
    )


def _turned_over(faces: NDArray[np.int32]) -> NDArray[np.int32]:
    """The other side out."""
    flipped = faces[:, ::-1].copy()
    three = flipped[:, 0] < 0
    flipped[three] = np.roll(flipped[three], -1, 1)
    return flipped
