"""Which splats a brush touches: those under it that can be seen, or all under it. No bpy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELL = 6  # pixels: how finely what stands in front is told from what is behind
SOLID = 0.3  # opacity of splats that hide others


@dataclass(frozen=True)
class Projected:
    """Splats on the screen of one view."""

    places: NDArray[np.float32]  # (N, 2) pixels; infinite where behind the eye
    depths: NDArray[np.float32]  # (N,) along the view, in the splats' own units
    solid: NDArray[np.bool_]  # (N,)


def project(
    points: NDArray[np.float32],
    opacities: NDArray[np.float32],
    matrix: NDArray[np.float64],
    size: tuple[int, int],
) -> Projected:
    """points (N, 3), the matrix from their space to clip space, the region's width and height."""
    m = matrix.astype(np.float32)
    clip = points @ m[:, :3].T + m[:, 3]
    flat = bool(np.allclose(m[3, :3], 0))
    front = np.ones(len(points), bool) if flat else clip[:, 3] > 1e-6
    w = np.where(front, clip[:, 3], 1)[:, None]
    places = np.where(
        front[:, None], (clip[:, :2] / w + 1) / 2 * np.array(size, np.float32), np.inf
    )
    along = 2 if flat else 3  # where nothing recedes, w says nothing
    return Projected(
        places.astype(np.float32),
        clip[:, along] / max(float(np.linalg.norm(m[along, :3])), 1e-12),
        opacities > SOLID,
    )


def touched(
    view: Projected, at: tuple[float, float], radius: float, depth: float, through: bool
) -> NDArray[np.int64]:
    """Numbers of the splats within `radius` pixels of a place and, unless `through`, at most
    `depth` behind the foremost there.
    """
    offset = np.abs(view.places - np.array(at, np.float32)).max(1)
    near = np.flatnonzero(
        offset <= radius + CELL
    )  # a little wider: what hides something need not lie under the brush
    inside = ((view.places[near] - np.array(at, np.float32)) ** 2).sum(1) <= radius * radius
    if through or not inside.any():
        return np.asarray(near[inside])
    cell = (view.places[near] // CELL).astype(np.int64)
    cell -= cell.min(0)
    key = cell[:, 0] * (int(cell[:, 1].max()) + 1) + cell[:, 1]
    foremost = np.full(int(key.max()) + 1, np.inf, np.float32)
    solid = view.solid[near]
    np.minimum.at(foremost, key[solid], view.depths[near][solid])
    return np.asarray(near[inside & (view.depths[near] <= foremost[key] + depth)])


def main_objects(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Of the splats under a brush (M,), -1: none: the object of most, and any other of a good part
    of them.
    """
    numbers, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return np.asarray(numbers[sizes >= min(0.25 * sizes.sum(), sizes.max(initial=0))])
