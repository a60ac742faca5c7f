"""Splats that are clicked at: two balls of one colour each before a wall."""

import numpy as np

from backend.formats.splat_ply import SplatArrays

SH_C0 = 0.28209479177387814  # of degree 0; Blender's Python has no torch for our own
BALLS = (((-0.6, 0.0, 3.0), (0.9, 0.1, 0.1)), ((0.6, 0.1, 3.0), (0.1, 0.1, 0.9)))
RADIUS, FOCAL, SIZE = 0.4, 200.0, (240, 160)


def splats(numbered: bool = False) -> tuple[SplatArrays, np.ndarray]:
    """N splats, and what each is of: 0 and 1 the balls, 2 the wall; numbered: as object_id too."""
    rng = np.random.default_rng(0)
    means, colors, owner = [], [], []
    for number, (center, color) in enumerate(BALLS):
        way = rng.normal(size=(700, 3))
        means.append(np.array(center) + RADIUS * way / np.linalg.norm(way, axis=1)[:, None])
        colors.append(np.tile(color, (700, 1)))
        owner.append(np.full(700, number))
    x, y = np.meshgrid(np.linspace(-2.5, 2.5, 50), np.linspace(-1.7, 1.7, 34))
    means.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, 4.0)], 1))
    colors.append(np.tile((0.1, 0.7, 0.1), (x.size, 1)))
    owner.append(np.full(x.size, 2))
    scales = np.where(np.concatenate(owner) == 2, 0.06, 0.035)
    count, sh = len(scales), np.zeros((len(scales), 1, 3), np.float32)
    sh[:, 0] = (np.concatenate(colors) - 0.5) / SH_C0
    arrays = SplatArrays(
        means=np.concatenate(means).astype(np.float32),
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        log_scales=np.log(np.repeat(scales[:, None], 3, 1)).astype(np.float32),
        opacity_logits=np.full(count, 4, np.float32),
        sh=sh,
        extra={"object_id": np.concatenate(owner).astype(np.uint16)} if numbered else {},
    )
    return arrays, np.concatenate(owner)


def lens() -> list[float]:
    return [FOCAL, FOCAL, SIZE[0] / 2, SIZE[1] / 2]


def place_of(ball: int) -> list[float]:
    """Pixels of its middle, from a camera at the origin that looks along z."""
    x, y, z = BALLS[ball][0]
    return [FOCAL * x / z + SIZE[0] / 2, FOCAL * y / z + SIZE[1] / 2]
