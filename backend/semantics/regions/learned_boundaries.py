"""How likely a boundary runs between two patches of a surface: mostly learned from scenes with
exact masks, partly by rule.

Three small networks answer, of 25 figures of the two patches and of what lies around them.
`make bench ROOM=boundary_fit` fits them to rooms and other scenes, trained by the product, ideal,
and ideal ones whose splats were moved at random. By themselves they make of single trainings what
they have not seen, so a quarter of the answer stays a rule: on 24 scenes left out of the fit the
best groups of the tree of merges are things at a mean IoU of 83.4 so, 82.8 without the rule or with
0.4 of it, and 81.6 with half of it and a logistic function of the first ten figures alone, as
before (on a short path 70, 68, 64 and 59).

What they are fitted to must be as rough as what people film. Without ten scenes whose splats were
moved further, a filmed desk was rougher than all that they knew: its boundaries counted half as
much, and it fell into 9 things instead of 23.
"""

from collections.abc import Sequence

import numpy as np

from ...geometry.arrays import Doubles, Floats, Ints32
from .boundaries import PatchGraph
from .boundary_context import around
from .fused_surface import FusedSurface
from .perceptrons import Perceptrons, fitted

RULED = 0.25  # share of the boundary by rule
STRONG = 0.95  # share of all contact with less boundary than a scene's strong one,
STRENGTH = 0.6  # which counts so much: the rougher a scene, the less sure are its boundaries


def boundary_figures(
    surface: FusedSurface, graph: PatchGraph, own: Ints32, depths: Sequence[Floats]
) -> Doubles:
    """(E, 25) evidence and context, in the order of boundary_evidence.NAMES and
    boundary_context.NAMES. `own` (V,): the splats' own pieces, -1: none. `depths` (H, W): of the
    views that the surface was seen in.
    """
    return np.concatenate([graph.evidence, around(surface, graph, own, depths)], 1)


def likely_boundaries(
    graph: PatchGraph, figures: Doubles, networks: Perceptrons | None = None
) -> Doubles:
    """(E,) 0..1 of figures (E, 25)."""
    learned = (networks or fitted("boundaries")).likely(figures)
    return np.asarray(RULED * graph.boundary + (1 - RULED) * learned)


def evened(boundary: Doubles, contact: Doubles) -> Doubles:
    """(E,) boundaries of pairs that touch so much (E,), so that those of all scenes are alike
    strong.
    """
    if not len(boundary):
        return boundary
    order = np.argsort(boundary, kind="stable")
    below = np.cumsum(contact[order])
    strong = float(boundary[order[np.searchsorted(below, STRONG * below[-1])]])
    return np.asarray(np.minimum(boundary * STRENGTH / max(strong, 0.05), 1.0))
