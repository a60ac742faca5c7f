"""Three scenes of which everything is known, and the cameras that film and judge them: open air
with a sky, a room, and objects on a table whose exposure changes from picture to picture.

They are filmed on an arc of 100 degrees, and judged from where nobody filmed. Another seed makes
other textures and other places for the things: what is tuned is tuned there, not where it scores.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from helpers.ray_world import Box, Plane, Sphere, Thing, World, look_at, make_room, texture

SIZE, FOCAL = (304, 228), 250.0
ARC, FILMED = 100.0, 40  # degrees, pictures
KINDS = ("between", "beyond", "further", "above")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A world, and where the middle of the arc around it lies (degrees)."""

    world: World
    target: tuple[float, float, float]
    radius: float
    height: float  # of the cameras above the target
    middle: float = -90.0
    exposed: bool = False  # whether exposure and white balance change

    def camera(self, azimuth: float, away: float = 1.0, above: float = 0.0) -> np.ndarray:
        """(4, 4) camera to world; `azimuth` in degrees from the middle of the arc, `away` times
        its radius, `above` in degrees instead of the arc's height.
        """
        angle = np.radians(self.middle + azimuth)
        rise = np.radians(above) if above else np.arctan2(self.height, self.radius)
        length = away * float(np.hypot(self.radius, self.height))
        way = np.array([np.cos(angle) * np.cos(rise), np.sin(angle) * np.cos(rise), np.sin(rise)])
        return look_at(np.array(self.target) + length * way, np.array(self.target))


def filmed(scene: Scene, seed: int) -> list[np.ndarray]:
    """The arc, walked by hand."""
    random, half = np.random.default_rng(seed), ARC / 2
    return [
        scene.camera(azimuth, 1 + 0.02 * random.normal(), rise)
        for azimuth, rise in zip(
            np.linspace(-half, half, FILMED) + 0.3 * random.normal(size=FILMED),
            np.degrees(np.arctan2(scene.height, scene.radius)) + random.normal(size=FILMED),
            strict=True,
        )
    ]


def judging(scene: Scene) -> Iterator[tuple[str, np.ndarray]]:
    """The views that score, each with its kind; none of them is ever trained on."""
    half, step = ARC / 2, ARC / (FILMED - 1)
    for number in range(2, FILMED - 2, 5):
        yield "between", scene.camera(-half + (number + 0.5) * step)
    for beyond in (15.0, 35.0, 50.0):
        for side in (-1, 1):
            yield "beyond", scene.camera(side * (half + beyond))
    for azimuth in (-36.0, -12.0, 12.0, 36.0):
        yield "further", scene.camera(azimuth, 1.7)
        yield "above", scene.camera(azimuth + 5, 1.0, 55.0)


def ceiling(scene: Scene) -> list[np.ndarray]:
    """Pictures from beyond, further and above, other ones than judge: what could be reached."""
    half = ARC / 2
    sides = [scene.camera(s * (half + b)) for b in (8, 22, 29, 42, 56) for s in (-1, 1)]
    far = [scene.camera(a, 1.7) for a in (-48.0, -24.0, 0.0, 24.0, 48.0)]
    return sides + far + [scene.camera(a, 1.0, 55.0) for a in (-43.0, -19.0, 0.0, 29.0, 53.0)]


def _blurred(seed: int, texels: float) -> np.ndarray:
    """A texture for what is seen from afar: without what no pixel could show."""
    tiled = np.tile(texture(seed), (3, 3, 1))
    side = tiled.shape[0] // 3
    return cv2.GaussianBlur(tiled, (0, 0), texels)[side : 2 * side, side : 2 * side].copy()


def _moved(things: tuple[Thing, ...], seed: int, far: float = 0.25) -> tuple[Thing, ...]:
    """The things elsewhere, as they are for seed 0."""
    random = np.random.default_rng(seed)
    moved: list[Thing] = []
    for thing in things:
        dx, dy = far * random.uniform(-1, 1, 2) * bool(seed)
        if isinstance(thing, Sphere):
            x, y, z = thing.center
            moved.append(replace(thing, center=(x + dx, y + dy, z)))
        elif isinstance(thing, Box):
            (a, b, c), (d, e, f) = thing.low, thing.high
            moved.append(replace(thing, low=(a + dx, b + dy, c), high=(d + dx, e + dy, f)))
        else:
            moved.append(thing)
    return tuple(moved)


def _sky(rays: np.ndarray) -> np.ndarray:
    """Bright at the horizon, blue above, with soft clouds."""
    rise = np.clip(rays[:, 2:], 0, 1)
    color = np.array([0.86, 0.9, 0.94]) + rise**0.6 * np.array([-0.5, -0.32, -0.08])
    waves = sum(
        np.sin(f * (rays @ axis) + p)
        for f, axis, p in ((7, [1, 0.3, 2], 0), (11, [-0.4, 1, 3], 2), (17, [0.7, -0.9, 4], 4))
    )
    cloud = np.clip(waves / 2.2, 0, 1)[:, None] * np.clip(6 * rise, 0, 1)
    return (color * (1 - 0.5 * cloud) + 0.5 * cloud).astype(np.float32)


def open_air(seed: int = 0) -> Scene:
    """Things on a lawn, houses and trees behind them, hills under a sky."""
    near: tuple[Thing, ...] = (
        Box((-0.6, -0.5, 0), (0.5, 0.5, 0.9), 1), Sphere((0.0, 0.0, 1.3), 0.45, 2),
        Sphere((-1.2, -0.5, 0.35), 0.35, 3), Sphere((1.1, 0.3, 0.5), 0.5, 4),
        Box((0.8, -1.0, 0), (1.1, -0.7, 0.7), 5), Box((-1.7, 0.5, 0), (-1.6, 0.6, 2.2), 6),
    )  # fmt: skip
    far: tuple[Thing, ...] = (
        Box((-9, 8, 0), (-4, 11, 4), 7), Box((3, 10, 0), (8, 13, 5), 8),
        Sphere((0.5, 13, 2.5), 2.5, 9), Sphere((11, 4, 2), 2, 9), Sphere((-11, 2, 1.6), 1.6, 10),
        Sphere((-25, 55, -12), 26, 11), Sphere((30, 60, -14), 28, 12),
        Sphere((-60, 5, -15), 28, 12), Sphere((62, 0, -15), 28, 11),
    )  # fmt: skip
    first = 200 + 1000 * seed
    textures = [_blurred(first, 8)] + [texture(first + i) for i in range(1, 7)]
    textures += [_blurred(first + i, 10) for i in range(7, 13)]
    things = (Plane(2, 0.0, 0), *_moved(near, seed), *_moved(far, seed, 2.0))
    world = World(things, textures, sky=_sky)
    return Scene(world=world, target=(0, 0, 0.7), radius=3.6, height=0.9)


def room(seed: int = 0) -> Scene:
    """The room of the camera tests."""
    return Scene(world=make_room(seed), target=(0, 0, 0.8), radius=4.0, height=1.3)


def table(seed: int = 0) -> Scene:
    """Objects on a table in a corner of a room, filmed with automatic exposure."""
    things: tuple[Thing, ...] = (
        Plane(2, 0.0, 0), Plane(1, 3.0, 1), Plane(0, -4.0, 2), Plane(0, 4.0, 3), Plane(1, -6.0, 4),
        Plane(2, 5.0, 5),
        Box((-1.2, -0.7, 0.9), (1.2, 0.7, 1.0), 6), Box((-1.1, -0.6, 0), (-1.0, -0.5, 0.9), 7),
        Box((1.0, -0.6, 0), (1.1, -0.5, 0.9), 7), Box((-1.1, 0.5, 0), (-1.0, 0.6, 0.9), 7),
        Box((1.0, 0.5, 0), (1.1, 0.6, 0.9), 7),
        Sphere((0.0, 0.0, 1.3), 0.3, 8), Box((0.45, -0.25, 1.0), (0.8, 0.1, 1.55), 9),
        Sphere((-0.6, -0.2, 1.2), 0.2, 10), Box((-0.55, 0.25, 1.0), (-0.2, 0.45, 1.35), 11),
        Sphere((0.3, -0.45, 1.12), 0.12, 12),
    )  # fmt: skip
    first = 400 + 1000 * seed
    textures = [_blurred(first, 3), *(texture(first + i) for i in range(1, 13))]
    world = World(things[:11] + _moved(things[11:], seed, 0.1), textures)
    return Scene(world=world, target=(0, 0, 1.15), radius=2.3, height=0.7, exposed=True)


SCENES: dict[str, Callable[[int], Scene]] = {"open air": open_air, "room": room, "table": table}


def exposures(scene: Scene, count: int, seed: int) -> np.ndarray:
    """(count, 3) gains of the pictures: brightness that drifts by a stop, and a white balance."""
    if not scene.exposed:
        return np.ones((count, 3))
    random = np.random.default_rng(seed)
    drift = 0.3 * np.sin(np.linspace(0, 7, count)) + 0.05 * random.normal(size=count)
    tint = 0.06 * np.sin(np.linspace(0, 5, count))[:, None] * np.array([1.0, 0.0, -1.0])
    return np.asarray(np.exp(drift[:, None] + tint - 0.25))
