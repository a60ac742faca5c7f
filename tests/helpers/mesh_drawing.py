"""Textured triangles from simple glTF files, drawn with a depth buffer: pictures, exact depth and
whose every pixel is.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from helpers import ray_world
from PIL import Image

from backend.geometry.triangles import nearest_triangles

TYPES = {5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}
NEAR = 0.05


@dataclass(frozen=True)
class Triangles:
    """Of one textured piece. World z is up."""

    corners: np.ndarray  # (T, 3, 3)
    uv: np.ndarray  # (T, 3, 2)
    texture: np.ndarray  # (H, W, 3) float32 0..1

    def placed(self, angle: float, scale: float | np.ndarray, at: np.ndarray) -> "Triangles":
        """Scaled (along its own axes), turned about z, moved."""
        c, s = np.cos(angle), np.sin(angle)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) * scale
        return Triangles(self.corners @ turn.T + at, self.uv, self.texture)

    def painted(self, mix: np.ndarray) -> "Triangles":
        """Other colours: each of the texture's multiplied by a matrix (3, 3)."""
        return Triangles(
            self.corners, self.uv, np.clip(self.texture @ mix.T, 0, 1).astype(np.float32)
        )


@cache
def load_gltf(path: Path) -> Triangles:
    """One node, one mesh, buffers without strides: what kits of props are. Stood on the floor, over
    the origin.
    """
    scene = json.loads(path.read_text())
    data = (path.parent / scene["buffers"][0]["uri"]).read_bytes()

    def read(index: int) -> np.ndarray:
        accessor = scene["accessors"][index]
        view, width = scene["bufferViews"][accessor["bufferView"]], WIDTHS[accessor["type"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        return np.frombuffer(
            data, TYPES[accessor["componentType"]], accessor["count"] * width, start
        ).reshape(-1, width)

    corners, uv = [], []
    for primitive in scene["meshes"][0]["primitives"]:
        names, order = primitive["attributes"], read(primitive["indices"]).ravel().astype(int)
        corners.append(read(names["POSITION"])[order].reshape(-1, 3, 3).astype(float))
        uv.append(read(names["TEXCOORD_0"])[order].reshape(-1, 3, 2).astype(float))
    points = np.concatenate(corners)[..., [0, 2, 1]] * [1, -1, 1]  # y up to z up
    low, high = points.min((0, 1)), points.max((0, 1))
    points = points - [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]
    texture = (
        np.asarray(Image.open(path.parent / scene["images"][0]["uri"]).convert("RGB"), np.float32)
        / 255
    )
    return Triangles(points, np.concatenate(uv), texture)


@dataclass(frozen=True)
class Drawn:
    """H x W pixels. Depth is infinite and owner -1 where nothing is."""

    colors: np.ndarray  # (H, W, 3) float32
    depth: np.ndarray  # (H, W) along the viewing axis
    owners: np.ndarray  # (H, W) index into the pieces


def draw(
    pieces: list[Triangles],
    pose: np.ndarray,
    focal: float,
    size: tuple[int, int],
    sun: np.ndarray,
    ambient: float,
) -> Drawn:
    """Pieces seen from a camera-to-world pose (OpenGL axes), lit by a sun (3,) and from everywhere.
    Both sides are drawn.
    """
    corners = np.concatenate([p.corners for p in pieces])
    owner = np.repeat(np.arange(len(pieces)), [len(p.corners) for p in pieces])
    uv = np.concatenate([p.uv for p in pieces])
    camera = (corners - pose[:3, 3]) @ pose[:3, :3]
    z = -camera[..., 2]
    front = np.flatnonzero((z > NEAR).all(1))
    z, camera = z[front], camera[front]
    x, y = size[0] / 2 + focal * camera[..., 0] / z, size[1] / 2 - focal * camera[..., 1] / z
    seen = nearest_triangles(np.stack([x, y], 2), 1 / z, size)
    weights = seen.weights / z[seen.triangles] / seen.nearness[:, None]
    light = ambient + (1 - ambient) * 1.3 * _facing(corners, sun, camera_at=pose[:3, 3])
    found = Hits(front[seen.triangles], weights, seen.pixels, 1 / seen.nearness)
    return _shade(pieces, found, owner, uv, light, size)


@dataclass(frozen=True)
class Hits:
    """M pixels that a triangle covers, each with the nearest one."""

    triangle: np.ndarray  # (M,)
    barycentric: np.ndarray  # (M, 3), true to perspective
    pixel: np.ndarray  # (M,)
    depth: np.ndarray  # (M,)


def _facing(corners: np.ndarray, sun: np.ndarray, camera_at: np.ndarray) -> np.ndarray:
    """(T,) how much the side that the camera sees is turned to the sun."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    normal *= np.sign(((camera_at - corners.mean(1)) * normal).sum(1, keepdims=True))
    return np.clip(normal @ sun, 0, 1)


def _shade(
    pieces: list[Triangles],
    hits: Hits,
    owner: np.ndarray,
    uv: np.ndarray,
    light: np.ndarray,
    size: tuple[int, int],
) -> Drawn:
    place, whose_hit = (
        (uv[hits.triangle] * hits.barycentric[..., None]).sum(1),
        owner[hits.triangle],
    )
    colors, whose = np.zeros((size[1] * size[0], 3), np.float32), np.full(size[1] * size[0], -1)
    far = np.full(size[1] * size[0], np.inf)
    far[hits.pixel], whose[hits.pixel] = hits.depth, whose_hit
    for piece in np.unique(whose_hit):
        mine = whose_hit == piece
        texture = pieces[piece].texture
        rows, columns = (place[mine][:, ::-1] % 1 * texture.shape[:2]).astype(int).T
        colors[hits.pixel[mine]] = np.clip(
            texture[rows, columns] * light[hits.triangle[mine], None], 0, 1
        )
    return Drawn(
        colors.reshape(size[1], size[0], 3),
        far.reshape(size[1], size[0]),
        whose.reshape(size[1], size[0]),
    )


def over(scene: Drawn, world: ray_world.World, pose: np.ndarray, focal: float) -> Drawn:
    """The drawing before a ray-cast world, whose things are owners -2, -3, …"""
    height, width = scene.depth.shape
    rays = ray_world.pixel_rays(focal, (width, height)) @ pose[:3, :3].T.astype(np.float32)
    colors, depth, hit = ray_world.cast(world, pose[:3, 3].astype(np.float32), rays)
    nearer = scene.depth <= depth.reshape(height, width)
    return Drawn(
        np.where(nearer[..., None], scene.colors, colors.reshape(height, width, 3)),
        np.where(nearer, scene.depth, depth.reshape(height, width)),
        np.where(nearer, scene.owners, np.where(hit >= 0, -2 - hit, -1).reshape(height, width)),
    )
