"""The pieces that a scene falls into, without any network: as its pictures show them, or by the
splats' own places where too few pictures show the same.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..formats.splat_ply import SplatArrays
from ..gaussians.options import Drawables, options_for
from ..geometry.arrays import Flags, Floats
from .regions.proposals import propose
from .regions.superpixels import snapped
from .regions.surface_pieces import Pieces, find_pieces
from .view_features import drawn_regions
from .views import SemanticView

SURROUNDINGS = "surroundings"  # splats of a shell that stands for what is far, see splats/


def pieces_of(
    arrays: SplatArrays, gaussians: Drawables, rgb: Floats, views: Sequence[SemanticView]
) -> Pieces:
    """Pieces of splats with base colours (N, 3)."""
    shown = [(view.view, view.read_image()) for view in views]
    far = far_splats(arrays)
    pieces = find_pieces(gaussians, shown, options_for(arrays.notes), far=far)
    if pieces is None:
        labels = propose(arrays.means, rgb, gaussians.opacities.cpu().numpy())
        drawn = [drawn_regions(gaussians, view, labels)[0] for view, _ in shown]
        pictures = [snapped(d, image) for d, (_, image) in zip(drawn, shown, strict=True)]
        pieces = Pieces(
            labels=labels,
            nothing=np.zeros(len(labels), bool),
            pictures=pictures,
            count=int(labels.max(initial=-1)) + 1,
        )
    return replace(pieces, nothing=pieces.nothing | far)


def far_splats(arrays: SplatArrays) -> Flags:
    """(N,) the splats that the file marks as surroundings."""
    marked = arrays.extra.get(SURROUNDINGS)
    return np.zeros(len(arrays), bool) if marked is None else np.asarray(marked, np.float32) > 0
