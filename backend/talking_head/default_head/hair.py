"""Hair as a sculptor blocks it out: a cap, and thick locks that lie on it and sweep to one side."""

import numpy as np

from ...geometry.arrays import Doubles
from ..rigs.small_head.surface import skin
from .pieces import DressPiece, grid_faces, grid_uvs
from .style import smooth

ROOT, TIP = (0.16, 0.085, 0.06), (0.36, 0.2, 0.12)  # sRGB
COLUMNS, ROWS, SIDES, STEPS = 72, 22, 8, 12
WHORL = (2.6, 10.2)  # angle and height at the back of the crown from which locks run


def hairline(angle: Doubles) -> Doubles:
    """Height at which hair ends, by the angle around the head."""
    a = np.abs(np.angle(np.exp(1j * angle)))
    front = 7.1 - 0.5 * np.cos(a * 3.2) * smooth(a, 1.0, 0.4)
    temple = front + (2.2 - front) * smooth(a, 0.75, 1.15)
    side = temple + (-0.2 - temple) * smooth(a, 1.15, 1.5)
    above = side + (2.0 - side) * smooth(a, 1.5, 1.68)  # around the ear
    return np.asarray(above + (-6.3 - above) * smooth(a, 1.85, 2.25))


def on_scalp(angle: Doubles, height: Doubles, out: Doubles) -> Doubles:
    """(..., 3) over the skin by so much."""
    eps = 1e-3
    zero = np.zeros_like(angle)
    here = skin(angle, height, zero)
    along = skin(angle + eps, height, zero) - here
    up = skin(angle, height + eps, zero) - here
    normal = np.cross(along, up)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    outward = here - np.array([0, 1.0, -0.5])
    normal *= np.sign((normal * outward).sum(-1, keepdims=True))
    # near the top the net is a point: straight away from the middle is right there
    straight = outward / np.linalg.norm(outward, axis=-1, keepdims=True)
    share = smooth(height, 9.5, 11.4)[..., None]
    normal = normal * (1 - share) + straight * share
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.asarray(here + out[..., None] * normal)


def cap(count: int) -> DressPiece:
    """What is seen between the locks."""
    a, t = np.meshgrid(np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False), np.linspace(0, 1, ROWS))
    height = 11.85 + (hairline(a) - 11.85) * t**0.8
    out = 0.5 * np.sqrt(np.clip(1 - t**5, 0, 1)) - 0.25 * smooth(t, 0.93, 1.0)
    out += 0.05 * np.sin(a * 30 + 4 * t) * smooth(t, 0.1, 0.4)
    vertices = on_scalp(a, height, out).reshape(-1, 3)
    return _piece(vertices, ROWS, COLUMNS, np.full(len(vertices), 0.25), count)


def locks(count: int, seed: int = 5) -> list[DressPiece]:
    """From the whorl, and in front from a parting, to a little beyond the hairline."""
    random = np.random.default_rng(seed)
    pieces = []
    for angle in np.linspace(0.85, 2 * np.pi - 0.85, 36):
        end = angle + random.normal() * 0.06
        for start_share, wide in ((0.03, 1.4), (0.25, 1.15), (0.5, 0.95)):
            pieces.append(_lock(_down(end, start_share, random), wide, random, count))
    for k, x in enumerate(np.linspace(1.1, -1.0, 14)):
        pieces.append(_lock(_sweep(x, random), 1.35 - 0.02 * k, random, count, thick=0.62))
    for x in np.linspace(0.7, -0.8, 7):
        pieces.append(_lock(_sweep(x, random, 0.35), 1.2, random, count, thick=0.5))
    return pieces


def _down(
    angle: float, start: float, random: np.random.Generator
) -> tuple[Doubles, Doubles, Doubles]:
    """Angle, height and distance from the skin along a lock that hangs."""
    t = np.linspace(0, 1, STEPS)
    low = float(hairline(np.array(angle))) - 0.5 + random.normal() * 0.15
    height = 11.4 + (low - 11.4) * (start + (1 - start) * t)
    out = 0.42 + 0.28 * np.sin(np.pi * t**0.8) - 0.3 * t**3 + random.uniform(-0.05, 0.12)
    return angle + 0.18 * (t - 1) ** 2, height, out


def _sweep(
    x: float, random: np.random.Generator, lift: float = 0.0
) -> tuple[Doubles, Doubles, Doubles]:
    """Of the fringe: up from the parting on the left, and over to the right."""
    t = np.linspace(0, 1, STEPS)
    begin = 0.62 * x + 0.25
    angle = begin - (0.75 + 0.1 * random.normal()) * t**1.25
    line = float(hairline(np.array(begin - 0.6)))
    height = 10.6 + 0.35 * lift + (line + 0.15 - 10.6) * t**1.7 + random.normal() * 0.1
    out = 0.5 + (1.25 + lift) * np.sin(np.pi * t**0.75) * (1 - 0.35 * t) + 0.2 * t + 0.4 * lift
    return angle, height, out


def _lock(
    line: tuple[Doubles, Doubles, Doubles],
    wide: float,
    random: np.random.Generator,
    count: int,
    thick: float = 0.34,
) -> DressPiece:
    """A flat spindle along a line on the scalp."""
    center = on_scalp(*line)
    under = on_scalp(line[0], line[1], line[2] - 0.5)
    outward = center - under
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    along = np.gradient(center, axis=0)
    across = np.cross(along, outward)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    t = np.linspace(0, 1, STEPS)
    width = wide * np.sin(np.pi * (0.12 + 0.88 * t) ** 0.75) ** 0.8 + 0.02
    width *= 0.5 * random.uniform(0.9, 1.15)
    turn = np.arange(SIDES) / SIDES * 2 * np.pi
    flat = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.9
    ring = (
        center[:, None]
        + across[:, None] * (width[:, None] * flat)[..., None]
        + outward[:, None] * (thick * (width / wide)[:, None] * 1.6 * np.sin(turn))[..., None]
    )
    shade = np.repeat(0.2 + 0.8 * t, SIDES) * (0.75 + 0.25 * np.tile(np.sin(turn), STEPS))
    return _piece(ring.reshape(-1, 3), STEPS, SIDES, shade * random.uniform(0.7, 1.1), count)


def _piece(vertices: Doubles, rows: int, columns: int, light: Doubles, count: int) -> DressPiece:
    share = np.clip(light, 0, 1)[:, None]
    faces = grid_faces(rows, columns, closed=True)
    return DressPiece(
        name="Hair",
        material="Hair",
        vertices=vertices,
        faces=faces,
        shapes=np.zeros((count, len(vertices), 3)),
        colors=np.array(ROOT) * (1 - share) + np.array(TIP) * share,
        uvs=grid_uvs(rows, columns, closed=True),
    )
