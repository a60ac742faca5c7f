"""What is known of every group of patches that may be one thing: how it ends and what it is like
inside, how it stands out before what lies behind it, its shape, its colours, and how whole views
show it. What is one thing is told by them, see wholes.py.
"""

from collections.abc import Sequence

import numpy as np

from ...geometry.arrays import Doubles, Floats, Ints, Ints32
from .boundaries import PatchGraph
from .fused_surface import FusedSurface
from .group_tree import Dendrogram, GroupTree, beyond, one_way, rim_and_inside
from .outlines import outlines

NAMES = (
    "birth",  # cost of the merge that made it,
    "death",  # of the one that ends it, at most 1
    "life",  # log of the second over the first
    "rim",  # mean boundary along its rim,
    "open",  # share of the rim with less than 0.15 of it,
    "closed",  # with more than 0.4
    "inner",  # mean boundary within,
    "parted",  # share of it within with more than 0.4
    "rim_folds", "rim_ends", "rim_light", "rim_hue", "rim_edge",  # see boundary_evidence
    "inner_folds", "inner_ends", "inner_hue", "inner_edge",
    "front",  # share of its outline in pictures before what is farther,
    "behind",  # behind what is nearer,
    "blank",  # beside what is not known
    "cut",  # share of the pictures that show it in which the picture's edge cuts it
    "shown",  # share of the pictures that show it
    "size",  # log of its voxels,
    "share",  # of their share in the scene,
    "sibling",  # of its share in the group that it becomes part of
    "flat", "long",  # least and middle over largest extent
    "on_plane",  # share of it that lies on planes,
    "plane_share",  # of its main plane that is in it
    "stands",  # share of its rim along one plane that it is not on
    "colors",  # log of 1 + the spread of its colours, in CIELAB
)  # fmt: skip
OPEN, CLOSED = 0.15, 0.4  # boundary under which a rim is open, and over which it is closed
PICTURE = 12  # pixels of a group from which on a picture shows it
_FOLDS, _ENDS, _MEETS, _LIGHT, _HUE, _EDGE = 0, 2, 3, 5, 6, 8
Named = dict[str, Doubles]  # (G,) figures


def node_figures(
    surface: FusedSurface,
    graph: PatchGraph,
    boundary: Doubles,
    depths: Sequence[Floats],
    trees: tuple[Dendrogram, GroupTree],
) -> Doubles:
    """(G, 31) in the order of NAMES, of the groups of a tree of merges by `boundary` (E,). `depths`
    (H, W) are those of the views that the surface was seen in.
    """
    tree, groups = trees
    figures = {
        "birth": groups.births,
        "death": groups.deaths,
        "life": np.log((groups.deaths + 0.02) / (groups.births + 0.02)),
        **_boundaries(graph, boundary, tree, groups.nodes),
        **_outlines(surface, graph, depths, tree, groups.nodes),
        **_views(surface, graph, tree, groups.nodes),
        **_shapes(surface, graph, tree, groups),
        **_planes(graph, tree, groups.nodes),
    }
    return np.stack([figures[name] for name in NAMES], 1)


def _boundaries(graph: PatchGraph, boundary: Doubles, tree: Dendrogram, nodes: Ints) -> Named:
    one = np.ones(len(boundary))
    kinds = [boundary, boundary < OPEN, boundary > CLOSED]
    seen = graph.evidence[:, [_FOLDS, _LIGHT, _HUE, _EDGE]].T
    facts = np.stack([one, *kinds, *seen, graph.evidence[:, [_ENDS, _MEETS]].sum(1)], 1)
    rim, inner = (
        (sums[nodes] / np.maximum(sums[nodes, :1], 1e-9)).T
        for sums in rim_and_inside(tree, graph.pairs, facts * graph.contact[:, None])
    )
    around = ("rim", "open", "closed", "rim_folds", "rim_light", "rim_hue", "rim_edge", "rim_ends")
    within = ("inner", "", "parted", "inner_folds", "", "inner_hue", "inner_edge", "inner_ends")
    return dict(zip(around, rim[1:], strict=True)) | dict(zip(within, inner[1:], strict=True))


def _outlines(
    surface: FusedSurface,
    graph: PatchGraph,
    depths: Sequence[Floats],
    tree: Dendrogram,
    nodes: Ints,
) -> Named:
    seen = outlines(surface, graph.patches, depths)
    front, behind = (sums[nodes] for sums in one_way(tree, *seen.before))
    pairs, pixels = seen.beside
    level = rim_and_inside(tree, pairs, pixels[:, None])[0][nodes, 0]
    blank = tree.sums(seen.blank[:, None])[nodes, 0]
    around = np.maximum(front + behind + level + blank, 1)
    return {"front": front / around, "behind": behind / around, "blank": blank / around}


def _views(surface: FusedSurface, graph: PatchGraph, tree: Dendrogram, nodes: Ints) -> Named:
    pixels, cut = (
        tree.sums(values)[nodes] for values in _in_views(surface, graph.patches, len(graph.sizes))
    )
    views = pixels >= PICTURE
    seen = np.maximum(views.sum(1), 1)
    return {"cut": ((cut > 0) & views).sum(1) / seen, "shown": views.mean(1)}


def _in_views(surface: FusedSurface, patches: Ints32, count: int) -> tuple[Doubles, Doubles]:
    """(P, views) pixels of patches, and those of them at the picture's edge."""
    pixels, cut = (np.zeros((count, len(surface.maps))) for _ in range(2))
    for i, shown in enumerate(surface.maps):
        pixels[:, i] = np.bincount(patches[shown[shown >= 0]], minlength=count)
        frame = np.concatenate(
            [shown[:2].ravel(), shown[-2:].ravel(), shown[:, :2].ravel(), shown[:, -2:].ravel()]
        )
        cut[:, i] = np.bincount(patches[frame[frame >= 0]], minlength=count)
    return pixels, cut


def _shapes(surface: FusedSurface, graph: PatchGraph, tree: Dendrogram, groups: GroupTree) -> Named:
    x, y, z = (surface.points - surface.points.mean(0)).T
    products = [x * x, x * y, x * z, y * y, y * z, z * z]
    count = len(graph.sizes)
    points = [np.bincount(graph.patches, column, count) for column in (x, y, z, *products)]
    lab = (np.c_[graph.colors, np.square(graph.colors)] * graph.sizes[:, None]).T
    total = tree.sums(np.stack([graph.sizes.astype(np.float64), *points, *lab], 1))[groups.nodes]
    voxels = total[:, 0]
    flat, long = _extents(voxels, total[:, 1:4], total[:, 4:10])
    color, square = (total[:, 10:] / voxels[:, None]).reshape(-1, 2, 3).transpose(1, 0, 2)
    above = np.where(groups.parents >= 0, voxels[groups.parents], voxels)
    return {
        "size": np.log(voxels),
        "share": np.log(voxels / len(graph.patches)),
        "sibling": np.log(voxels / above),
        "flat": flat,
        "long": long,
        "colors": np.log1p(np.sqrt(np.maximum(square - color**2, 0).sum(1))),
    }


def _extents(weights: Doubles, sums: Doubles, squares: Doubles) -> tuple[Doubles, Doubles]:
    """(G,) least and middle over largest extent, of sums of points (G, 3) and of products
    (G, 6).
    """
    mean = sums / weights[:, None]
    which = np.array([0, 1, 2, 1, 3, 4, 2, 4, 5])
    outer = (squares / weights[:, None])[:, which].reshape(-1, 3, 3)
    spread = outer - mean[:, :, None] * mean[:, None, :]
    lengths = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0))
    longest = np.maximum(lengths[:, 2], 1e-100)
    return lengths[:, 0] / longest, lengths[:, 1] / longest


def _planes(graph: PatchGraph, tree: Dendrogram, nodes: Ints) -> Named:
    count = max(int(graph.planes.max(initial=-1)) + 1, 1)
    on = np.zeros((tree.leaves, count + 1))
    on[np.arange(tree.leaves), graph.planes] = graph.sizes  # the last: of none
    total = tree.sums(on)[nodes]
    voxels, on_planes = total.sum(1), total[:, :count]
    main = on_planes.argmax(1)
    whole = np.maximum(on.sum(0)[:count], 1)
    along = beyond(tree, graph.pairs, graph.planes, graph.contact, count + 1)[nodes]
    others = np.where(on_planes > 0.5 * voxels[:, None], 0, along[:, :count])
    return {
        "on_plane": on_planes.sum(1) / voxels,
        "plane_share": on_planes[np.arange(len(nodes)), main] / whole[main],
        "stands": others.max(1) / np.maximum(along.sum(1), 1e-9),
    }
