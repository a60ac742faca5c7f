"""Small scenes of splats for cutting: a ball on a floor, with what trainings leave around it."""

import numpy as np

from backend.formats.splat_arrays import SplatArrays, joined, logits_of

BALL, FLOOR = 0, 1
SPACING = 0.05
RED, BLUE = (2.0, -1.0, -1.0), (-1.0, -1.0, 2.0)


def quats_along(normals: np.ndarray) -> np.ndarray:
    """(N, 4) wxyz that turn z to the normals (N, 3)."""
    up = np.where(normals[:, 2:] < 0, -normals, normals)
    quats = np.stack([1 + up[:, 2], -up[:, 1], up[:, 0], 0 * up[:, 0]], 1)
    return (quats / np.linalg.norm(quats, axis=1, keepdims=True)).astype(np.float32)


def discs(
    places: np.ndarray,
    normals: np.ndarray,
    size: float | tuple[float, float],
    opacity: float,
    color: tuple[float, float, float] | np.ndarray,
) -> SplatArrays:
    """Flat splats; `size`: one standard deviation along their two long axes."""
    count = len(places)
    wide = np.broadcast_to(np.array(size, np.float64), (2,))
    scales = np.tile([*wide, 0.1 * wide.min()], (count, 1))
    sh = np.broadcast_to(np.array(color, np.float32), (count, 3))[:, None]
    return SplatArrays(
        means=places.astype(np.float32),
        quats=quats_along(normals),
        log_scales=np.log(scales).astype(np.float32),
        opacity_logits=logits_of(np.full(count, opacity)),
        sh=np.ascontiguousarray(sh),
    )


def ball(radius: float = 0.5, at: tuple[float, float, float] = (0, 0, 0.5)) -> SplatArrays:
    """Splats evenly over a ball."""
    count = int(4 * np.pi * radius**2 / SPACING**2)
    k = np.arange(count) + 0.5
    z, angle = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    flat = np.sqrt(1 - z * z)
    normals = np.stack([flat * np.cos(angle), flat * np.sin(angle), z], 1)
    return discs(np.array(at) + radius * normals, normals, 0.6 * SPACING, 0.9, RED)


def floor(half: float = 1.5, hole: float = 0.0, slope: float = 0.0) -> SplatArrays:
    """Splats on a square around the origin, without those nearer than `hole`; blue, redder along
    x by `slope`.
    """
    line = np.arange(-half, half, SPACING)
    x, y = np.meshgrid(line, line)
    places = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], 1)
    places = places[np.linalg.norm(places[:, :2], axis=1) >= hole]
    color = np.tile(BLUE, (len(places), 1)) + slope * places[:, :1] * [1, 0, 0]
    return discs(places, np.tile([0.0, 0, 1], (len(places), 1)), 0.6 * SPACING, 0.9, color)


def scene(*parts: tuple[SplatArrays, int]) -> tuple[SplatArrays, np.ndarray]:
    """Splats and the objects (N,) that they are of."""
    labels = np.concatenate([np.full(len(arrays), number) for arrays, number in parts])
    return joined([arrays for arrays, _ in parts]), labels.astype(np.int32)
