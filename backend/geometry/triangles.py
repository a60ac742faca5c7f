"""Which triangle is seen in which pixel: a depth buffer over whole meshes at once, in numpy."""

from dataclasses import dataclass

import numpy as np

from .arrays import Ints, Reals


@dataclass(frozen=True)
class Seen:
    """M pixels that are covered, each by its nearest triangle."""

    pixels: Ints  # (M,) row * width + column
    triangles: Ints  # (M,)
    weights: Reals  # (M, 3) of the corners, in the picture's plane
    nearness: Reals  # (M,)


def nearest_triangles(points: Reals, nearness: Reals, size: tuple[int, int]) -> Seen:
    """Of triangles with corners `points` (T, 3, 2) in pixels, whose centres lie at halves, and
    `nearness` (T, 3), which must be linear in the picture: 1 / z under perspective, -z without.
    `size` is width and height. Both sides are seen.
    """
    triangle, column, row = _candidates(points, size)
    corners = points[triangle]
    weights = _barycentric(corners[..., 0], corners[..., 1], column + 0.5, row + 0.5)
    inside = (weights >= 0).all(1)
    triangle, weights, pixel = triangle[inside], weights[inside], (row * size[0] + column)[inside]
    near = (weights * nearness[triangle]).sum(1)
    order = np.lexsort((-near, pixel))
    first = order[np.unique(pixel[order], return_index=True)[1]]
    return Seen(pixel[first], triangle[first], weights[first], near[first])


def _candidates(points: Reals, size: tuple[int, int]) -> tuple[Ints, Ints, Ints]:
    """(M,) triangle, column and row of all pixels in the triangles' bounding boxes."""
    low, high = points.min(1), points.max(1)
    left, right = (
        np.clip(n, 0, size[0]).astype(int) for n in (np.floor(low[:, 0]), np.ceil(high[:, 0]))
    )
    top, bottom = (
        np.clip(n, 0, size[1]).astype(int) for n in (np.floor(low[:, 1]), np.ceil(high[:, 1]))
    )
    wide, count = right - left, (right - left) * (bottom - top)
    triangle = np.repeat(np.arange(len(points)), count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    across = np.maximum(wide[triangle], 1)
    return triangle, left[triangle] + place % across, top[triangle] + place // across


def _barycentric(x: Reals, y: Reals, u: Reals, v: Reals) -> Reals:
    """(M, 3); a negative one lies outside, and all of a triangle without area."""
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    area = np.where(np.abs(area) < 1e-12, np.inf, area)
    second = ((u - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (v - y[:, 0])) / area
    third = ((x[:, 1] - x[:, 0]) * (v - y[:, 0]) - (u - x[:, 0]) * (y[:, 1] - y[:, 0])) / area
    return np.stack([np.where(np.isinf(area), -1, 1 - second - third), second, third], 1)
