"""Which pictures a depth map is made from."""

from collections.abc import Sequence

import numpy as np

from ...formats.capture import Frame
from ...geometry.arrays import Doubles


def pick_neighbors(
    frames: list[Frame], points: Doubles, wanted: Sequence[tuple[float, int]]
) -> list[list[int]]:
    """For every frame, and for every angle (degrees) and number that is wanted, frames whose view
    of the scene's middle differs by about that angle and that look the same way; nearest to it
    first, from both sides where there are both. None is picked twice.
    """
    centers = np.stack([f.camera_to_world[:3, 3] for f in frames])
    ahead = np.stack([-f.camera_to_world[:3, 2] for f in frames])
    picked: list[list[int]] = []
    for i in range(len(frames)):
        change = _changes(i, centers, ahead, points)
        chosen: list[int] = []
        for angle, count in wanted:
            cost = np.abs(np.log(np.maximum(change, 1e-3) / angle))
            cost += 2 * (ahead @ ahead[i] < 0.85)
            order = [int(k) for k in np.argsort(cost, kind="stable") if k != i and k not in chosen]
            before, after = ([k for k in order if (k < i) is side] for side in (True, False))
            both = before[: count // 2] + after[: count // 2]
            chosen += (both + [k for k in order if k not in both])[:count]
        picked.append(chosen)
    return picked


def _changes(i: int, centers: Doubles, ahead: Doubles, points: Doubles) -> Doubles:
    """(n,) degrees by which the others see the middle of what frame i looks at differently."""
    middle = centers[i] + ahead[i] * _typical_depth(points, centers[i], ahead[i])
    sight = middle - centers
    sight /= np.maximum(np.linalg.norm(sight, axis=1, keepdims=True), 1e-12)
    angle = np.degrees(np.arccos(np.clip(sight @ sight[i], -1, 1)))
    forward = np.abs((centers - centers[i]) @ ahead[i]) / max(
        float(np.linalg.norm(middle - centers[i])), 1e-12
    )
    # coming closer shows depth too, half as well
    return np.asarray(np.hypot(angle, np.degrees(forward) / 2))


def _typical_depth(points: Doubles, center: Doubles, ahead: Doubles) -> float:
    depth = (points - center) @ ahead
    front = depth[depth > 0]
    return float(np.median(front)) if len(front) else 1.0
