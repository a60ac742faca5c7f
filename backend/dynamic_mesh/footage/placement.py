"""Where the object is: at one place of the world, around which the camera moves, or on a way of its
own through it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...geometry.arrays import Doubles

# sine squared of the angle between rays below which they meet nowhere in particular
PARALLEL = 0.01
TRAVELS = 0.35  # of its radius: by how much rays to an object that stays may miss its middle
MARGIN = 1.1
HALF = 127  # of 255: what a mask covers more is the object


@dataclass(frozen=True)
class Placement:
    """The cube -1..1 in which the object changes shape, at T moments: world = radius * unit +
    centers[t].
    """

    centers: Doubles  # (T, 3)
    radius: float
    travels: bool  # its distance, and so its way, is a guess by its size in the picture

    def viewmat(self, viewmat: Doubles, view: int) -> Doubles:
        """(4, 4) world to camera -> unit cube to camera, in units of the cube."""
        inside = np.array(viewmat, np.float64)
        inside[:3, 3] = (viewmat[:3, :3] @ self.centers[view] + viewmat[:3, 3]) / self.radius
        return inside


@dataclass(frozen=True)
class _Silhouette:
    place: Doubles  # (3,) of the camera
    ray: Doubles  # (3,) in the world, through the middle of the silhouette, one unit deep
    extent: float  # of the silhouette at depth 1
    area: float  # square root of its area at depth 1


def _silhouettes(
    viewmats: Doubles, Ks: Doubles, alphas: list[NDArray[np.uint8]]
) -> list[_Silhouette]:
    silhouettes = []
    for viewmat, K, alpha in zip(viewmats, Ks, alphas, strict=True):
        rows, columns = np.nonzero(alpha > HALF)
        middle = np.array([columns.mean() + 0.5, rows.mean() + 0.5, 1.0])
        away = np.hypot((columns - columns.mean()) / K[0, 0], (rows - rows.mean()) / K[1, 1])
        rotation = viewmat[:3, :3]
        silhouettes.append(
            _Silhouette(
                -rotation.T @ viewmat[:3, 3],
                rotation.T @ np.linalg.solve(K, middle),
                float(away.max()),
                float(np.sqrt(len(rows) / (K[0, 0] * K[1, 1]))),
            )
        )
    return silhouettes


def place(viewmats: Doubles, Ks: Doubles, alphas: list[NDArray[np.uint8]]) -> Placement:
    """From T cameras and silhouettes (H, W) 0..255, in the order of time."""
    seen = _silhouettes(viewmats, Ks, alphas)
    directions = np.stack([s.ray / np.linalg.norm(s.ray) for s in seen])
    across = np.eye(3) - directions[:, :, None] * directions[:, None, :]
    spread = float(np.linalg.eigvalsh(across.mean(0))[0])
    places = np.stack([s.place for s in seen])
    center = np.linalg.lstsq(across.sum(0), np.einsum("tij,tj->i", across, places), rcond=None)[0]
    depths = np.einsum("ti,ti->t", center - places, directions) / np.linalg.norm(
        [s.ray for s in seen], axis=1
    )
    if spread > PARALLEL and (depths > 0).all():
        radius = float(np.quantile(depths * [s.extent for s in seen], 0.95)) * MARGIN
        misses = np.linalg.norm(np.einsum("tij,tj->ti", across, center - places), axis=1)
        if np.sqrt(np.square(misses).mean()) < TRAVELS * radius:
            return Placement(np.repeat(np.asarray(center)[None], len(seen), 0), radius, False)
    return _on_its_way(seen, places)


def between(placement: Placement, seconds: Doubles, known: list[int]) -> Placement:
    """For the moments in between, too: `placement` is for those that are `known` of all the
    `seconds` (T,).
    """
    centers = np.stack(
        [np.interp(seconds, seconds[known], axis) for axis in placement.centers.T], 1
    )
    centers[known] = placement.centers
    return Placement(centers, placement.radius, placement.travels)


def _on_its_way(seen: list[_Silhouette], places: Doubles) -> Placement:
    """Its middle on each picture's ray, as far away as its size says; sizes are smoothed in time,
    for legs come and go.
    """
    areas = ndimage.gaussian_filter1d(
        [s.area for s in seen], max(1.0, len(seen) / 20), mode="nearest"
    )
    reach = float(np.quantile([s.extent / s.area for s in seen], 0.95)) * MARGIN
    depths = 1 / (areas * reach)  # in units of the cube
    moved = float(np.linalg.norm(np.ptp(places, axis=0)))
    radius = moved / 10 if moved > 1e-6 else 1.0  # no picture tells it
    rays = np.stack([s.ray for s in seen])
    return Placement(places + radius * depths[:, None] * rays, radius, True)
