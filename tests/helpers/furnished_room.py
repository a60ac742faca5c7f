"""Rooms of furniture built from boxes and spheres, with exact object masks, and the Gaussians that
a good training would leave.

Everything is drawn by ray_world; an object is several things, and every object has a class.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from helpers import ray_world
from helpers.box_furniture import furniture
from helpers.ray_world import Box, Plane, Sphere, Thing, World
from PIL import Image
from scipy.spatial import KDTree

from backend.formats import capture, splat_ply
from backend.formats.splat_ply import SplatArrays
from backend.gaussians.options import Drawables, RasterView
from backend.geometry.conventions import from_viewmat, to_viewmat
from backend.geometry.spherical_harmonics import SH_C0

SIZE, FOCAL = (192, 144), 128.0
FLOATERS = 0.03
SURFACES = ("floor", "wall", "wall")
LOOK_ALIKE = {
    "armchair": "couch", "couch": "armchair", "chair": "stool", "stool": "chair",
    "cabinet": "shelf", "shelf": "cabinet",
    "table": "stool", "bed": "couch", "lamp": "cactus", "cactus": "lamp", "rug": "floor",
    "floor": "rug", "wall": "floor",
    "pillow": "armchair",
}  # fmt: skip
CLASSES = tuple(LOOK_ALIKE)


@dataclass(frozen=True)
class Room:
    """V views of one room. Objects are numbered; `classes[o]` is the class of object o, an index
    into CLASSES.
    """

    classes: np.ndarray  # (O,)
    images: list[np.ndarray]  # (H, W, 3) uint8
    owners: list[np.ndarray]  # (H, W) object of every pixel, -1: none
    views: list[RasterView]
    gaussians: Drawables
    rgb: np.ndarray  # (N, 3) of the Gaussians
    objects: np.ndarray  # (N,) whose surface a Gaussian lies on; -1: a floater


def _turned(thing: Thing, quarter: int, at: np.ndarray) -> Thing:
    """Turned about z by quarters and moved, so that boxes stay along the axes."""
    c, s = [(1, 0), (0, 1), (-1, 0), (0, -1)][quarter % 4]

    def place(p: tuple[float, float, float]) -> tuple[float, float, float]:
        return (c * p[0] - s * p[1] + at[0], s * p[0] + c * p[1] + at[1], p[2])

    if isinstance(thing, Sphere):
        return Sphere(place(thing.center), thing.radius, thing.texture)
    assert isinstance(thing, Box)
    a, b = np.array(place(thing.low)), np.array(place(thing.high))
    return Box(tuple(np.minimum(a, b)), tuple(np.maximum(a, b)), thing.texture)


def _furnish(seed: int, pieces: int) -> tuple[list[Thing], list[int], list[str]]:
    """Things, the object of each, and the names of the objects; pieces do not overlap but may
    touch.
    """
    random = np.random.default_rng(seed)
    names = [c for c in CLASSES if c not in ("floor", "wall")]
    names = [*names, *random.choice(names, max(0, pieces - len(names)))][:pieces]
    things: list[Thing] = [Plane(2, 0.0, 0), Plane(1, 4.6, 1), Plane(0, -4.6, 2)]
    owner, named = [0, 1, 2], list(SURFACES)
    taken: list[np.ndarray] = []
    for name in names:
        skin, quarter, s = (
            3 + int(random.integers(11)),
            int(random.integers(4)),
            random.uniform(0.85, 1.25),
        )
        piece = [_turned(t, quarter, np.zeros(2)) for t in furniture(name, s, skin)]
        reach = np.array([np.abs(_corners(t)).max(0)[:2] for t in piece]).max(0)
        for _ in range(300):
            at = random.uniform(-4.3 + reach, 3.6 - reach)
            rectangle = np.concatenate([at - reach, at + reach])
            if name == "rug" or not any(_overlap(rectangle, other) for other in taken):
                break
        else:
            continue
        if name != "rug":
            taken.append(rectangle)
        things += [_turned(t, 0, at) for t in piece]
        owner += [len(named)] * len(piece)
        named.append(name)
    return things, owner, named


def _corners(thing: Thing) -> np.ndarray:
    if isinstance(thing, Sphere):
        return np.array(thing.center) + thing.radius * np.array([[-1, -1, -1], [1, 1, 1]])
    assert isinstance(thing, Box)
    return np.array([thing.low, thing.high])


def _overlap(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a[:2] < b[2:] + 0.02).all() and (b[:2] < a[2:] + 0.02).all())


def short_path(count: int, random: np.random.Generator) -> list[np.ndarray]:
    """A step to the side with the camera in hand: a metre, seven from the room's middle."""
    target, poses = np.array([-0.5, 0.5, 0.5]), []
    for i in range(count):
        angle = math.radians(-45 + 8 * (i / (count - 1) - 0.5))
        away = np.array([math.cos(angle), math.sin(angle), 0.42]) * (7 + random.normal(0, 0.05))
        poses.append(ray_world.look_at(target + away, target + random.normal(0, 0.05, 3)))
    return poses


def cameras(count: int, random: np.random.Generator) -> list[np.ndarray]:
    poses = []
    for i in range(count):
        angle = math.radians(-45 + 0.55 * (-100 + 200 * (0.618 * i % 1)))
        radius, height = random.uniform(6.2, 8.0), random.uniform(1.6, 4.5)
        position = np.array([radius * math.cos(angle), radius * math.sin(angle), height])
        poses.append(
            ray_world.look_at(
                position,
                np.array([*random.uniform((-1.8, -0.8), (0.8, 1.8)), random.uniform(0.2, 0.9)]),
            )
        )
    return poses


def make(seed: int, views: int = 36, pieces: int = 14) -> Room:
    """A room with two walls and about `pieces` pieces of furniture, filmed from the open side."""
    things, owner, names = _furnish(seed, pieces)
    world = World(tuple(things), [ray_world.texture(100 * seed + i, 0.6) for i in range(14)])
    object_of = np.array([*owner, -1])  # the last for rays that hit nothing
    poses = cameras(views, np.random.default_rng(1000 + seed))
    images, owners, points = [], [], []
    for pose in poses:
        rays = ray_world.pixel_rays(FOCAL, SIZE) @ pose[:3, :3].T.astype(np.float32)
        colors, depth, hit = ray_world.cast(world, pose[:3, 3].astype(np.float32), rays)
        images.append((colors.reshape(SIZE[1], SIZE[0], 3) * 255).astype(np.uint8))
        owners.append(object_of[hit].reshape(SIZE[1], SIZE[0]))
        seen = hit >= 0
        points.append(
            np.concatenate(
                [
                    pose[:3, 3] + depth[seen, None] * rays[seen],
                    colors[seen],
                    object_of[hit][seen, None],
                ],
                1,
            )
        )
    classes = np.array([CLASSES.index(n) for n in names])
    return Room(classes, images, owners, raster_views(poses), *splats(np.concatenate(points), seed))


def raster_views(
    poses: list[np.ndarray], focal: float = FOCAL, size: tuple[int, int] = SIZE
) -> list[RasterView]:
    """The cameras as the rasteriser takes them."""
    K = torch.tensor([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    return [
        RasterView(
            viewmat=torch.from_numpy(to_viewmat(p)).float(),
            K=K,
            width=size[0],
            height=size[1],
            sh_degree=None,
            background=torch.zeros(3),
        )
        for p in poses
    ]


def write(room: Room, folder: Path) -> None:
    """The room as a user has it: folder/capture, folder/splats.ply, and folder/regions with a label
    for every object.
    """
    write_capture(room, range(len(room.views)), folder / "capture")
    write_masks(room, range(len(room.views)), folder / "regions")
    write_splats(room, folder / "splats.ply")


def write_splats(room: Room, path: Path) -> None:
    g = room.gaussians
    sh = ((room.rgb - 0.5) / SH_C0).astype(np.float32)[:, None]
    logits = torch.logit(g.opacities).numpy()
    splat_ply.write(
        path,
        SplatArrays(
            means=g.means.numpy(),
            quats=g.quats.numpy(),
            log_scales=g.scales.log().numpy(),
            opacity_logits=logits,
            sh=sh,
        ),
    )


def write_masks(room: Room, which: Iterable[int], folder: Path) -> None:
    """Label pictures of these views: every object's number + 1, 0 for none."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in which:
        Image.fromarray((room.owners[i] + 1).astype(np.uint8)).save(folder / f"{i:03d}.png")


def write_capture(room: Room, which: Iterable[int], folder: Path) -> None:
    """These views' pictures and cameras, without points."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    frames = []
    for i in which:
        path, view = folder / "images" / f"{i:03d}.png", room.views[i]
        Image.fromarray(room.images[i]).save(path)
        frames.append(
            capture.Frame(
                image=path,
                camera_to_world=from_viewmat(view.viewmat.double().numpy()),
                fl_x=float(view.K[0, 0]),
                fl_y=float(view.K[1, 1]),
                cx=float(view.K[0, 2]),
                cy=float(view.K[1, 2]),
                width=view.width,
                height=view.height,
            )
        )
    capture.write(folder, frames, None)


def splats(points: np.ndarray, seed: int) -> tuple[Drawables, np.ndarray, np.ndarray]:
    """About evenly spread Gaussians on the surfaces (x y z r g b object), a little off, and a few
    in mid-air.
    """
    random = np.random.default_rng(seed)
    side = np.where(points[:, 6] < len(SURFACES), 0.12, 0.055)
    key = np.concatenate([np.floor(points[:, :3] / side[:, None]), points[:, 6:]], 1).astype(
        np.int64
    )
    chosen = random.permutation(np.unique(key, axis=0, return_index=True)[1])
    points, side = points[chosen], side[chosen]
    spacing = KDTree(points[:, :3]).query(points[:, :3], k=4)[0][:, 1:].mean(1)
    loose = int(FLOATERS * len(points))
    air = random.uniform((-4.6, -4.6, 0.1), (4.6, 4.6, 3.0), (loose, 3))
    means = np.concatenate([points[:, :3] + random.normal(0, 0.008, (len(points), 3)), air])
    scales = np.concatenate([np.clip(0.55 * spacing, 0.006, 0.1), np.full(loose, 0.03)])
    opacities = np.concatenate([np.full(len(points), 0.9), np.full(loose, 0.35)])
    rgb = np.concatenate([points[:, 3:6], random.random((loose, 3))])
    whose = np.concatenate([points[:, 6].astype(int), np.full(loose, -1)])
    quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(len(means), 1)
    arrays = [
        torch.from_numpy(a).float()
        for a in (means, np.repeat(scales[:, None], 3, 1), opacities, rgb)
    ]
    return (
        Drawables(
            means=arrays[0], quats=quats, scales=arrays[1], opacities=arrays[2], colors=arrays[3]
        ),
        rgb,
        whose,
    )
