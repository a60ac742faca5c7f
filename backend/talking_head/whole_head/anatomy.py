"""Where chin, eyes, skull and neck of a rig's resting face are, told from its mesh alone, so that
every rig (FLAME, ICT, the small head) is treated alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ...geometry.arrays import Floats
from ..rigs.rig import Part, Rig

BELOW, SLOPE = 1.5, 0.35  # the head ends so far under the chin, and so much higher behind
NECK = 5.0  # centimetres from there to where the neck ends
MOUTH = np.array(
    [3.2, 1.9, 4.0], np.float32
)  # half axes of the region that speaks, around the lips' line
STILL, MOVED = 0.04, 0.3  # of movement in any shape: no part of the face, and surely one


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """Points and lengths in the rig's axes, centimetres."""

    chin: Floats  # (3,)
    eyes: Floats  # (3,) between both
    centre: Floats  # (3,) of the skull
    joint: Floats  # (3,) about which the head turns
    neck: tuple[float, float]  # half width and half depth

    def height(self, points: Floats) -> Floats:
        """(...,) centimetres above the plane in which the head ends; the neck lies below it."""
        plane = self.chin[1] - BELOW + SLOPE * (self.chin[2] - points[..., 2])
        return np.asarray((points[..., 1] - plane) / np.hypot(1, SLOPE), np.float32)

    def follow(self, points: Floats) -> Floats:
        """(...,) 1 for what turns with the head, 0 for what stays with the shoulders."""
        share = np.clip(1 + self.height(points) / NECK, 0, 1)
        return np.asarray(share * share * (3 - 2 * share), np.float32)


def anatomy(rig: Rig, rest: Floats) -> Anatomy:
    """Of a person's resting face (V, 3)."""
    chin = rest[lowest_of_jaw(rig, rest)]
    balls = rest[rig.vertex_parts == Part.EYE]
    eyes = balls.mean(0) if len(balls) else chin + np.array([0, 12, 2], np.float32)
    skin = rest[rig.vertex_parts == Part.SKIN]
    skull = skin[skin[:, 1] > eyes[1]]
    centre = np.array([0, eyes[1] + 0.1 * (skull[:, 1].max() - eyes[1]), 0], np.float32)
    centre[2] = (skull[:, 2].min() + skull[:, 2].max()) / 2
    around = Anatomy(chin=chin, eyes=eyes, centre=centre, joint=centre, neck=(6.0, 6.0))
    height = around.height(skin)
    slice_ = skin[(height < -0.5) & (height > -2.5) & (np.abs(skin[:, 0]) < 8)]
    if len(slice_) < 8:  # a mask without a neck
        slice_ = np.array([[6, 0, centre[2] + 5], [-6, 0, centre[2] - 7]], np.float32)
    front, back = slice_[:, 2].max(), slice_[:, 2].min()
    joint = np.array([0, chin[1] - BELOW, (front + back) / 2], np.float32)
    half = (float(np.quantile(np.abs(slice_[:, 0]), 0.97)), float(front - back) / 2)
    return Anatomy(chin=chin, eyes=eyes, centre=centre, joint=joint, neck=half)


def lowest_of_jaw(rig: Rig, rest: Floats) -> int:
    """The vertex of the chin: the lowest that an open jaw carries far."""
    jaw = np.linalg.norm(rig.shapes[rig.names.index("jawOpen")], axis=1)
    moved = np.flatnonzero(jaw > 0.5 * jaw.max())
    return int(moved[rest[moved, 1].argmin()])


def stillness(rig: Rig) -> Floats:
    """(V,) 1 where no shape moves the mesh (scalp, nape, ears), 0 in the face and all that lies in
    it.
    """
    far = np.zeros(len(rig.neutral), np.float32)
    for shape in rig.shapes:
        np.maximum(far, np.linalg.norm(shape, axis=1), out=far)
    share = 1 - np.clip((far - STILL) / (MOVED - STILL), 0, 1)
    return np.asarray(np.where(rig.vertex_parts == Part.SKIN, share, 0), np.float32)


def speaking_triangles(rig: Rig, where: Anatomy) -> NDArray[np.bool_]:
    """(T,) of the mouth: its inside, and skin as near to where lips part as lips are."""
    inside = (rig.triangle_parts >= Part.MOUTH) & (rig.triangle_parts <= Part.TEETH)
    jaw = rig.shapes[rig.names.index("jawOpen")]
    lip = np.flatnonzero((np.abs(rig.neutral[:, 0]) < 0.3) & (rig.vertex_parts == Part.SKIN))
    front = lip[(rig.neutral[lip, 1] > where.chin[1]) & (rig.neutral[lip, 1] < where.eyes[1] - 3)]
    low = front[np.linalg.norm(jaw[front], axis=1) > 0.5 * np.linalg.norm(jaw, axis=1).max()]
    if not len(low):
        return np.asarray(inside)
    middle = rig.neutral[low[rig.neutral[low, 1].argmax()]]  # the lower lip's upper rim
    away = (rig.neutral - middle) / MOUTH
    near = np.linalg.norm(away, axis=1)[rig.triangles].max(1) < 1
    return np.asarray(inside | (near & (rig.triangle_parts == Part.SKIN)))


def mirrored(points: Floats) -> NDArray[np.int64]:
    """(V,) the vertex nearest to each one's mirror image."""

    return np.asarray(KDTree(points).query(points * np.array([-1, 1, 1]))[1], np.int64)
