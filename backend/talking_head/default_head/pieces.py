"""Eyeballs with a rim around the iris, ears with a fold, brows and lashes: pieces of the default
head.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Doubles
from ..rigs.small_head.surface import ball_center

PUPIL, IRIS = 0.26, 0.56  # radians of an eyeball's front
WHITE, DARK, BLACK = (0.97, 0.965, 0.95), (0.06, 0.14, 0.16), (0.008, 0.008, 0.01)
LIGHT, EDGE = (0.3, 0.62, 0.6), (0.12, 0.36, 0.4)  # of the iris around the pupil, and further out
AROUND = 40
RADIUS, BACK, INWARD = 1.5, 0.4, 0.25  # of a ball that fills the slit between the lids


@dataclass(frozen=True, kw_only=True)
class DressPiece:
    """A mesh of its own before it is styled: V vertices, F faces, K shapes."""

    name: str
    material: str
    vertices: Doubles  # (V, 3)
    faces: NDArray[np.int32]  # (F, 4); -1 in the last place of triangles
    shapes: Doubles  # (K, V, 3)
    colors: Doubles  # (V, 3) sRGB
    uvs: Doubles  # (F, 4, 2)


def grid_faces(rows: int, columns: int, closed: bool) -> NDArray[np.int32]:
    """(F, 4) between rows of vertices, row after row."""
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns - (not closed)), indexing="ij")
    a, b = r * columns + c, r * columns + (c + 1) % columns
    faces = np.stack([a, a + columns, b + columns, b], -1).reshape(-1, 4)
    return faces.astype(np.int32)


def grid_uvs(rows: int, columns: int, closed: bool) -> Doubles:
    """(F, 4, 2) that go with them, without a seam inside a face."""
    wide = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns - (not closed)), indexing="ij")
    corners = [(r, c), (r + 1, c), (r + 1, c + 1), (r, c + 1)]
    uv = [np.stack([v / wide, 1 - u / max(rows - 1, 1)], -1) for u, v in corners]
    return np.stack(uv, 2).reshape(-1, 4, 2)


def eyeball(side: int, names: tuple[str, ...], turns: dict[str, Doubles]) -> DressPiece:
    """`turns`: the rotation (3, 3) of this eye in each shape that turns it."""
    rings = np.concatenate(
        [
            [0.02, PUPIL * 0.6, PUPIL - 0.02, PUPIL + 0.02],
            np.linspace(PUPIL + 0.07, IRIS - 0.07, 4),
            [IRIS - 0.03, IRIS + 0.03],
            np.linspace(IRIS + 0.12, np.pi - 0.05, 12),
        ]
    )
    around = np.arange(AROUND) / AROUND * 2 * np.pi
    polar, turn = np.meshgrid(rings, around, indexing="ij")
    unit = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], -1)
    unit = unit.reshape(-1, 3)
    # the cornea bulges over the iris
    bulge = 1 + 0.035 * np.exp(-((polar / 0.5) ** 4)).reshape(-1, 1)
    local = unit * RADIUS * bulge
    # the ball lies nearer to the nose than the slit's middle, and looks as far outwards
    sine, cosine = side * np.sin(0.09), np.cos(0.09)
    local = local @ np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    color = np.array([_iris_color(p, t) for p, t in zip(polar.ravel(), turn.ravel(), strict=True)])
    shapes = np.stack([local @ (turns.get(name, np.eye(3)) - np.eye(3)).T for name in names])
    faces = grid_faces(len(rings), AROUND, closed=True)
    uvs = 0.5 + (unit[faces][..., :2] * (polar.reshape(-1)[faces] / np.pi)[..., None] * 0.5)
    return DressPiece(
        name="Eye Left" if side > 0 else "Eye Right",
        material="Eye",
        vertices=local + ball_center(side) - [side * INWARD, 0, BACK],
        faces=faces,
        shapes=shapes,
        colors=color,
        uvs=uvs,
    )


def _iris_color(polar: float, turn: float) -> Doubles:
    """By the angle from the line of sight."""
    if polar < PUPIL:
        return np.array(BLACK)
    if polar > IRIS:
        return np.array(WHITE)
    share = (polar - PUPIL) / (IRIS - PUPIL)
    ray = 0.5 + 0.5 * np.sin(turn * 17) * np.sin(turn * 5 + 1)
    inner = np.array(LIGHT) * (0.85 + 0.25 * ray)
    color = inner * (1 - share) + np.array(EDGE) * share
    if share > 0.8:
        color = color * 0.3 + np.array(DARK) * 0.7
    # the lids' shadow above, light that gathers below
    return np.asarray(np.clip(color * (1 - 0.35 * np.sin(turn)), 0, 1))


def ear(side: int, count: int, colors: tuple[Doubles, Doubles]) -> DressPiece:
    """A shell with a rolled rim and a fold, that stands off the head; it does not move."""
    rings = np.array([0.02, 0.16, 0.3, 0.42, 0.52, 0.6, 0.68, 0.76, 0.84, 0.91, 0.97, 1.0])
    around = np.arange(36) / 36 * 2 * np.pi
    r, t = np.meshgrid(rings, around, indexing="ij")
    up, back = np.sin(t), -np.cos(t)
    half = 1.75 + 0.25 * up  # an egg, wider above
    y, z = half * 1.12 * r * up, (1.05 + 0.3 * up) * r * back
    rim = np.exp(-(((r - 0.86) / 0.13) ** 2)) * (0.35 + 0.65 * smooth_turn(up, back))
    fold = np.exp(-(((r - 0.56) / 0.12) ** 2)) * np.clip(0.3 + back, 0, 1) * np.clip(up + 0.9, 0, 1)
    out = 0.2 * r**2 + 0.42 * rim + 0.26 * fold - 0.3 * np.exp(-((r / 0.33) ** 2))
    front = np.stack([out, y, z], -1).reshape(-1, 3)
    behind = front[-36:] * [0, 0.86, 0.86] + [-0.4, 0, -0.1]
    root = behind * [1, 0.55, 0.55] + [-0.75, 0, 0.25]
    local = np.concatenate([front, behind, root])
    lean = np.clip(0.8 * (-local[:, 2] + 0.9), 0, None)  # the back edge stands off
    x = side * (7.0 + 0.62 * local[:, 0] + 0.55 * lean)
    vertices = np.stack([x, local[:, 1] * 1.12 - 1.3 + 0.12 * local[:, 2], local[:, 2] - 1.2], 1)
    faces = grid_faces(len(rings) + 2, 36, closed=True)
    faces = faces if side < 0 else faces[:, ::-1].copy()
    depth = np.clip((local[:, :1] + 0.1) / 0.6, 0, 1)
    return DressPiece(
        name="Ears",
        material="Skin",
        vertices=vertices,
        faces=faces,
        shapes=np.zeros((count, len(vertices), 3)),
        colors=colors[1] * (1 - depth) + colors[0] * depth,
        uvs=grid_uvs(len(rings) + 2, 36, closed=True),
    )


def smooth_turn(up: Doubles, back: Doubles) -> Doubles:
    """How far the rim is rolled: all around but for the lobe and the front."""
    return np.asarray(np.clip(0.55 + 0.8 * up + 0.4 * back, 0, 1))


def brow_lines(side: int) -> tuple[Doubles, Doubles, Doubles]:
    """(N, 2) x and y along a brow, half its height (N,) and its thickness (N,)."""
    t = np.linspace(0, 1, 15)
    x = side * (1.25 + 3.75 * t)
    y = 2.15 + 0.75 * np.sin(np.pi * t**0.8) - 0.5 * t**2
    high = 0.36 * (1 - t) ** 0.35 * (1 - 0.25 * t) + 0.03
    high *= np.clip(t / 0.06 + 0.5, 0, 1)
    return np.stack([x, y], 1), high, 0.6 * high + 0.03
