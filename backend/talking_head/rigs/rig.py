"""What every face model is to the rest of the room: a mesh and linear shapes (a morphable model,
Blanz and Vetter 1999).
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...geometry.arrays import Floats


class Part(IntEnum):
    """What a face of the mesh belongs to."""

    SKIN = 0
    MOUTH = 1  # its inside
    TONGUE = 2  # and gums
    TEETH = 3
    EYE = 4
    IRIS = 5


@dataclass(frozen=True, kw_only=True)
class Rig:
    """Axes: x to the person's left, y up, z out of the face; centimetres. A coefficient is 0 at
    rest and 1 at its full shape.
    """

    name: str
    neutral: Floats  # (V, 3)
    faces: NDArray[
        np.int32
    ]  # (F, 4) counter-clockwise as seen from outside; -1 in the last place of triangles
    parts: NDArray[np.int8]  # (F,) Part
    names: tuple[str, ...]  # K coefficients; ARKit's names where it has them
    shapes: Floats  # (K, V, 3) added to the neutral one
    identities: Floats  # (I, V, 3) one standard deviation each
    lowest: Floats  # (K,) 0, or -1 where a coefficient goes both ways
    colors: Floats | None = None  # (V, 3) sRGB 0..1, where the model brings them
    uvs: Floats | None = None  # (F, 4, 2) of the faces' corners, where the model brings them

    @cached_property
    def triangles(self) -> NDArray[np.int32]:
        """(T, 3)"""
        return np.concatenate([self.faces[:, :3], self.faces[self._four][:, [0, 2, 3]]])

    @cached_property
    def triangle_parts(self) -> NDArray[np.int8]:
        """(T,) Part"""
        return np.concatenate([self.parts, self.parts[self._four]])

    @property
    def _four(self) -> NDArray[np.bool_]:
        return np.asarray(self.faces[:, 3] >= 0)

    @cached_property
    def vertex_parts(self) -> NDArray[np.int8]:
        """(V,) Part; SKIN where a vertex belongs to no face."""
        parts = np.zeros(len(self.neutral), np.int8)
        for corner in range(3):
            parts[self.triangles[:, corner]] = self.triangle_parts
        return parts

    def person(self, identity: Floats) -> Floats:
        """The resting face (V, 3) of someone, by coefficients (I,) or fewer."""
        return np.asarray(
            self.neutral + np.tensordot(identity, self.identities[: len(identity)], 1), np.float32
        )

    def posed(self, rest: Floats, coefficients: Floats) -> Floats:
        """(..., V, 3) of coefficients (..., K)."""
        return np.asarray(rest + np.tensordot(coefficients, self.shapes, 1), np.float32)

    def tensors(self, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
        """Shapes (K, V, 3) and triangles (T, 3), for work in torch."""
        return torch.from_numpy(self.shapes).to(device), torch.from_numpy(self.triangles).long().to(
            device
        )

    def only_vertices(self, keep: NDArray[np.bool_]) -> "Rig":
        """Without the others (V,), and without the faces that lose a corner."""
        number = np.full(len(keep) + 1, -1, np.int32)  # the last place answers for -1
        number[:-1][keep] = np.arange(keep.sum())
        whole = np.append(keep, True)[self.faces].all(1)
        return replace(
            self,
            neutral=self.neutral[keep],
            faces=number[self.faces[whole]],
            parts=self.parts[whole],
            shapes=self.shapes[:, keep],
            identities=self.identities[:, keep],
            colors=None if self.colors is None else self.colors[keep],
            uvs=None if self.uvs is None else self.uvs[whole],
        )
