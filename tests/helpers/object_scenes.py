"""What people film that is no furnished room: a table full of things, one large thing walked
around, a wall with what hangs and stands on it. Exact masks; everything differs from seed to seed:
sizes, colours, patterns, exposure, noise, and how far the camera goes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from helpers import mesh_drawing, patterns, ray_world
from helpers.furnished_room import SURFACES, Room, raster_views, splats
from helpers.furniture_room import ALL, MODELS, Camera, Light, _grained, _photographed, _varied
from helpers.mesh_drawing import Drawn, Triangles
from helpers.ray_world import Plane, World

KINDS = ("table", "orbit", "wall")
FAR = 12.0  # from the middle; what is further has no splats
FRAMES = tuple(f"pictureframe_{n}" for n in ("large_A", "large_B", "medium", "small_A", "small_C"))
SMALL = ("book_set", "book_single", "cactus_small_A", "pictureframe_standing_A", "lamp_table")
MODEL_NAMES = tuple(name for names in ALL.values() for name in names if "rug" not in name)
CUBE = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], float) - [0.5, 0.5, 0]
SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
Piece = list[Triangles]


@dataclass(frozen=True)
class Stage:
    """What is filmed, and what it stands in."""

    things: list[Piece]
    planes: tuple[Plane, ...]
    target: tuple[float, float, float]
    arc: float  # degrees that the camera goes around the target
    middle: float  # degrees of the arc's middle
    distance: float


def box(size: tuple[float, float, float], seed: int, contrast: float) -> Triangles:
    """On the floor, over the origin."""
    corners = CUBE * size
    faces = [[a, b, c] for a, b, c, _ in SIDES] + [[a, c, d] for a, _, c, d in SIDES]
    uv = np.array([[[0, 0], [1, 0], [1, 1]]] * 6 + [[[0, 0], [1, 1], [0, 1]]] * 6) * 0.4
    return Triangles(corners[np.array(faces)], uv, ray_world.texture(seed, contrast))


def _model(name: str, random: np.random.Generator, extent: float) -> Triangles:
    """As large as `extent` in its longest direction."""
    model = _varied(mesh_drawing.load_gltf(MODELS / f"{name}.gltf"), random)
    return model.placed(0.0, extent / float(np.ptp(model.corners, (0, 1)).max()), np.zeros(3))


def _turned(thing: Piece, angle: float, at: tuple[float, float, float]) -> Piece:
    return [part.placed(angle, 1.0, np.array(at)) for part in thing]


def _compound(random: np.random.Generator, extent: float) -> Piece:
    """One thing of many parts in many colours: models and boxes stacked and set side by side."""
    parts = [_box(random, (0.6, 1.0), (0.15, 0.4))]
    for _ in range(random.integers(4, 9)):
        under = parts[random.integers(len(parts))].corners
        low, high = under.min((0, 1)), under.max((0, 1))
        size = float(random.uniform(0.35, 0.9))
        part = (
            _model(str(random.choice(MODEL_NAMES)), random, size)
            if random.random() < 0.6
            else _box(random, (0.2, size), (0.1, size))
        )
        beside = random.random() < 0.35
        edge = np.where(random.random(2) < 0.5, low[:2], high[:2])
        at = edge if beside else random.uniform(low[:2], high[:2])
        height = low[2] + (0.3 * (high[2] - low[2]) if beside else high[2] - low[2])
        parts.append(part.placed(random.uniform(0, 6.3), 1.0, np.array([*at, height])))
    points = np.concatenate([p.corners for p in parts])
    middle = np.array([*((points.min((0, 1)) + points.max((0, 1))) / 2)[:2], points[..., 2].min()])
    scale = extent / float(np.ptp(points, (0, 1)).max())
    return [Triangles((p.corners - middle) * scale, p.uv, p.texture) for p in parts]


def _box(
    random: np.random.Generator, side: tuple[float, float], height: tuple[float, float]
) -> Triangles:
    size = (*random.uniform(*side, 2), random.uniform(*height))
    return box(size, int(random.integers(100_000)), random.uniform(0, 0.6))  # type: ignore[arg-type]


def _thing(random: np.random.Generator, extent: float) -> Piece:
    kind = random.random()
    if kind < 0.2:
        return _compound(random, extent)
    if kind < 0.35:
        flat = _box(random, (0.4, 1.0), (0.03, 0.1) if random.random() < 0.6 else (0.2, 0.6))
        return [flat.placed(0.0, extent, np.zeros(3))]
    names = SMALL if kind < 0.55 else MODEL_NAMES
    return [_model(str(random.choice(names)), random, extent)]


def _spread(things: list[Piece], random: np.random.Generator, reach: float) -> list[Piece]:
    """Where there is room for them; the others are left out."""
    placed, taken = [], list[tuple[np.ndarray, np.ndarray]]()
    for thing in things:
        for _ in range(60):
            at = random.uniform(-reach, reach, 2)
            moved = _turned(thing, random.uniform(0, 6.3), (*at, 0.0))
            points = np.concatenate([p.corners for p in moved]).reshape(-1, 3)[:, :2]
            low, high = points.min(0), points.max(0)
            if all((low > h).any() or (high < lo).any() for lo, h in taken):
                placed.append(moved)
                taken.append((low - 0.03, high + 0.03))
                break
    return placed


def _table(random: np.random.Generator) -> Stage:
    sizes = np.exp(random.uniform(math.log(0.35), math.log(1.9), random.integers(10, 18)))
    things = _spread([_thing(random, float(s)) for s in sorted(sizes)[::-1]], random, 2.6)
    walls = (Plane(1, 4.6, 1), Plane(0, -4.6, 2)) if random.random() < 0.5 else ()
    arc = float(random.choice([8, 25, 110]))
    return Stage(things, (Plane(2, 0.0, 0), *walls), (-0.3, 0.3, 0.3), arc, -45, 5.6)


def _orbit(random: np.random.Generator) -> Stage:
    large = _compound(random, random.uniform(2.6, 3.6))
    things = [large]
    if random.random() < 0.6:  # stands on a plate
        wide = float(np.ptp(np.concatenate([p.corners for p in large]), (0, 1))[:2].max())
        plate = box((1.3 * wide, 1.3 * wide, 0.12), int(random.integers(100_000)), 0.3)
        things = [_turned(large, 0.0, (0, 0, 0.12)), [plate]]
    planes = (Plane(2, 0.0, 0),) if random.random() < 0.6 else ()
    return Stage(things, planes, (0.0, 0.0, 0.8), float(random.choice([200, 360])), 0, 5.6)


def _hung(thing: Piece, x: float, z: float) -> Piece:
    """On the wall y = 4.6, its back to it."""
    points = np.concatenate([p.corners for p in thing])
    away = 4.59 - points[..., 1].max()
    return _turned(thing, 0.0, (x, float(away), z))


def _wall(random: np.random.Generator) -> Stage:
    things = []
    for x in np.linspace(-3.6, 3.6, random.integers(4, 7)):
        kind, color = random.random(), int(random.integers(100_000))
        if kind < 0.35:  # a door or a window, nearly flush with the wall
            size = (random.uniform(0.7, 1.5), random.uniform(0.06, 0.3), random.uniform(1.2, 3.2))
            things.append(_hung([box(size, color, random.uniform(0, 0.5))], x, 0.0))
        elif kind < 0.6:  # a column
            wide = random.uniform(0.3, 0.6)
            things.append(_hung([box((wide, wide, 3.6), color, random.uniform(0, 0.3))], x, 0.0))
        else:
            frame = _model(str(random.choice(FRAMES)), random, random.uniform(0.7, 1.6))
            things.append(_hung([frame], x, random.uniform(0.8, 2.0)))
    before = _spread([_thing(random, s) for s in random.uniform(0.6, 1.8, 4)], random, 2.2)
    arc = float(random.choice([12, 40, 80]))
    planes = (Plane(2, 0.0, 0), Plane(1, 4.6, 1))
    return Stage([*things, *before], planes, (0.0, 2.5, 1.2), arc, -90, 7.5)


def _path(stage: Stage, views: int, random: np.random.Generator) -> list[np.ndarray]:
    poses = []
    for i in range(views):
        angle = math.radians(stage.middle + stage.arc * (i / max(views - 1, 1) - 0.5))
        tall = random.uniform(0.35, 0.8) if stage.arc > 60 else 0.5 + random.normal(0, 0.01)
        away = np.array([math.cos(angle), math.sin(angle), tall])
        away *= stage.distance * random.uniform(0.92, 1.08) / np.linalg.norm(away)
        target = np.array(stage.target) + random.normal(0, 0.05, 3)
        poses.append(ray_world.look_at(target + away, target))
    return poses


def make(seed: int, kind: str, views: int = 36, camera: Camera = Camera()) -> Room:
    """A scene of one of KINDS; its first objects are its planes."""
    random = np.random.default_rng(40_000 + 100 * seed + KINDS.index(kind))
    build: Callable[[np.random.Generator], Stage]
    build = {"table": _table, "orbit": _orbit, "wall": _wall}[kind]
    stage = build(random)
    skins = [
        ray_world.texture(int(random.integers(100_000)), random.uniform(0.1, 0.6)) for _ in range(3)
    ]
    grain = random.random() < 0.5
    if random.random() < 0.3:
        skins = [patterns.wallpaper(t, seed, i) for i, t in enumerate(skins)]
    world = World(stage.planes, skins)
    parts = [part for thing in stage.things for part in thing]
    sun = np.array([random.normal(), random.normal(), 1.5])
    light = Light(sun / np.linalg.norm(sun), random.uniform(0.5, 0.75))
    poses = _path(stage, views, np.random.default_rng(50_000 + seed))
    noise, exposure = random.uniform(0, 0.03), random.uniform(0, 0.06)
    images, owners, points = [], [], []
    for pose in poses:
        seen = _photographed(parts, world, pose, light, camera)
        seen = _grained(seen, pose, camera, seed) if grain else seen
        owners.append(_owners(stage, seen))
        points.append(_points(seen, owners[-1], pose, camera, len(stage.planes)))
        shot = seen.colors * math.exp(random.normal(0, exposure))
        shot = shot + random.normal(0, noise, shot.shape)
        images.append((np.clip(shot, 0, 1) * 255).astype(np.uint8))
    count = len(stage.planes)
    classes = np.zeros(count + len(stage.things), int)
    raster = raster_views(poses, camera.focal, camera.size)
    near = np.concatenate(points)
    near = near[np.linalg.norm(near[:, :3], axis=1) < FAR]
    gaussians, rgb, labels = splats(near, seed)
    objects = np.where(labels >= len(SURFACES), labels - len(SURFACES) + count, -1)
    return Room(classes, images, owners, raster, gaussians, rgb, objects)


def _owners(stage: Stage, seen: Drawn) -> np.ndarray:
    """(H, W) objects: the planes, then the things; -1: none."""
    of_part = np.repeat(np.arange(len(stage.things)), [len(t) for t in stage.things])
    things = of_part[seen.owners] + len(stage.planes)
    whose = np.where(seen.owners >= 0, things, -2 - seen.owners)
    return np.where(seen.owners == -1, -1, whose)


def _points(
    seen: Drawn, owners: np.ndarray, pose: np.ndarray, camera: Camera, planes: int
) -> np.ndarray:
    """(M, 7) x y z r g b and the object, as furnished_room.splats() takes them."""
    rays = ray_world.pixel_rays(camera.focal, camera.size) @ pose[:3, :3].T
    whose = owners.ravel()
    hit = whose >= 0
    at = pose[:3, 3] + seen.depth.ravel()[hit, None] * rays[hit]
    labels = np.where(whose[hit] < planes, 0, whose[hit] - planes + len(SURFACES))
    return np.concatenate([at, seen.colors.reshape(-1, 3)[hit], labels[:, None]], 1)
