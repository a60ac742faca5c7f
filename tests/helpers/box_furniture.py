"""Pieces of furniture built from boxes and spheres."""

from helpers.ray_world import Box, Sphere, Thing


def _boxes(*parts: tuple[float, float, float, float, float, float], skin: int) -> list[Thing]:
    return [Box((x0, y0, z0), (x1, y1, z1), skin) for x0, y0, z0, x1, y1, z1 in parts]


def _legs(
    w: float, d: float, h: float, t: float = 0.07
) -> list[tuple[float, float, float, float, float, float]]:
    return [
        (sx * (w - t) - t, sy * (d - t) - t, 0, sx * (w - t) + t, sy * (d - t) + t, h)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]


def furniture(name: str, s: float, skin: int) -> list[Thing]:
    """One piece around the origin, its size multiplied by s."""
    parts: list[tuple[float, float, float, float, float, float]]
    seat = {"armchair": 0.45, "couch": 1.05}.get(name, 0.0)
    if seat:
        parts = [(-seat, -0.45, 0, seat, 0.45, 0.45), (-seat, 0.25, 0, seat, 0.45, 0.95)]
        parts += [(sx * seat - 0.12, -0.45, 0, sx * seat + 0.12, 0.45, 0.68) for sx in (-1, 1)]
    elif name == "chair":
        parts = [
            *_legs(0.28, 0.28, 0.5),
            (-0.3, -0.3, 0.45, 0.3, 0.3, 0.55),
            (-0.3, 0.22, 0.5, 0.3, 0.3, 1.1),
        ]
    elif name == "stool":
        parts = [*_legs(0.22, 0.22, 0.5), (-0.26, -0.26, 0.45, 0.26, 0.26, 0.58)]
    elif name == "table":
        parts = [*_legs(0.7, 0.45, 0.8), (-0.75, -0.5, 0.75, 0.75, 0.5, 0.86)]
    elif name == "cabinet":
        parts = [(-0.5, -0.3, 0, 0.5, 0.3, 1.0)]
    elif name == "shelf":
        parts = [(-0.6, -0.2, z, 0.6, 0.2, z + 0.08) for z in (0.1, 0.6, 1.1, 1.6)]
        parts += [(x - 0.05, -0.2, 0, x + 0.05, 0.2, 1.7) for x in (-0.6, 0.6)]
    elif name == "bed":
        parts = [(-0.7, -1.0, 0, 0.7, 1.0, 0.45), (-0.7, 0.9, 0, 0.7, 1.05, 0.95)]
    elif name == "rug":
        parts = [(-1.0, -0.7, 0, 1.0, 0.7, 0.025)]
    else:
        parts = []
    things = _boxes(*[tuple(s * v for v in p) for p in parts], skin=skin)  # type: ignore[arg-type, misc]
    if name == "lamp":
        things += [
            *_boxes((-0.05 * s, -0.05 * s, 0, 0.05 * s, 0.05 * s, 1.3 * s), skin=skin),
            Sphere((0, 0, 1.5 * s), 0.3 * s, skin),
        ]
    if name == "cactus":
        things += [Sphere((0, 0, z * s), 0.24 * s, skin) for z in (0.24, 0.55, 0.86)]
    if name == "pillow":
        things += [Sphere((0, 0, 0.2 * s), 0.24 * s, skin)]
    return things
