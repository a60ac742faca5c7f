"""Rooms of real furniture models (KayKit, CC0) with exact object masks; some models are kept for
rooms that nothing was trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from helpers import mesh_drawing, patterns, ray_world
from helpers.furnished_room import (
    CLASSES,
    FOCAL,
    SIZE,
    SURFACES,
    Room,
    cameras,
    raster_views,
    splats,
)
from helpers.mesh_drawing import Drawn, Triangles
from helpers.places import DATA
from helpers.ray_world import Plane, World

MODELS = DATA / "models" / "scenekit_furniture"
SEEN = {
    "armchair": ("armchair",),
    "couch": ("couch",),
    "chair": ("chair_A", "chair_B", "chair_B_wood"),
    "stool": ("chair_stool",),
    "cabinet": ("cabinet_medium", "cabinet_small", "cabinet_small_decorated"),
    "bed": ("bed_double_A", "bed_single_A", "bed_single_B"),
    "shelf": (
        "shelf_A_big",
        "shelf_A_small",
        "shelf_B_large",
        "shelf_B_small",
        "shelf_B_large_decorated",
    ),
    "pillow": ("pillow_A",),
    "table": ("table_low", "table_medium", "table_medium_long"),
    "lamp": ("lamp_standing",),
    "cactus": ("cactus_medium_A", "cactus_small_A", "cactus_small_B"),
    "rug": (
        "rug_oval_A",
        "rug_oval_B",
        "rug_rectangle_A",
        "rug_rectangle_stripes_A",
        "rug_rectangle_stripes_B",
    ),
}
UNSEEN = {
    "armchair": ("armchair_pillows",),
    "couch": ("couch_pillows",),
    "chair": ("chair_C", "chair_A_wood"),
    "stool": ("chair_stool_wood",),
    "cabinet": ("cabinet_medium_decorated",),
    "shelf": ("shelf_B_small_decorated",),
    "bed": ("bed_double_B",),
    "pillow": ("pillow_B",),
    "table": ("table_small",),
    "lamp": ("lamp_table",),
    "cactus": ("cactus_medium_B",),
    "rug": ("rug_rectangle_B",),
}
SMALL = (
    "pillow_A",
    "book_set",
    "book_single",
    "cactus_small_A",
    "pictureframe_standing_A",
    "pictureframe_standing_B",
)
LOADED = ("armchair", "couch", "cabinet", "shelf", "table", "bed")
LARGE_FIRST = ("rug", "bed", "couch", "shelf", "table", "cabinet")
Models = dict[str, tuple[str, ...]]
Path = Callable[[int, np.random.Generator], list[np.ndarray]]
ALL: Models = {name: SEEN[name] + UNSEEN[name] for name in SEEN}


@dataclass(frozen=True)
class Camera:
    """Pixels, and samples along a pixel's side: an odd number, of which one is its middle."""

    size: tuple[int, int] = SIZE
    focal: float = FOCAL
    samples: int = 1


@dataclass(frozen=True)
class Light:
    sun: np.ndarray  # (3,) of length 1
    ambient: float


def available() -> bool:
    return (MODELS / "chair_A.gltf").is_file()


def _varied(model: Triangles, random: np.random.Generator) -> Triangles:
    """Of other proportions and colours: few models must stand for many."""
    mix = np.eye(3)[random.permutation(3)] if random.random() < 0.6 else np.eye(3)
    mix = mix * random.uniform(0.5, 1.3, (3, 1)) + random.uniform(0, 0.2, (3, 3))
    return model.placed(0.0, random.uniform(0.75, 1.3, 3), np.zeros(3)).painted(
        mix if random.random() < 0.8 else np.eye(3)
    )


def _laden(piece: Triangles, random: np.random.Generator) -> list[Triangles]:
    """With a few small things on top, which belong to it."""
    low, high = piece.corners.min((0, 1)), piece.corners.max((0, 1))
    found = [piece]
    for name in random.choice(SMALL, random.integers(1, 4)):
        small = _varied(mesh_drawing.load_gltf(MODELS / f"{name}.gltf"), random)
        at = np.array(
            [
                *random.uniform(0.75 * low[:2] + 0.25 * high[:2], 0.25 * low[:2] + 0.75 * high[:2]),
                0.0,
            ]
        )
        under = np.abs(piece.corners - at)[..., :2].max(2) < 0.3
        at[2] = piece.corners[..., 2][under].max() if under.any() else high[2]
        found.append(small.placed(random.uniform(0, 6.3), random.uniform(0.5, 0.9), at))
    return found


def _furnish(
    random: np.random.Generator, models: Models, pieces: int, varied: bool
) -> tuple[list[list[Triangles]], list[str]]:
    """Pieces that do not overlap, though they may touch; rugs lie under others. One of every class,
    then some again. `varied`: none is quite like its model, and some bear small things.
    """
    names = [
        *models,
        *random.choice(
            [n for n in models if n not in ("bed", "rug")], max(0, pieces - len(models))
        ),
    ]
    names.sort(
        key=lambda name: LARGE_FIRST.index(name) if name in LARGE_FIRST else len(LARGE_FIRST)
    )
    placed: list[list[Triangles]] = []
    named: list[str] = []
    taken: list[np.ndarray] = []
    for name in names:
        model = mesh_drawing.load_gltf(MODELS / f"{random.choice(models[name])}.gltf")
        model = _varied(model, random) if varied else model
        for _ in range(300):
            angle = np.pi / 2 * random.integers(4) + np.radians(random.uniform(-20, 20))
            piece = model.placed(
                angle, random.uniform(0.9, 1.2), np.array([*random.uniform(-4.2, 4.2, 2), 0.0])
            )
            low, high = piece.corners.min((0, 1))[:2], piece.corners.max((0, 1))[:2]
            clear = all((low > high_).any() or (high < low_).any() for low_, high_ in taken)
            if np.abs([low, high]).max() < 4.5 and (name == "rug" or clear):
                placed.append(
                    _laden(piece, random)
                    if varied and name in LOADED and random.random() < 0.5
                    else [piece]
                )
                named.append(name)
                taken += [] if name == "rug" else [np.array([low - 0.02, high + 0.02])]
                break
    return placed, named


def make(
    seed: int,
    models: Models = ALL,
    views: int = 36,
    pieces: int = 15,
    varied: bool = False,
    camera: Camera = Camera(),
    patterned: bool = False,
    path: Path = cameras,
) -> Room:
    """A room with two walls, filmed from the open side; light, floor and walls differ from seed to
    seed. `patterned`: so are floor, walls and things. `path`: how it is walked.
    """
    random = np.random.default_rng(5000 + seed)
    placed, named = _furnish(random, models, pieces, varied)
    of_part = np.repeat(np.arange(len(placed)), [len(parts) for parts in placed])
    world = World(
        (Plane(2, 0.0, 0), Plane(1, 4.6, 1), Plane(0, -4.6, 2)),
        [_surface(seed, i, random) for i in range(3)],
    )
    if patterned:
        walls = [patterns.wallpaper(t, seed, i) for i, t in enumerate(world.textures)]
        world = World(world.things, walls)
    sun = np.array([random.normal(), random.normal(), 1.5])
    light = Light(sun / np.linalg.norm(sun), random.uniform(0.5, 0.75))
    poses = path(views, np.random.default_rng(6000 + seed))
    images, owners, points = [], [], []
    for pose in poses:
        parts = [part for parts in placed for part in parts]
        seen = _photographed(parts, world, pose, light, camera)
        seen = _grained(seen, pose, camera, seed) if patterned else seen
        whose = np.where(
            seen.owners >= 0,
            of_part[seen.owners] + len(SURFACES),
            np.where(seen.owners < -1, -2 - seen.owners, -1),
        )
        images.append((seen.colors * 255).astype(np.uint8))
        owners.append(whose)
        rays = ray_world.pixel_rays(camera.focal, camera.size) @ pose[:3, :3].T
        hit = whose.ravel() >= 0
        at = pose[:3, 3] + seen.depth.ravel()[hit, None] * rays[hit]
        points.append(
            np.concatenate([at, seen.colors.reshape(-1, 3)[hit], whose.ravel()[hit, None]], 1)
        )
    classes = np.array([CLASSES.index(n) for n in (*SURFACES, *named)])
    raster = raster_views(poses, camera.focal, camera.size)
    return Room(classes, images, owners, raster, *splats(np.concatenate(points), seed))


def _photographed(
    parts: list[Triangles], world: World, pose: np.ndarray, light: Light, camera: Camera
) -> Drawn:
    """Colours are means over a pixel's samples; depth and owner are its middle's."""
    n = camera.samples
    size, focal = (n * camera.size[0], n * camera.size[1]), n * camera.focal
    drawn = mesh_drawing.draw(parts, pose, focal, size, light.sun, light.ambient)
    fine = mesh_drawing.over(drawn, world, pose, focal)
    colors = fine.colors.reshape(camera.size[1], n, camera.size[0], n, 3).mean((1, 3))
    middle = slice(n // 2, None, n)
    return Drawn(colors, fine.depth[middle, middle], fine.owners[middle, middle])


def _grained(seen: Drawn, pose: np.ndarray, camera: Camera, seed: int) -> Drawn:
    rays = ray_world.pixel_rays(camera.focal, camera.size) @ pose[:3, :3].T
    at = pose[:3, 3] + seen.depth.reshape(-1, 1) * rays
    colors = patterns.grained(seen.colors.reshape(-1, 3), at, seen.owners.ravel(), seed)
    return Drawn(colors.reshape(seen.colors.shape), seen.depth, seen.owners)


def _surface(seed: int, which: int, random: np.random.Generator) -> np.ndarray:
    """Floors of wood colours, pale walls; both with a faint texture."""
    color = (
        np.array([1.2, 1.0, 0.75]) * random.uniform(0.3, 0.6)
        if which == 0
        else random.uniform(0.65, 0.95) + random.normal(0, 0.03, 3)
    )
    return np.clip(
        color + 0.25 * (ray_world.texture(900 + 10 * seed + which, 1.0) - 0.5), 0, 1
    ).astype(np.float32)
