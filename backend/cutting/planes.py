"""Planes that points lie on: a floor, a wall and the next one. numpy only."""

from dataclasses import dataclass

import numpy as np

from ..geometry.arrays import Doubles, Flags, Floats

TRIES, SOME = 300, 4000  # of three points each; points that a try is judged by


@dataclass(frozen=True)
class Plane:
    """With axes of its own: a place is origin + u, v along two of them, height along the third."""

    origin: Doubles  # (3,)
    axes: Doubles  # (3, 3) rows, of length 1; the last is the normal

    def flat(self, points: Floats) -> Doubles:
        """(P, 3) u, v and height of places (P, 3)."""
        return np.asarray((points.astype(np.float64) - self.origin) @ self.axes.T)

    def places(self, flat: Doubles) -> Doubles:
        """The way back."""
        return np.asarray(flat @ self.axes + self.origin)


def plane_of(points: Floats) -> Plane:
    """Through points (P, 3), by least squares."""
    origin = points.mean(0).astype(np.float64)
    axes = np.linalg.svd(points.astype(np.float64) - origin, full_matrices=False)[2]
    if len(axes) < 3:
        axes = np.eye(3)
    axes[2] = np.cross(axes[0], axes[1])
    return Plane(origin, axes)


def planes(points: Floats, near: float, least: int, most: int) -> list[tuple[Plane, Flags]]:
    """At most `most` planes with at least `least` of the points (P, 3) within `near` of each, the
    fullest first, and which points those are (P,); every point counts once.
    """
    random, left = np.random.default_rng(0), np.ones(len(points), bool)
    made: list[tuple[Plane, Flags]] = []
    while len(made) < most and left.sum() >= max(least, 3):
        index = np.flatnonzero(left)
        inside = _fullest(points[index], near, random)
        for _ in range(3):
            if inside.sum() < 3:
                break
            plane = plane_of(points[index[inside]])
            inside = np.abs(plane.flat(points[index])[:, 2]) < near
        if inside.sum() < least:
            break
        mask = np.zeros(len(points), bool)
        mask[index[inside]] = True
        made.append((plane, mask))
        left &= ~mask
    return made


def _fullest(points: Floats, near: float, random: np.random.Generator) -> Flags:
    """(P,) the points near the plane through three of them that has the most."""
    some = points[random.permutation(len(points))[:SOME]].astype(np.float64)
    corners = some[random.integers(0, len(some), (TRIES, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.maximum(lengths, 1e-30)
    away = np.abs(some @ normals.T - (corners[:, 0] * normals).sum(1))  # (S, TRIES)
    counts = (away < near).sum(0) * (lengths[:, 0] > 1e-12)
    best = int(counts.argmax())
    return np.asarray(np.abs((points.astype(np.float64) - corners[best, 0]) @ normals[best]) < near)
