"""Dark things before a bright ground: they show in what light splats were trained to be blended."""

from helpers.ray_world import Box, Plane, Sphere, Thing, World, texture

from tests.benchmarks.splat_scenes import Scene


def dark_things(seed: int = 0) -> Scene:
    """A dark coat stand and its like in a bright room."""
    things: tuple[Thing, ...] = (
        Plane(2, 0.0, 0), Plane(1, 3.0, 1), Plane(0, -4.0, 2), Plane(0, 4.0, 2), Plane(1, -6.0, 1),
        Plane(2, 4.0, 2),
        Sphere((0.0, 0.0, 1.15), 0.45, 3), Box((-0.35, -0.25, 0), (0.35, 0.25, 0.8), 4),
        Sphere((-0.9, 0.3, 0.3), 0.3, 4), Box((0.6, 0.2, 0), (1.0, 0.6, 0.5), 3),
    )  # fmt: skip
    first = 600 + 1000 * seed
    bright = [0.72 + 0.28 * texture(first + i) for i in range(3)]
    dark = [0.01 + 0.1 * texture(first + i) for i in range(3, 5)]
    return Scene(world=World(things, bright + dark), target=(0, 0, 0.7), radius=3.2, height=0.7)
