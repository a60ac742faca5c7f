"""A flat map of a surface (xatlas), and which place of the surface each of its texels shows."""

from dataclasses import dataclass

import numpy as np
import torch
import xatlas
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from ..surfaces.mesh_rasterizer import Screen, fragments
from ..surfaces.surface import Surface


@dataclass(frozen=True)
class Atlas:
    """`uvs` (F, 3, 2) of the corners of each face, 0..1 from the lower left, as Blender and OBJ
    have it.
    """

    uvs: NDArray[np.float32]


@dataclass(frozen=True)
class Texels:
    """The M texels of a square texture that show something; row 0 is the top."""

    size: int
    where: Tensor  # (M,) row * size + column
    faces: Tensor  # (M,)
    barycentric: Tensor  # (M, 3)

    def to(self, device: torch.device) -> "Texels":
        """The same texels on another device."""
        return Texels(
            self.size, self.where.to(device), self.faces.to(device), self.barycentric.to(device)
        )


def unwrap(surface: Surface) -> Atlas:
    """Charts without overlap."""
    _, corners, uvs = xatlas.parametrize(surface.vertices, surface.faces.astype(np.uint32))
    return Atlas(np.asarray(uvs, np.float32)[np.asarray(corners, np.int64)])


def texels(atlas: Atlas, size: int) -> Texels:
    """Which face and where in it, for each texel: the map drawn flat."""
    flat = torch.from_numpy(atlas.uvs).reshape(-1, 2)
    points = torch.stack([flat[:, 0] * size, (1 - flat[:, 1]) * size, torch.ones(len(flat))], 1)
    seen = fragments(
        Screen(points=points, faces=torch.arange(len(flat)).view(-1, 3), width=size, height=size)
    )
    return Texels(size, seen.pixels, seen.faces, seen.barycentric)


def fill_gaps(texture: NDArray[np.float32], painted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(S, S, 3) with every texel that was not painted taken from the nearest that was: no seams, no
    black in mipmaps.
    """
    if painted.all() or not painted.any():
        return texture
    nearest = ndimage.distance_transform_edt(~painted, return_distances=False, return_indices=True)
    return np.asarray(texture[tuple(nearest)], np.float32)
