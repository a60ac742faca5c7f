"""Where a surface is parted: small patches of it, and how likely a boundary runs between two.

Three voices: edges of the photographs, averaged over all views that show both sides, so that noise
and what only one view shows count little; creases that fold inwards, for things that touch do, and
a thing's own shape mostly folds outwards (Stein et al. 2014); and the planes that things stand on.
What follows by these rules is a part of the answer; the rest is learned, see learned_boundaries.
(Where a plane ends, asking for an edge or a turn of the surface to be seen there gained on one room
and lost on others: recall of trained rooms 3 and 4 fell from 82 and 67 to 76 and 53 %.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ...geometry.arrays import Doubles, Flags, Floats, Ints, Ints32, Pixels
from .boundary_evidence import EvidenceConfig, of_colors
from .fused_surface import FusedSurface, smoothed
from .seen_surface import SeenView
from .textures import without_pattern


@dataclass(frozen=True, kw_only=True)
class BoundaryConfig:
    """How strongly each voice speaks. Chosen on one trained room, ideal ones and a capture, none
    of which counts as a result.
    """

    patch: float = 3.0  # width in voxels
    within: float = 0.35  # boundary from which two voxels are not of one patch
    color_step: float = 15.0  # of an edge, in CIELAB, that counts as one
    fold: tuple[float, float] = (0.15, 0.6)  # from where on, and over what, a crease counts
    crossing: float = 0.9  # from a plane to what is off it
    flat: float = 1.0  # an edge of the photographs on one plane,
    # as far as it is stronger than this percentile of the edges there, by their length: others are
    # its pattern
    pattern: float = 85.0
    crease: float = 0.3  # an inward crease by itself,
    edge: float = 0.2  # an edge by itself,
    both: float = 0.6  # and what both together add
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)


@dataclass(frozen=True, kw_only=True)
class PatchGraph:
    """P patches and the pairs that touch."""

    patches: Ints32  # (V,) of the surface's voxels
    sizes: Ints  # (P,) voxels
    pairs: Ints  # (E, 2)
    boundary: Doubles  # (E,) 0..1 by rule
    evidence: Doubles  # (E, 10) see boundary_evidence.NAMES
    contact: Doubles  # (E,) how much they touch
    planes: Ints  # (P,) that patches lie on, -1: none
    colors: Doubles  # (P, 3) their mean colours, in CIELAB


def _lab(image: Pixels) -> Floats:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def edges(image: Pixels) -> Floats:
    """(H, W) how large a step of colour there is in a picture (H, W, 3), in CIELAB: the geometric
    mean of two scales, so that it takes an edge that is sharp and large.
    """
    lab = _lab(image)
    steps = np.ones(image.shape[:2], np.float32)
    for sigma in (1.0, 2.0):
        smooth = cv2.GaussianBlur(lab, (0, 0), sigma)
        slopes = [cv2.Sobel(smooth, cv2.CV_32F, *o, ksize=3) / 8 for o in ((1, 0), (0, 1))]
        # the slope of a blurred step is its height over sigma times the root of two pi
        steps *= np.sqrt(np.square(slopes).sum((0, 3))) * sigma * 2.5
    return np.sqrt(steps)


def photo_edges(surface: FusedSurface, views: Sequence[SeenView]) -> tuple[Doubles, Ints]:
    """(E,) the mean step of colour between voxels that touch, over all places where pictures show
    one beside the other, and how many these are.
    """
    count = len(surface.points)
    keys = surface.pairs[:, 0] * count + surface.pairs[:, 1]
    order = np.argsort(keys)
    ordered = keys[order]
    sums, times = np.zeros(len(keys)), np.zeros(len(keys), np.int64)
    for view, shown in zip(views, surface.maps, strict=True):
        step = edges(view.image)
        for near, far in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
            a, b = shown[near], shown[far]
            beside = (a >= 0) & (b >= 0) & (a != b)
            a, b = a[beside].astype(np.int64), b[beside].astype(np.int64)
            wanted = np.minimum(a, b) * count + np.maximum(a, b)
            at = np.minimum(np.searchsorted(ordered, wanted), len(keys) - 1)
            there = ordered[at] == wanted
            height = np.maximum(step[near], step[far])[beside]
            sums += np.bincount(order[at[there]], height[there], len(keys))
            times += np.bincount(order[at[there]], minlength=len(keys))
    return sums / np.maximum(times, 1), times


def photo_colors(surface: FusedSurface, views: Sequence[SeenView]) -> Doubles:
    """(V, 3) the mean colour of every voxel over all pictures, in CIELAB."""
    sums, times = np.zeros((len(surface.points), 3)), np.zeros(len(surface.points))
    for view, shown in zip(views, surface.maps, strict=True):
        there = shown >= 0
        times += np.bincount(shown[there], minlength=len(times))
        for k, channel in enumerate(_lab(view.image)[there].T):
            sums[:, k] += np.bincount(shown[there], channel, len(times))
    return np.asarray(sums / np.maximum(times, 1)[:, None])


def turned_inwards(points: Doubles, normals: Doubles, pairs: Ints) -> Doubles:
    """(E,) how far the normals of two parts of a surface lean towards each other, -2..2."""
    a, b = pairs.T
    step = points[b] - points[a]
    step /= np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-12)
    return np.asarray(((normals[a] - normals[b]) * step).sum(1))


def folds(points: Doubles, normals: Doubles, pairs: Ints, config: BoundaryConfig) -> Doubles:
    """(E,) 0..1 how sharply the surface folds inwards between two of its parts."""
    inwards = turned_inwards(points, normals, pairs)
    return np.asarray(np.clip((inwards - config.fold[0]) / config.fold[1], 0, 1))


@dataclass(frozen=True, kw_only=True)
class _Between:
    """What lies between touching voxels or patches, (E,)."""

    color: Doubles  # 0..1
    fold: Doubles  # 0..1
    crossing: Flags  # whether it leads from a plane to what is off it
    flat: Flags  # whether it stays within one plane

    def boundary(self, c: BoundaryConfig) -> Doubles:
        free = c.crease * self.fold + c.edge * self.color + c.both * self.fold * self.color
        off = np.where(self.flat, c.flat * self.color, np.minimum(free, 1))
        return np.asarray(np.where(self.crossing, c.crossing, off))

    def evidence(self, inwards: Doubles, ends: Flags, colors: list[Doubles]) -> Doubles:
        """(E, 10) in the order of boundary_evidence.NAMES."""
        planes = [ends, self.crossing & ~ends, self.flat]
        return np.stack([self.fold, inwards, *planes, *colors], 1).astype(np.float64)


def patch_graph(
    surface: FusedSurface,
    planes: Ints32,
    steps: tuple[Doubles, Ints],
    colors: Doubles,
    config: BoundaryConfig = BoundaryConfig(),
) -> PatchGraph:
    """Patches of a surface with planes (V,) and what is between them. `steps`, `colors`: see
    photo_edges() and photo_colors().
    """
    a, b = surface.pairs.T
    heights, times = steps
    voxels = _Between(
        color=1 - np.exp(-np.square(heights / config.color_step)),
        fold=folds(surface.points, smoothed(surface, 1), surface.pairs, config),
        crossing=planes[a] != planes[b],
        flat=(planes[a] == planes[b]) & (planes[a] >= 0),
    )
    cells = np.floor(surface.cells / config.patch).astype(np.int64)
    joined = (cells[a] == cells[b]).all(1) & (voxels.boundary(config) < config.within)
    graph = coo_matrix(
        (np.ones(joined.sum(), bool), (a[joined], b[joined])), shape=[len(cells)] * 2
    )
    patches = np.asarray(connected_components(graph, directed=False)[1], np.int32)
    return _gathered(surface, _Patches(patches, planes, colors), voxels, times, config)


class _Contacts:
    """Where patches (V,) of a surface touch: pairs (E, 2), and voxels that touch in each."""

    def __init__(self, surface: FusedSurface, patches: Ints32, count: int) -> None:
        ends = np.sort(patches[surface.pairs], axis=1).astype(np.int64)
        a, b = surface.pairs.T
        self.near = 1 / np.maximum(np.linalg.norm(surface.cells[a] - surface.cells[b], axis=1), 0.3)
        self.apart = ends[:, 0] != ends[:, 1]
        keys, which = np.unique(ends[self.apart] @ np.array([count, 1]), return_inverse=True)
        self.pairs = np.stack(np.divmod(keys, count), 1)
        self.which = which.reshape(-1)

    def sums(self, values: Doubles) -> Doubles:
        """(E,) of values of touching voxels."""
        totals = np.bincount(self.which, values[self.apart], len(self.pairs))
        return np.asarray(totals, np.float64)

    def means(self, values: Doubles, known: Flags | bool = True) -> Doubles:
        """(E,) of values of touching voxels, the nearer ones more, where they are known."""
        weights = self.near * known
        return self.sums(weights * values) / np.maximum(self.sums(weights), 1e-9)


@dataclass(frozen=True)
class _Patches:
    """What voxels are of, and their colours."""

    patches: Ints32  # (V,)
    planes: Ints32  # (V,)
    colors: Doubles  # (V, 3)


@dataclass(frozen=True)
class _Bends:
    """How the surface turns between patches that touch, (E,)."""

    fold: Doubles  # 0..1 sharply inwards
    inwards: Doubles  # however little, negative: outwards


def _bends(
    surface: FusedSurface, patches: Ints32, sizes: Ints, touch: _Contacts, config: BoundaryConfig
) -> _Bends:
    points, normals = (_means(v, patches, sizes) for v in (surface.points, surface.normals))
    length = np.linalg.norm(normals, axis=1)
    smooth = length[touch.pairs].min(1)
    normals /= np.maximum(length, 1e-9)[:, None]
    inwards = smooth * turned_inwards(points, normals, touch.pairs)
    return _Bends(smooth * folds(points, normals, touch.pairs, config), inwards)


def _gathered(
    surface: FusedSurface, of: _Patches, voxels: _Between, times: Ints, config: BoundaryConfig
) -> PatchGraph:
    """Patches as a graph: what is between two is the mean over the voxels in which they touch."""
    sizes, pattern = np.bincount(of.patches), config.pattern
    touch = _Contacts(surface, of.patches, len(sizes))
    bends = _bends(surface, of.patches, sizes, touch, config)
    plane_of = np.full(len(sizes), -1)
    plane_of[of.patches] = of.planes  # no patch reaches beyond its plane
    first, second = plane_of[touch.pairs].T
    contact, color = touch.sums(touch.near), touch.means(voxels.color, times > 0)
    on = np.where(first == second, first, -1)
    between = _Between(
        color=without_pattern(color, contact, on, pattern),
        fold=np.maximum(touch.means(voxels.fold), bends.fold),
        crossing=first != second,
        flat=on >= 0,
    )
    colors = _means(of.colors, of.patches, sizes)
    evidence = between.evidence(
        bends.inwards,
        between.crossing & ((first < 0) | (second < 0)),
        of_colors(colors, color, (touch.pairs, contact), config.evidence),
    )
    return PatchGraph(
        patches=of.patches,
        sizes=sizes,
        pairs=touch.pairs,
        boundary=between.boundary(config),
        evidence=evidence,
        contact=contact,
        planes=plane_of,
        colors=colors,
    )


def _means(values: Doubles, groups: Ints32, sizes: Ints) -> Doubles:
    sums = [np.bincount(groups, column, len(sizes)) for column in values.T]
    return np.asarray(np.stack(sums, 1) / sizes[:, None])
