"""How brightly each picture was exposed, before anything is trained: from the colours of places
that several pictures are known to show.

Left to training, a drift along the path is explained by colours that depend on where one looks
from, which go astray where nobody filmed. (Table of `splats_away`, seed 7: half way, trained gains
were off by 15 to 19 %.)
"""

import numpy as np
import torch
from torch import Tensor

from .known_depth import KnownDepth, KnownDepthConfig, color_at, points_of
from .views import TrainingView

LEAST_SHARED = 200  # pixels that two pictures must share for their brightness to be compared
MOST_SHARED = 5000  # that are compared
APART = (1, 2, 4, 8, 16)  # places in the sequence of pictures
DARK, BRIGHT = 6.0, 249.0  # of 255: what lies outside is drowned or burnt out
SAME = KnownDepthConfig().tolerance
FREE = 1e-6  # what holds pictures that share nothing with others at 0


def exposure_spread(known: list[KnownDepth]) -> float:
    """How much the brightness of the same places differs between neighbouring pictures: the upper
    quartile of |log ratio|, each the median over what two of them share; 0 where nothing is known.
    """
    pairs = zip(known, known[1:] + known[:1], strict=True)
    ratios = [_log_ratio(one, other, _some_points(one)) for one, other in pairs]
    levels = [abs(float(r.mean())) for r in ratios if r is not None]
    return float(np.quantile(levels, 0.75)) if levels else 0.0


def log_gains(views: list[TrainingView], known: list[KnownDepth]) -> Tensor:
    """(V, 3) logarithms of the views' gains, of mean 0: what fits the ratios between pictures near
    each other and far from each other best. 0 where nothing is known.
    """
    count = len(known)
    normal, right = FREE * torch.eye(count, dtype=torch.float64), torch.zeros(count, 3).double()
    for i, one in enumerate(known):
        points = _some_points(one)
        for j in (i + apart for apart in APART if i + apart < count):
            ratio = _log_ratio(one, known[j], points)
            if ratio is not None:
                normal[[i, j], [i, j]] += 1
                normal[[i, j], [j, i]] -= 1
                right[i] += ratio
                right[j] -= ratio
    solved = torch.linalg.solve(normal, right).float()
    index = {id(view): i for i, view in enumerate(views)}
    gains = torch.zeros(len(views), 3)
    gains[[index[id(one.view)] for one in known]] = solved
    return gains


def _some_points(one: KnownDepth) -> Tensor:
    """(N, 3) that are known, spread evenly."""
    points = points_of(one.view, one.depth)[(one.depth > 0).flatten()]
    return points[:: max(1, len(points) // MOST_SHARED)]


def _log_ratio(one: KnownDepth, other: KnownDepth, points: Tensor) -> Tensor | None:
    """(3,) median log ratio of the colours of what both pictures show of points (N, 3) of the one,
    or None for too little.
    """
    own, there = other.at(points)
    shared = points[(there > 0) & ((own - there).abs() < SAME * there)]
    (first, counts), (second, also) = (color_at(v, shared) for v in (one.view, other.view))
    both = torch.cat([first, second], 1)
    counts = counts & also & (both.amin(1) > DARK) & (both.amax(1) < BRIGHT)
    if int(counts.sum()) < LEAST_SHARED:
        return None
    return (first[counts] / second[counts]).log().median(0).values
