"""Pictures of a rig: smooth shading under two lamps, a depth buffer, a pinhole camera. For finding
points, tests and previews.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...geometry.triangles import Seen, nearest_triangles
from .rig import Part, Rig

COLORS = {Part.SKIN: (0.82, 0.62, 0.53), Part.MOUTH: (0.45, 0.16, 0.15), Part.TONGUE: (0.72, 0.36,
    0.35), Part.TEETH: (0.92, 0.9, 0.84),
          Part.EYE: (0.95, 0.94, 0.92), Part.IRIS: (0.22, 0.13, 0.08)}  # fmt: skip
LAMPS = ((0.3, 0.5, 0.8, 0.75), (-0.6, 0.2, 0.75, 0.25))  # direction in the rig's axes, strength
AMBIENT = 0.25
BEHIND = (0.35, 0.4, 0.45)
TO_CAMERA = np.diag([1.0, -1.0, -1.0])  # a face that looks into the camera: x right, y down, z away


@dataclass(frozen=True, kw_only=True)
class PortraitCamera:
    """A camera before a face: rotation (3, 3) and translation (3,) of the rig into camera axes (x
    right, y down, z away).
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    focal: float  # pixels
    width: int
    height: int

    def project(self, points: Floats) -> NDArray[np.float64]:
        """Points (..., 3) of the rig as x and y in pixels and depth (..., 3)."""
        seen = points @ self.rotation.T + self.translation
        depth = seen[..., 2:]
        center = np.array([self.width / 2, self.height / 2])
        return np.concatenate([self.focal * seen[..., :2] / depth + center, depth], -1)


def portrait(
    size: int,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    distance: float = 60.0,
    height: float = 30.0,
) -> PortraitCamera:
    """A square picture of `height` centimetres at the face, from `distance` centimetres; the head
    is turned, in radians.
    """
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, cp, -sp], [0, sp, cp]]
    )
    turn = turn @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return PortraitCamera(
        rotation=TO_CAMERA @ turn,
        translation=np.array([0, 0, distance]),
        focal=size * distance / height,
        width=size,
        height=size,
    )


def draw(
    rig: Rig, vertices: Floats, view: PortraitCamera, colors: Floats | None = None
) -> NDArray[np.uint8]:
    """(H, W, 3) of posed vertices (V, 3), four looks a pixel; `colors` (V, 3) 0..1, or the rig's
    own, or those of the parts.
    """
    colors = rig.colors if colors is None else colors
    fine = PortraitCamera(
        rotation=view.rotation,
        translation=view.translation,
        focal=2 * view.focal,
        width=2 * view.width,
        height=2 * view.height,
    )
    seen = see(rig, vertices, fine)
    corners = rig.triangles[seen.triangles]
    shade = (_light(vertices, rig.triangles)[corners] * seen.weights).sum(1, keepdims=True)
    table = np.array([COLORS[part] for part in Part])
    base = (
        table[rig.triangle_parts[seen.triangles]]
        if colors is None
        else (colors[corners] * seen.weights[..., None]).sum(1)
    )
    image = np.tile(np.array(BEHIND), (fine.height * fine.width, 1))
    image[seen.pixels] = (base * (AMBIENT + shade)).clip(0, 1)
    whole = image.reshape(view.height, 2, view.width, 2, 3).mean((1, 3))
    return np.asarray((whole * 255).round(), np.uint8)


def see(rig: Rig, vertices: Floats, view: PortraitCamera) -> Seen:
    """The rig's triangles that are nearest in each pixel."""
    points = view.project(vertices)[rig.triangles]
    return nearest_triangles(points[..., :2], 1 / points[..., 2], (view.width, view.height))


def normals(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """(V, 3) of length one, out of the mesh; corners of large triangles count for more."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    sums = np.stack(
        [
            sum(np.bincount(triangles[:, k], across[:, axis], len(vertices)) for k in range(3))
            for axis in range(3)
        ],
        1,
    )
    return np.asarray(
        sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12), np.float32
    )


def _light(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """(V,)"""
    facing, total = normals(vertices, triangles), np.zeros(len(vertices), np.float32)
    for x, y, z, strength in LAMPS:
        direction = np.array([x, y, z]) / np.linalg.norm([x, y, z])
        total += strength * (facing @ direction).clip(0, 1)
    return total
