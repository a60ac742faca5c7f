"""Where Gaussians begin, in the soft hull of the silhouettes, and where they have made space
opaque.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor

from ...protocol import InputError
from ..footage.timed_views import TimedView
from .hull import HullConfig, carve, cell_centers, share_inside


def seed_places(
    views: list[TimedView],
    inside: float,
    count: int,
    generator: torch.Generator,
    hull: HullConfig = HullConfig(),
) -> tuple[Tensor, float]:
    """(count, 3) on the CPU, evenly where at least the share `inside` of the pictures allows the
    object, and the size at which they fill it; InputError where that is nowhere.
    """
    share = share_inside(carve(views, hull), hull)
    cells = cell_centers(hull)[torch.from_numpy(share.reshape(-1) > inside)]
    if len(cells) < 50:
        raise InputError(
            "No solid shape fits the object's outlines: the masks and the cameras contradict each "
            "other.",
            "Check that white is the object in every mask, and that the cameras are those of these "
            "pictures.",
        )
    cell = 2 * hull.reach / hull.resolution
    chosen = torch.randint(len(cells), (count,), generator=generator)
    places = cells[chosen] + (torch.rand(count, 3, generator=generator) - 0.5) * cell
    return places, 0.6 * (len(cells) * cell**3 / count) ** (1 / 3)


def opacity_field(
    means: Tensor, scales: Tensor, opacities: Tensor, resolution: int, reach: float
) -> NDArray[np.float64]:
    """(R, R, R) how opaque space is where round Gaussians (N, 3), (N,), (N,) are: of cell centres
    that fill the cube of half side `reach`.
    """
    line = ((np.arange(resolution) + 0.5) / resolution * 2 - 1) * reach
    cells = np.stack(np.meshgrid(line, line, line, indexing="ij"), -1).reshape(-1, 3)
    there = opacities.numpy() > 0.05
    if not there.any():
        return np.zeros([resolution] * 3)
    places, opaque = means.numpy()[there], opacities.numpy()[there]
    sizes = np.maximum(scales.numpy()[there], 0.9 * reach / resolution)
    away, near = KDTree(places).query(
        cells, k=min(12, len(places)), distance_upper_bound=4 * float(sizes.max())
    )
    away, near = (
        away.reshape(len(cells), -1),
        np.minimum(near, len(places) - 1).reshape(len(cells), -1),
    )
    covered = opaque[near] * np.exp(
        -0.5 * (np.where(np.isfinite(away), away, 1e3) / sizes[near]) ** 2
    )
    return np.asarray((1 - np.prod(1 - covered.clip(0, 0.99), axis=1)).reshape([resolution] * 3))
