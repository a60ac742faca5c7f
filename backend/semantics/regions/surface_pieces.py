"""Pieces that a scene falls into, as the pictures show them: patches of the surface that views see,
merged where hardly anything parts them, into what is likeliest to be things.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import torch

from ...gaussians.options import Drawables, RasterOptions, RasterView
from ...gaussians.region_weights import region_weights
from ...geometry.arrays import Flags, Ints, Ints32, Pixels
from ...geometry.sparse_rows import largest_of_each, sums as row_sums
from .boundaries import (
    BoundaryConfig,
    PatchGraph,
    patch_graph,
    photo_colors,
    photo_edges,
)
from .fused_surface import FusedSurface, FusionConfig, fuse
from .learned_boundaries import boundary_figures, evened, likely_boundaries
from .merge_tree import PatchTree, merge_graph
from .own_pieces import OwnConfig, heard, own_pieces
from .rough_planes import RoughConfig, with_rough_parts
from .seen_surface import SeenConfig, SeenView, confirmed, floating, halved, see
from .superpixels import without_lines
from .surface_planes import SurfacePlaneConfig, find_surface_planes
from .wavy_planes import WavyConfig, continued
from .wholes import WholeConfig, find_wholes


@dataclass(frozen=True, kw_only=True)
class PieceConfig:
    """From splats to pieces."""

    seen: SeenConfig = field(default_factory=SeenConfig)
    fusion: FusionConfig = field(default_factory=FusionConfig)
    planes: SurfacePlaneConfig = field(default_factory=SurfacePlaneConfig)
    wavy: WavyConfig = field(default_factory=WavyConfig)
    rough: RoughConfig = field(default_factory=RoughConfig)
    boundaries: BoundaryConfig = field(default_factory=BoundaryConfig)
    own: OwnConfig = field(default_factory=OwnConfig)
    small: float = 30.0  # voxels; what is not larger is merged for less
    wholes: WholeConfig = field(default_factory=WholeConfig)
    smallest: int = 30  # voxels of a piece; smaller ones that touch nothing are none
    reach: int = 8  # pixels over which what is not seen well is of the piece beside it
    nothing: float = 0.8  # of what is seen of a Gaussian lies in no piece: it is of nothing


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """What a scene falls into."""

    labels: Ints32  # (N,) of the Gaussians, from 0, the largest first; -1: none
    nothing: Flags  # (N,) of no object: haze before the surface, and what is seen in no piece
    pictures: list[Ints32]  # (H, W) of every view, -1: none
    count: int
    tree: PatchTree | None = None  # how they would merge further, where that is known


def find_pieces(
    gaussians: Drawables,
    views: Sequence[tuple[RasterView, Pixels]],
    options: RasterOptions,
    config: PieceConfig = PieceConfig(),
    far: Flags | None = None,
) -> Pieces | None:
    """Pieces of the scene that views with their pictures (H, W, 3) show; None where they show no
    surface that two of them agree on. `far` (N,): surroundings, which are of nothing.
    """
    haze, seen = looked_at(gaussians, views, options, config.seen, far)
    surface = fuse(seen, config.fusion)
    if surface is None:
        return None
    own = own_pieces(without(gaussians, haze), surface, config.own)
    graph = piece_graph(surface, seen, config)
    depths = [view.depth for view in seen]
    likely = likely_boundaries(graph, boundary_figures(surface, graph, own, depths))
    boundary = evened(heard(graph, likely, own, config.own), graph.contact)
    tree = merge_graph(graph.sizes, graph.pairs, boundary, graph.contact, config.small, np.inf)
    groups = find_wholes(surface, graph, boundary, tree, depths, config.wholes)
    labels, count = _largest_first(groups[graph.patches], config.smallest)
    if not count:
        return None
    pictures = [
        grown(np.where(shown >= 0, labels[shown], -1).astype(np.int32), view, config.reach)
        for shown, view in zip(surface.maps, seen, strict=True)
    ]
    seen_in, outside = _of_gaussians(gaussians, views, pictures, count, options, config.nothing)
    number = np.full(len(groups), -1)
    number[graph.patches] = labels  # of the patches, all of whose voxels are of one piece
    return Pieces(
        labels=np.where(haze, -1, seen_in).astype(np.int32),
        nothing=haze | outside,
        pictures=pictures,
        count=count,
        tree=tree.of_groups(number, count),
    )


def looked_at(
    gaussians: Drawables,
    views: Sequence[tuple[RasterView, Pixels]],
    options: RasterOptions,
    config: SeenConfig = SeenConfig(),
    far: Flags | None = None,
) -> tuple[Flags, list[SeenView]]:
    """(N,) what is haze or `far`, and what views see of the rest, as far as others confirm it.
    (A tenth of a pixel that shows surroundings through a surface would move its mean depth by as
    much as it is away, and blur it so that it counted as none.)
    """
    haze = np.zeros(len(gaussians.means), bool) if far is None else far.copy()
    near = without(gaussians, haze)
    small = [see(near, *halved(*v), options, config) for v in views]
    haze[~haze] = floating(near, small, config)
    solid = without(gaussians, haze)
    return haze, confirmed([see(solid, *v, options, config) for v in views], config)


def piece_graph(
    surface: FusedSurface, seen: Sequence[SeenView], config: PieceConfig = PieceConfig()
) -> PatchGraph:
    """Patches of a surface that views see, and what is between them."""
    steps = photo_edges(surface, seen)
    flat = find_surface_planes(surface, config.planes)
    level = continued(surface, flat, steps, config.wavy)
    planes = with_rough_parts(surface, level, config.rough)
    return patch_graph(surface, planes, steps, photo_colors(surface, seen), config.boundaries)


def without(gaussians: Drawables, left_out: Flags) -> Drawables:
    kept = torch.from_numpy(~left_out).to(gaussians.means.device)
    fields = ("means", "quats", "scales", "opacities", "colors")
    return replace(gaussians, **{name: getattr(gaussians, name)[kept] for name in fields})


def _largest_first(labels: Ints32, smallest: int) -> tuple[Ints, int]:
    """Labels (V,) numbered by size, -1 for those that are too small, and how many there are."""
    sizes = np.bincount(labels)
    kept = np.flatnonzero(sizes >= smallest)
    number = np.full(len(sizes), -1)
    number[kept[np.argsort(-sizes[kept], kind="stable")]] = np.arange(len(kept))
    return number[labels], len(kept)


def grown(labels: Ints32, view: SeenView, reach: int) -> Ints32:
    """Pixels without a label go to those beside them, up to the edges of the picture, and borders
    move to such edges (a watershed of the picture, Meyer 1992). What is far from every label stays
    without.
    """
    kernel = np.ones((3, 3), np.uint8)
    shifted = (labels + 2).astype(np.float32)  # 1: none
    inner = cv2.erode(shifted, kernel) == cv2.dilate(shifted, kernel)
    known = labels >= 0
    far = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 3) > reach
    seeds = np.where(known & inner, labels + 2, np.where(far, 1, 0)).astype(np.int32)
    if not (seeds > 1).any():
        return labels
    flooded = np.asarray(cv2.watershed(np.ascontiguousarray(view.image), seeds), np.int32)
    return without_lines(flooded) - 2


def _of_gaussians(
    gaussians: Drawables,
    views: Sequence[tuple[RasterView, Pixels]],
    pictures: Sequence[Ints32],
    count: int,
    options: RasterOptions,
    nothing: float,
) -> tuple[Ints32, Flags]:
    """(N,) the piece that most of each Gaussian is seen in, -1: it is seen in none; and whether
    nearly all that is seen of it lies in none.
    """
    sums = region_weights(gaussians, views[0][0], pictures[0] + 1, count + 1, options)
    for (view, _), labels in zip(views[1:], pictures[1:], strict=True):
        sums = sums + region_weights(gaussians, view, labels + 1, count + 1, options)
    total, none = row_sums(sums), row_sums(sums[:, :1])
    outside = (total > 0) & (none >= nothing * total)
    best = largest_of_each(sums[:, 1:])[0]
    return np.where(outside, -1, best).astype(np.int32), outside
