"""What one view says: how much of each of its regions each Gaussian makes up, and what the teacher
saw in each region.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from ...gaussians.options import Drawables, RasterView
from ...gaussians.region_weights import region_weights
from ...geometry.arrays import Floats, Ints32
from ...geometry.sparse_rows import largest_of_each, sums


@dataclass(frozen=True)
class ViewRegions:
    """R regions of one picture, seen through N Gaussians."""

    weights: csr_matrix  # (N, R) blending weights, summed over each region's pixels
    features: Floats  # (R, D) of length 1


def main_regions(weights: csr_matrix, share: float = 0.55, least: float = 0.15) -> Ints32:
    """(N,) of weights (N, R): the region that most of a Gaussian lies in; -1 where it is hardly
    seen or on an edge.
    """
    if not weights.shape[1]:
        return np.full(weights.shape[0], -1, np.int32)
    total = sums(weights)
    best, most = largest_of_each(weights)
    return np.where((total > least) & (most > share * total), best, -1).astype(np.int32)


def weigh(
    gaussians: Drawables, view: RasterView, regions: Ints32, features: Floats, finer: int = 3
) -> ViewRegions:
    """The regions (H, W) of a picture as Gaussians make them up.

    Drawn `finer` times as large as the picture: a Gaussian is blurred by a good part of a pixel,
    and along outlines that blur would count it to what lies behind. On rooms with exact masks 3
    leaves half as many Gaussians astray as 1.
    """
    K = view.K.clone()
    K[:2] *= finer
    large = replace(view, K=K, width=view.width * finer, height=view.height * finer)
    return ViewRegions(
        region_weights(
            gaussians, large, np.kron(regions, np.ones((finer, finer), np.int32)), len(features)
        ),
        features,
    )
