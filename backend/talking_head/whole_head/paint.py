"""Colours of the whole surface: what the frames show, and for the rest the mirror side's, or what
flows in over the mesh from its surroundings, hair into hair and skin into skin.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ...geometry.arrays import Floats
from ..rigs.drawing import COLORS
from ..rigs.rig import Part, Rig
from .anatomy import Anatomy, mirrored

FACING = 0.25  # cosine: what is seen at a glance is mixed with what lies behind it
FRAMES = 2  # that have to show a vertex


class HeadRegion(IntEnum):
    """Between which no colour flows. The parts inside of a face have their own numbers above."""

    SKIN = 0
    SCALP = 1
    BODY = 2
    INSIDE = 3  # plus Part


@dataclass(frozen=True)
class PaintedSurface:
    """V vertices."""

    colors: Floats  # (V, 3) sRGB 0..1
    known: NDArray[np.bool_]  # (V,) whether frames show it


def regions(rig: Rig, rest: Floats, anatomy: Anatomy, body: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(V,) HeadRegion. Hair grows above the ears, and behind them down to the nape."""
    x, y, z = rest.T
    middle, eyes = anatomy.centre[2], anatomy.eyes[1]
    nape = anatomy.chin[1] + 0.35 * (eyes - anatomy.chin[1])
    ear = (z > middle - 3) & (z < middle + 2.5) & (y < eyes + 0.8) & (np.abs(x) > anatomy.neck[0])
    above = ((y > eyes + 2.5) & (z < middle + 5)) | ((y > eyes + 0.8) & (z < middle + 2.5))
    behind = (z < middle - 2.5) & (y > nape)
    numbers = np.where((above | behind) & ~ear, HeadRegion.SCALP, HeadRegion.SKIN)
    numbers[body] = HeadRegion.BODY
    inside = rig.vertex_parts != Part.SKIN
    numbers[inside] = HeadRegion.INSIDE + rig.vertex_parts[inside]
    return np.asarray(numbers, np.int64)


def painted(rows: Floats, rig: Rig, rest: Floats, region: NDArray[np.int64]) -> PaintedSurface:
    """From what each of F frames shows of the vertices (F, V, 3), NaN where it shows nothing."""
    shown = np.isfinite(rows[:, :, 0]).sum(0)
    some = np.asarray(shown > 0)
    colors = np.zeros((len(rest), 3), np.float32)
    colors[some] = np.nanmedian(rows[:, some], 0)
    known = shown >= min(FRAMES, len(rows))
    edges = _edges(rig, region)
    known, colors = _between_pixels(known, colors, edges)
    whole, filled = _from_mirror(known, colors, rest, region)
    filled = _flown_in(filled, whole, edges, region)
    return PaintedSurface(filled, known)


def _edges(rig: Rig, region: NDArray[np.int64]) -> csr_matrix:
    """(V, V) 1 for neighbours of one region."""
    pairs = np.concatenate([rig.triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    pairs = pairs[region[pairs[:, 0]] == region[pairs[:, 1]]]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    count = len(region)
    near = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), (count, count)).tocsr()
    near.data[:] = 1
    return near


def _between_pixels(
    known: NDArray[np.bool_], colors: Floats, edges: csr_matrix
) -> tuple[NDArray[np.bool_], Floats]:
    """A vertex no pixel fell on, among such as were seen, was seen as well."""
    degree = np.asarray(edges.sum(1)).ravel()
    for _ in range(2):
        count = edges @ known.astype(np.float64)
        fresh = ~known & (count > 0.5 * degree) & (degree > 0)
        sums = edges @ (colors * known[:, None])
        colors[fresh] = sums[fresh] / count[fresh, None]
        known = known | fresh
    return known, colors


def _from_mirror(
    known: NDArray[np.bool_], colors: Floats, rest: Floats, region: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], Floats]:
    other = mirrored(rest)
    useful = ~known & known[other] & (region == region[other])
    colors = colors.copy()
    colors[useful] = colors[other[useful]]
    return known | useful, colors


def _flown_in(
    colors: Floats, known: NDArray[np.bool_], edges: csr_matrix, region: NDArray[np.int64]
) -> Floats:
    """Unknown colours as the mean of their neighbours' (Laplace's equation); parts that touch
    nothing known take their region's middle, or the usual colour of what they are.
    """
    colors = colors.copy()
    for number in np.unique(region):
        mine = region == number
        usual = (
            COLORS[Part(number - HeadRegion.INSIDE)] if number >= HeadRegion.INSIDE else (0.35,) * 3
        )
        seen = mine & known
        colors[mine & ~known] = np.median(colors[seen], 0) if seen.any() else usual
    _, label = connected_components(edges, directed=False)
    touched = np.zeros(label.max() + 1, bool)
    touched[label[known]] = True
    unknown = np.flatnonzero(~known & touched[label])
    if len(unknown):
        degree = np.asarray(edges.sum(1)).ravel()
        square = (diags(degree) - edges).tocsr()[unknown]
        right = -square[:, np.flatnonzero(known)] @ colors[known]
        solved = splu(square[:, unknown].tocsc()).solve(np.asarray(right, np.float64))
        colors[unknown] = solved
    return np.asarray(colors.clip(0, 1), np.float32)
