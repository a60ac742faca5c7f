"""Whether two lists of polygons over the same vertices are one surface, however it is divided."""

from itertools import pairwise

import numpy as np

from ....backend.geometry.arrays import Ints32

Polygon = tuple[int, ...]
Edge = tuple[int, int]


def of(corners: Ints32, sizes: Ints32) -> set[Polygon]:
    """Polygons of corners (C,) in groups of sizes (P,), each from its lowest vertex on: it does not
    matter where one begins.
    """
    ends, flat, polygons = np.cumsum(sizes).tolist(), corners.tolist(), set()
    for end, size in zip(ends, sizes.tolist(), strict=True):
        polygon = flat[end - size : end]
        low = polygon.index(min(polygon))
        polygons.add(tuple(polygon[low:] + polygon[:low]))
    return polygons


def same_surface(one: set[Polygon], other: set[Polygon]) -> bool:
    """Whether the polygons that only one of them has fill the same outlines as those of the other:
    exporters divide a polygon another way where it folds.
    """
    only_one, only_other = one - other, other - one
    if bool(only_one) != bool(only_other):
        return False
    there, here = _edges(other), _edges(one)
    a = _outlines(only_one, there)
    return a is not None and a == _outlines(only_other, here)


def _around(polygon: Polygon) -> list[Edge]:
    return [*pairwise(polygon), (polygon[-1], polygon[0])]


def _edges(polygons: set[Polygon]) -> set[Edge]:
    return {edge for polygon in polygons for edge in _around(polygon)}


def _outlines(polygons: set[Polygon], kept: set[Edge]) -> set[frozenset[Edge]] | None:
    """Outlines of the patches that they form across edges that the other surface has not kept; None
    where one has vertices inside, as no polygon has.
    """
    by_edge = {edge: polygon for polygon in polygons for edge in _around(polygon)}
    outlines: set[frozenset[Edge]] = set()
    left = set(polygons)
    while left:
        todo = [left.pop()]
        vertices: set[int] = set()
        outline: set[Edge] = set()
        while todo:
            polygon = todo.pop()
            vertices.update(polygon)
            for a, b in _around(polygon):
                neighbor = None if (a, b) in kept or (b, a) in kept else by_edge.get((b, a))
                if neighbor is None:
                    outline.add((a, b))
                elif neighbor in left:
                    left.discard(neighbor)
                    todo.append(neighbor)
        if vertices != {a for a, _ in outline}:
            return None
        outlines.add(frozenset(outline))
    return outlines
