"""What lies around two patches that touch, as evidence of a boundary between them: colours and
turns of the surface at a larger scale than patches, which are as noisy as a training; whether one
stands before the other in pictures; where planes and the splats' own pieces are; and how rough and
how busy the whole scene is, by which the rest is to be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from ...geometry.arrays import Doubles, Floats, Ints, Ints32
from ...geometry.sparse_rows import largest_of_each
from .boundaries import PatchGraph, turned_inwards
from .boundary_evidence import NAMES as EVIDENCE
from .fused_surface import FusedSurface, smoothed
from .outlines import outlines
from .surface_planes import fitted as fitted_plane

NAMES = (
    "rule",  # boundary by rule
    "light_3", "hue_3",  # differences of colours averaged over three patches around,
    "light_10", "hue_10",  # over ten
    "leans_3", "turns_3",  # inwards bend and turn of normals averaged likewise
    "before",  # share of the pixels beside each other in which one stands before the other
    "size",  # log of the smaller one's voxels
    "other", "same",  # 0 or 1: the splats' own pieces differ there, or are one
    "height", "rise",  # log of 1 + the distance from the nearest plane, in voxels; its difference
    "rough",  # of the scene: by how much normals err,
    "busy",  # how many edges there are
)  # fmt: skip
ROUNDS = (3, 10)
LIKE = 20.0  # difference of colour, in CIELAB, over which colours hardly mix
FARTHEST = 50.0  # from every plane, in voxels, where there is none
FITTED_ON = 5000  # voxels of a plane


@dataclass(frozen=True)
class _Mixing:
    """Averages over patches that touch, but hardly over boundaries."""

    weights: csr_matrix  # (P, P)
    own: Doubles  # (P, 1)
    total: Doubles  # (P, 1)

    def mixed(self, values: Doubles, rounds: int) -> Doubles:
        for _ in range(rounds):
            values = np.asarray((self.weights @ values + self.own * values) / self.total)
        return values


def _mixing(graph: PatchGraph) -> _Mixing:
    a, b = graph.pairs.T
    count = len(graph.sizes)
    apart = np.square(graph.colors[a] - graph.colors[b]).sum(1)
    weight = graph.contact * (1 - graph.boundary) * np.exp(-apart / (2 * LIKE**2))
    both = (np.r_[weight, weight], (np.r_[a, b], np.r_[b, a]))
    weights = coo_matrix(both, shape=(count, count)).tocsr()
    own = np.sqrt(graph.sizes)[:, None]
    return _Mixing(weights, own, np.asarray(weights.sum(1)) + own)


def _means(values: Doubles, graph: PatchGraph) -> Doubles:
    count = len(graph.sizes)
    sums = [np.bincount(graph.patches, column, count) for column in values.T]
    return np.stack(sums, 1) / graph.sizes[:, None]


def around(
    surface: FusedSurface, graph: PatchGraph, own: Ints32, depths: Sequence[Floats]
) -> Doubles:
    """(E, 15) in the order of NAMES. `own` (V,): the splats' own pieces, -1: none. `depths` (H, W):
    of the views that the surface was seen in.
    """
    a, b = graph.pairs.T
    mixing, steady = _mixing(graph), smoothed(surface, 3)
    colors = [mixing.mixed(graph.colors, ROUNDS[0])]
    colors.append(mixing.mixed(colors[0], ROUNDS[1] - ROUNDS[0]))
    differences = [c[a] - c[b] for c in colors]
    points = _means(surface.points, graph)
    normals = mixing.mixed(_means(steady, graph), 2)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    other, same = _told(graph, own)
    heights = np.log1p(_heights(surface, graph, points))
    rough = 10 * float(np.median(1 - (surface.normals * steady).sum(1)))
    edge = graph.evidence[:, EVIDENCE.index("edge")]
    busy = float(np.average(edge, weights=graph.contact)) if len(edge) else 0.0
    figures = [graph.boundary]
    for apart in differences:
        figures += [np.log1p(np.abs(apart[:, 0])), np.log1p(np.linalg.norm(apart[:, 1:], axis=1))]
    figures += [
        turned_inwards(points, normals, graph.pairs),
        1 - (normals[a] * normals[b]).sum(1),
        _before(surface, graph, depths),
        np.log(np.minimum(graph.sizes[a], graph.sizes[b])),
        other,
        same,
        np.minimum(heights[a], heights[b]),
        np.abs(heights[a] - heights[b]),
        np.full(len(a), rough),
        np.full(len(a), busy),
    ]
    return np.stack(figures, 1).astype(np.float64)


def _told(graph: PatchGraph, own: Ints32) -> tuple[Doubles, Doubles]:
    """(E,) 1 where most of two patches is of two pieces, and of one."""
    known = np.flatnonzero(own >= 0)
    votes = csr_matrix(
        (np.ones(len(known), np.float32), (graph.patches[known], own[known])),
        shape=(len(graph.sizes), int(own.max(initial=0)) + 1),
    )
    piece = largest_of_each(votes)[0][graph.pairs]
    told = (piece >= 0).all(1)
    other = told & (piece[:, 0] != piece[:, 1])
    return other.astype(np.float64), (told & ~other).astype(np.float64)


def _heights(surface: FusedSurface, graph: PatchGraph, points: Doubles) -> Doubles:
    """(P,) distances from the nearest plane, in widths of voxels."""
    heights = np.full(len(points), FARTHEST)
    widths = _means(surface.widths[:, None], graph)[:, 0]
    on = graph.planes[graph.patches]
    for number in range(int(graph.planes.max(initial=-1)) + 1):
        mine = np.flatnonzero(on == number)
        plane = fitted_plane(surface.points[mine[:: max(1, len(mine) // FITTED_ON)]])
        heights = np.minimum(heights, np.abs(points @ plane.normal - plane.offset) / widths)
    return heights


def _before(surface: FusedSurface, graph: PatchGraph, depths: Sequence[Floats]) -> Doubles:
    """(E,)"""
    seen, count = outlines(surface, graph.patches, depths), len(graph.sizes)
    keys = graph.pairs[:, 0] * count + graph.pairs[:, 1]
    order = np.argsort(keys)

    def pixels(pairs: Ints, counts: Doubles) -> Doubles:
        wanted = pairs.min(1) * count + pairs.max(1)
        at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
        there = keys[order[at]] == wanted
        totals = np.bincount(order[at[there]], counts[there], len(keys))
        return totals.astype(np.float64)

    if not len(keys):
        return np.zeros(0)
    before, beside = pixels(*seen.before), pixels(*seen.beside)
    return np.asarray(before / (before + beside + 1))
