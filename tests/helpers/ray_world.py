"""A textured room with things in it, seen by ray casting: pictures, exact depth and exact cameras.
World z is up.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

SIDE = 1024  # texels of a texture's side


@functools.lru_cache(maxsize=32)
def texture(seed: int, contrast: float = 1.0) -> np.ndarray:
    """(SIDE, SIDE, 3) float32 in 0..1: octaves of noise between two colours; `contrast` 0 leaves
    them plain.
    """
    random = np.random.default_rng(seed)
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    for cells in (8, 16, 32, 64, 128, 256, 512):
        noise = random.random((cells, cells, 3)).astype(np.float32)
        noise = np.concatenate([noise, noise[:1]], 0)
        noise = np.concatenate([noise, noise[:, :1]], 1)  # it tiles
        big = cv2.resize(noise, (SIDE + SIDE // cells,) * 2, interpolation=cv2.INTER_CUBIC)[
            :SIDE, :SIDE
        ]
        image += big * (1.6 / cells**0.45)
    image -= image.min((0, 1))
    image /= image.max((0, 1))
    first, second = random.random(3, np.float32), random.random(3, np.float32)
    image[:] = 0.5 * image + 0.5 * (first + (second - first) * image[..., :1])
    return np.clip(0.5 * (first + second) * (1 - contrast) + image * contrast, 0, 1).astype(
        np.float32
    )


@dataclass(frozen=True)
class Plane:
    """All points whose coordinate `axis` is `at`."""

    axis: int
    at: float
    texture: int


@dataclass(frozen=True)
class Sphere:
    center: tuple[float, float, float]
    radius: float
    texture: int


@dataclass(frozen=True)
class Box:
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    texture: int


Thing = Plane | Sphere | Box
ROOM: tuple[Thing, ...] = (
    Plane(2, 0.0, 0), Plane(1, 5.0, 1), Plane(0, -6.0, 2), Plane(0, 6.0, 3), Plane(1, -8.0, 4),
    Plane(2, 8.0, 10),
    Sphere((0, 0, 1.0), 0.9, 5), Sphere((-1.9, 0.8, 0.8), 0.7, 6), Sphere((-1.0, -1.4, 0.5), 0.5,
    7), Sphere((0.9, -1.5, 0.4), 0.4, 8),
    Box((1.3, 0.5, 0), (2.3, 1.5, 1.4), 9), Box((-3.2, 1.8, 0), (-2.4, 2.6, 2.2), 11), Box((2.6,
    -1.6, 0), (3.2, -1.0, 1.0), 3),
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Things with their textures; `moving(share)` gives those that change with the clip's share
    0..1; `sky` colours (N, 3) where rays (N, 3) of length one meet nothing, black without it.
    """

    things: tuple[Thing, ...]
    textures: list[np.ndarray]
    moving: Callable[[float], tuple[Thing, ...]] = field(default=lambda share: ())
    sky: Callable[[np.ndarray], np.ndarray] | None = None

    def at(self, share: float) -> "World":
        return replace(self, things=self.things + self.moving(share))


def make_room(
    seed: int, plain: bool = False, moving: Callable[[float], tuple[Thing, ...]] = lambda share: ()
) -> World:
    """`plain`: walls, floor and ceiling with next to no texture."""
    contrasts = [0.06 if plain and i in (0, 1, 2, 3, 4, 10) else 1.0 for i in range(14)]
    return World(ROOM, [texture(100 * seed + i, c) for i, c in enumerate(contrasts)], moving)


def _distance(thing: Thing, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """(N,) ray parameter of the nearest hit, infinite without one."""
    with np.errstate(all="ignore"):
        if isinstance(thing, Plane):
            t = (thing.at - origin[..., thing.axis]) / rays[:, thing.axis]
        elif isinstance(thing, Sphere):
            oc = origin - np.array(thing.center, np.float32)
            b, dd = (rays * oc).sum(1), (rays * rays).sum(1)
            t = (-b - np.sqrt(b * b - dd * ((oc * oc).sum(-1) - thing.radius**2))) / dd
        else:
            first, second = (
                (np.array(thing.low, np.float32) - origin) / rays,
                (np.array(thing.high, np.float32) - origin) / rays,
            )
            t = np.minimum(first, second).max(1)
            t = np.where(t < np.maximum(first, second).min(1), t, np.inf)
    return np.where(np.isfinite(t) & (t > 1e-3), t, np.inf).astype(np.float32)


def _texel(thing: Thing, hit: np.ndarray) -> np.ndarray:
    """(N, 2) place in the texture, in units of its side."""
    if isinstance(thing, Plane):
        return hit[:, [a for a in range(3) if a != thing.axis]] / 6
    if isinstance(thing, Sphere):
        p = (hit - np.array(thing.center, np.float32)) / thing.radius
        return np.stack(
            [
                np.arctan2(p[:, 1], p[:, 0]) / np.pi * 0.7 * thing.radius,
                p[:, 2] * 0.35 * thing.radius,
            ],
            1,
        )
    low, high = np.array(thing.low, np.float32), np.array(thing.high, np.float32)
    p = (hit - low) / (high - low)
    axis = np.abs(p - 0.5).argmax(1)
    local = hit - low  # moves with the box
    u, v = (
        np.where(axis == 0, local[:, 1], local[:, 0]),
        np.where(axis == 2, local[:, 1], local[:, 2]),
    )
    return np.stack([u / 3 + axis * 0.3, v / 3], 1)


def cast(
    world: World, origin: np.ndarray, rays: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours (N, 3) float32, ray parameters (N,), and whose they are (N,), for rays (N, 3) from
    origin (3,) or (N, 3).
    """
    best, owner = np.full(len(rays), np.inf, np.float32), np.full(len(rays), -1, np.int16)
    for index, thing in enumerate(world.things):
        t = _distance(thing, origin, rays)
        nearer = t < best
        best[nearer], owner[nearer] = t[nearer], index
    colors = np.zeros((len(rays), 3), np.float32)
    if world.sky is not None:
        free = np.flatnonzero(owner < 0)
        far = rays[free]
        colors[free] = world.sky(far / np.linalg.norm(far, axis=1, keepdims=True))
    for index, thing in enumerate(world.things):
        mine = np.flatnonzero(owner == index)
        if len(mine):
            start = origin if origin.ndim == 1 else origin[mine]
            uv = _texel(thing, start + best[mine, None] * rays[mine])
            maps = ((uv % 1.0) * SIDE).astype(np.float32)
            rows = [
                cv2.remap(
                    world.textures[thing.texture],
                    m[:, None, :1],
                    m[:, None, 1:],
                    cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_WRAP,
                )
                for m in np.array_split(maps, -(-len(maps) // 30000))
            ]
            colors[mine] = np.concatenate(rows)[:, 0]
    return colors, best, owner


def look_at(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Camera-to-world, OpenGL axes, level."""
    back = position - target
    back = back / np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = (
        right,
        np.cross(back, right),
        back,
        position,
    )
    return pose


def pixel_rays(focal: float, size: tuple[int, int], supersample: int = 1) -> np.ndarray:
    """(N, 3) in OpenGL camera axes, with z = -1, so that the ray parameter is the depth."""
    width, height = size
    u, v = np.meshgrid(
        (np.arange(width * supersample) + 0.5) / supersample,
        (np.arange(height * supersample) + 0.5) / supersample,
    )
    return (
        np.stack([(u - width / 2) / focal, -(v - height / 2) / focal, -np.ones_like(u)], -1)
        .reshape(-1, 3)
        .astype(np.float32)
    )


def depth(world: World, pose: np.ndarray, focal: float, size: tuple[int, int]) -> np.ndarray:
    """(H, W) distance along the viewing axis at the pixels' centres."""
    rays = pixel_rays(focal, size) @ pose[:3, :3].T.astype(np.float32)
    return cast(world, pose[:3, 3].astype(np.float32), rays)[1].reshape(size[1], size[0])


def render_image(
    world: World,
    pose: np.ndarray,
    focal: float,
    size: tuple[int, int],
    end: np.ndarray | None = None,
) -> np.ndarray:
    """(H, W, 3) float32 in 0..1. `end`: the pose when the last row is exposed, for a rolling
    shutter.
    """
    width, height = size
    rays, origin = pixel_rays(focal, size, 2), pose[:3, 3].astype(np.float32)
    if end is None:
        rays = rays @ pose[:3, :3].T.astype(np.float32)
    else:
        rows = np.linspace(0, 1, height * 2, dtype=np.float32)[:, None, None]
        matrices = (
            pose[None].astype(np.float32) * (1 - rows) + end[None].astype(np.float32) * rows
        )  # small turns: close enough
        rotations = np.linalg.qr(matrices[:, :3, :3])[0]
        rotations *= np.sign((rotations * matrices[:, :3, :3]).sum(1, keepdims=True))
        rays = np.einsum("hij,hwj->hwi", rotations, rays.reshape(height * 2, width * 2, 3)).reshape(
            -1, 3
        )
        origin = np.repeat(matrices[:, :3, 3], width * 2, 0)
    colors = cast(world, origin, rays)[0].reshape(height * 2, width * 2, 3)
    return cv2.resize(colors, (width, height), interpolation=cv2.INTER_AREA)
