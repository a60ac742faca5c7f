"""Counts teeth that show through lips, and makes heads whose lips lie close to them."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from backend.talking_head.rigs.rig import Part, Rig
from backend.talking_head.rigs.small_head.build import small_head

VIEWS = (0.0, 0.5)  # radians to the side
DEEPEST = 0.6  # centimetres: what is further before a lip is seen through the open mouth


class Lips:
    """Counts vertices of teeth and tongue that stand before their own lip, triangle by triangle:
    written for this test, without the product's depth buffer.
    """

    def __init__(self, rig: Rig) -> None:
        parts = rig.vertex_parts
        jaw = np.linalg.norm(rig.shapes[rig.names.index("jawOpen")], axis=1)
        skin = rig.triangles[rig.triangle_parts == Part.SKIN]
        inner = np.flatnonzero(np.isin(parts, (Part.TEETH, Part.TONGUE)))[::3]
        low, high = rig.neutral[inner].min(0) - 2, rig.neutral[inner].max(0) + 4
        skin = skin[((rig.neutral[skin] > low) & (rig.neutral[skin] < high)).all((1, 2))]
        half = 0.5 * jaw[np.union1d(inner, skin)].max()
        below = (jaw > half)[skin].sum(1) > 1
        self.rig, self.tongue = rig, parts == Part.TONGUE
        self.pairs = (
            (inner[jaw[inner] <= half], skin[~below]),
            (inner[jaw[inner] > half], skin[below]),
        )

    def through(self, rest: np.ndarray, pose: np.ndarray) -> int:
        posed = rest + np.tensordot(pose, self.rig.shapes, 1)
        seen = np.zeros(len(rest), bool)
        for yaw in VIEWS:
            cos, sin = np.cos(yaw), np.sin(yaw)
            turned = posed @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
            for row, lip in self.pairs:
                seen[row] |= self._before(turned[row], turned[lip])
        put_out = "tongueOut" in self.rig.names and pose[self.rig.names.index("tongueOut")] > 0
        return int((seen & ~(self.tongue & put_out)).sum())

    @staticmethod
    def _before(points: np.ndarray, lip: np.ndarray) -> np.ndarray:
        a, b, c = (lip[:, k] for k in range(3))
        ab, ac = b - a, c - a
        area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
        facing = area > 1e-9
        a, ab, ac, area = a[facing], ab[facing], ac[facing], area[facing]
        near = points[:, None, :2] - a[None, :, :2]
        second = (near[..., 0] * ac[:, 1] - near[..., 1] * ac[:, 0]) / area
        third = (ab[:, 0] * near[..., 1] - ab[:, 1] * near[..., 0]) / area
        inside = (second >= 0) & (third >= 0) & (second + third <= 1)
        depth = np.where(inside, a[:, 2] + second * ab[:, 2] + third * ac[:, 2], -np.inf).max(1)
        ahead = points[:, 2] - depth
        return (ahead > 0) & (ahead < DEEPEST)


def counted(rig: Rig, rest: np.ndarray, poses: Iterable[np.ndarray]) -> list[int]:
    lips = Lips(rig)
    return [lips.through(rest, pose) for pose in poses]


def close_lips(forward: float) -> Rig:
    """As ICT's: hardly any room between teeth and lips."""
    rig = small_head()
    neutral = rig.neutral.copy()
    neutral[np.isin(rig.vertex_parts, (Part.TEETH, Part.TONGUE)), 2] += forward
    return replace(rig, neutral=neutral)
