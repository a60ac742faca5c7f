"""The splats' own pieces, by their places and colours alone, as one more voice in where a surface
is parted. Splats that lie on what they show know its shape better than any picture; those of a
training lie all about it. So they are heard as far as their borders are where pictures and folds
see some.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

from ...gaussians.options import Drawables
from ...geometry.arrays import Doubles, Ints32
from ...geometry.sparse_rows import largest_of_each
from .boundaries import PatchGraph
from .fused_surface import FusedSurface
from .proposals import ProposalConfig, propose


@dataclass(frozen=True, kw_only=True)
class OwnConfig:
    """Chosen on room 0, ideal and trained."""

    proposals: ProposalConfig = field(default_factory=ProposalConfig)
    most: int = 200_000  # splats that are asked, evenly picked
    border: float = 0.25  # boundary by rule from which one is seen
    joins: float = 0.5  # as far as they are trusted to part; chosen on rooms 0 to 2, ideal ones


def own_pieces(
    gaussians: Drawables, surface: FusedSurface, config: OwnConfig = OwnConfig()
) -> Ints32:
    """(V,) the piece of the splat nearest to every voxel, -1: there are none."""
    step = max(1, -(-len(gaussians.means) // config.most))
    means, rgb, opacities = (
        values.detach().float().cpu().numpy()[::step]
        for values in (gaussians.means, gaussians.colors, gaussians.opacities)
    )
    if not len(means):
        return np.full(len(surface.points), -1, np.int32)
    pieces = propose(means, rgb, opacities, config.proposals)
    return np.asarray(pieces[KDTree(means).query(surface.points)[1]], np.int32)


def heard(
    graph: PatchGraph, likely: Doubles, own: Ints32, config: OwnConfig = OwnConfig()
) -> Doubles:
    """(E,) likely boundaries of a graph with what pieces (V,), -1: none, say to them. They are
    trusted by the length of their borders that is seen, from half of it on: so much they part what
    lies in two of them, and join what lies in one.
    """
    known = np.flatnonzero(own >= 0)
    if not len(known):
        return likely
    votes = csr_matrix(
        (np.ones(len(known), np.float32), (graph.patches[known], own[known])),
        shape=(len(graph.sizes), int(own.max()) + 1),
    )
    piece = largest_of_each(votes)[0][graph.pairs]
    told = (piece >= 0).all(1)
    parted = told & (piece[:, 0] != piece[:, 1])
    length = float(graph.contact[parted].sum())
    right = float(graph.contact[parted & (graph.boundary > config.border)].sum())
    trust = max(0.0, 2 * right / length - 1) if length else 0.0
    more = likely + (1 - likely) * trust
    less = likely * (1 - config.joins * trust)
    return np.asarray(np.where(parted, more, np.where(told, less, likely)))
