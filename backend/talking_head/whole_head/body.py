"""Shoulders for a rig: the mesh is cut where the neck ends, and a bust of rings is put under it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ..rigs.rig import Part, Rig
from .anatomy import NECK, SLOPE, Anatomy

AROUND = 48  # vertices of a ring
OVERLAP = 2.5  # centimetres that the bust reaches up around the neck
BEGIN, FLARE = NECK - OVERLAP + 0.5, 1.12  # so far down a neck may grow wider, so wide is it below
HIDDEN = 1.5  # centimetres that the neck goes on within the bust
LOOSE = 0.15  # centimetres between both, where the neck is wider than usual
DROPS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 12.0)  # rings, centimetres below that
SHOULDERS = 20.0  # half width that rings reach, and the drop in which they do
SLOPES_FOR = 7.0
CHEST = 10.5  # half depth


@dataclass(frozen=True, kw_only=True)
class Bust:
    """R rings of elliptic outline."""

    widths: Floats  # (R,) half widths
    depths: Floats  # (R,) half depths
    anatomy: Anatomy
    around: Floats | None = None  # (R, AROUND) from the axis: of the first ring, which lies within
    # the neck, and at least of those that lie around it

    @property
    def heights(self) -> Floats:
        """(R,) of the rings on the neck's axis."""
        end = self.anatomy.joint[1] - self._lift(self.anatomy.joint[2]) - NECK + OVERLAP
        return np.asarray(end - np.array(DROPS), np.float32)

    def _lift(self, z: float) -> float:
        return -SLOPE * float(self.anatomy.chin[2] - z)

    def vertices(self) -> Floats:
        """(R * AROUND, 3); the upper rings lie in the neck's slanted plane, lower ones level."""
        angle = np.arange(AROUND) / AROUND * 2 * np.pi
        slant = SLOPE * np.clip(1 - np.array(DROPS) / 10, 0, 1)
        x = self.widths[:, None] * np.sin(angle)
        z = self.depths[:, None] * np.cos(angle)
        if self.around is not None:
            grown = self.around / np.hypot(x, z)
            upper = np.array(DROPS)[1:, None] < OVERLAP
            grown[1:] = np.where(upper, np.maximum(grown[1:], 1), 1)
            x, z = np.asarray(x * grown), np.asarray(z * grown)
        y = self.heights[:, None] - slant[:, None] * z
        return np.asarray(
            np.stack([x, y, z + self.anatomy.joint[2]], -1).reshape(-1, 3), np.float32
        )


def usual_bust(anatomy: Anatomy, rest: Floats | None = None) -> Bust:
    """Before anything is known of the person's shoulders; around the neck of a resting mesh."""
    share = np.clip((np.array(DROPS) - OVERLAP) / SLOPES_FOR, 0, 1)
    wide = share**1.5
    grown = np.where(np.arange(len(DROPS)) == 0, 0.97, 1.03 * FLARE)  # the first one within it
    widths = grown * anatomy.neck[0] * (1 - wide) + SHOULDERS * wide
    depths = grown * anatomy.neck[1] * (1 - share) + CHEST * share
    return Bust(
        widths=np.asarray(widths, np.float32),
        depths=np.asarray(depths, np.float32),
        anatomy=anatomy,
        around=None if rest is None else _around_neck(anatomy, rest),
    )


def _around_neck(anatomy: Anatomy, rest: Floats) -> Floats:
    """(R, AROUND) centimetres from the neck's axis: within the mesh for the first ring, and beyond
    all that goes on into the bust for the others.
    """
    height = anatomy.height(rest)
    end = OVERLAP - NECK
    enters = np.abs(height - end) < HIDDEN / 2
    goes_on = height < end + HIDDEN
    far = _furthest(anatomy, rest[goes_on])
    beyond = np.maximum(far, np.maximum(np.roll(far, 1), np.roll(far, -1))) + LOOSE
    rows = np.tile(beyond, (len(DROPS), 1))
    rows[0] = _furthest(anatomy, rest[enters]) - LOOSE
    return np.asarray(rows.clip(0.5 * min(anatomy.neck)), np.float32)


def _furthest(anatomy: Anatomy, points: Floats) -> Floats:
    """(AROUND,) from the neck's axis; angles without a point as those beside them."""
    across, ahead = points[:, 0], points[:, 2] - anatomy.joint[2]
    place = np.round(np.arctan2(across, ahead) / (2 * np.pi) * AROUND).astype(int) % AROUND
    far = np.zeros(AROUND, np.float32)
    np.maximum.at(far, place, np.hypot(across, ahead))
    known = np.flatnonzero(far)
    if not len(known):
        return np.full(AROUND, min(anatomy.neck), np.float32)
    return np.asarray(np.interp(np.arange(AROUND), known, far[known], period=AROUND), np.float32)


def bust_faces(first: int) -> NDArray[np.int32]:
    """(F, 4) of a bust whose vertices begin at `first`, counter-clockwise from outside."""
    ring, place = (g.ravel() for g in np.mgrid[: len(DROPS) - 1, :AROUND])
    after = (place + 1) % AROUND
    corners = [ring * AROUND + place, (ring + 1) * AROUND + place]
    corners += [(ring + 1) * AROUND + after, ring * AROUND + after]
    return np.asarray(np.stack(corners, 1) + first, np.int32)


def without_shoulders(rig: Rig, rest: Floats, anatomy: Anatomy) -> tuple[Rig, Floats]:
    """The rig and its resting mesh down to where the neck ends."""
    height = anatomy.height(rest)
    across = rest[:, 0] / anatomy.neck[0], (rest[:, 2] - anatomy.joint[2]) / anatomy.neck[1]
    low = OVERLAP - NECK - HIDDEN
    keep = (height > low) & ((height > -BEGIN) | (np.hypot(*across) < FLARE))
    keep |= rig.vertex_parts != Part.SKIN
    return rig.only_vertices(keep), rest[keep]


def with_bust(rig: Rig, rest: Floats, bust: Bust) -> tuple[Rig, Floats]:
    """Both with the bust's vertices and faces behind their own."""
    added, first = bust.vertices(), len(rest)
    faces = bust_faces(first)

    def padded(rows: Floats) -> Floats:
        return np.concatenate([rows, np.zeros((len(rows), len(added), 3), np.float32)], 1)

    colors = rig.colors
    if colors is not None:
        colors = np.concatenate([colors, np.full((len(added), 3), 0.35, np.float32)])
    whole = replace(
        rig,
        neutral=np.concatenate([rig.neutral, added]),
        faces=np.concatenate([rig.faces, faces]),
        parts=np.concatenate([rig.parts, np.full(len(faces), Part.SKIN, np.int8)]),
        shapes=padded(rig.shapes),
        identities=padded(rig.identities),
        colors=colors,
    )
    return whole, np.concatenate([rest, added])
