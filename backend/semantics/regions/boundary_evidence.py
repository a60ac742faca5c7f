"""How likely a boundary runs between two patches of a surface, learned from rooms with exact masks.

The likelihood is a logistic function of ten figures. `make bench ROOM=boundary_fit` fits its
weights to rooms 0, 1 and 2: trained, ideal, and ideal ones of other furniture with patterns on
everything, so that a colour counts for less among many colours. By itself it would break
photographed things of many colours into parts, which rooms of plain furniture do not teach; rules
by themselves do not part things off any plane by their colours. Half of each does better than
either on these rooms, the one that is looked at left out of the fit: 91 % of the things of trained
ones are found, at a mean IoU of 77, against 79 and 69 by rules (ideal rooms 87 and 73 either way,
patterned ones 73 and 64).
"""

from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Doubles, Ints

NAMES = (
    "folds",  # 0..1 how sharply the surface folds inwards
    "leans",  # how far it bends inwards, negative: outwards
    "ends",  # 0 or 1: a plane ends there,
    "meets",  # another one begins there,
    "flat",  # it goes on
    "light",  # log of 1 + the difference of lightness, in CIELAB
    "hue",  # the same of the other two coordinates
    "colors",  # 0..1 the mean difference of colour around
    "edge",  # 0..1 an edge of the photographs
    "edges",  # 0..1 the mean edge around
)
# of the figures in that order, and of none
FITTED = (2.51, 0.45, 1.16, 2.6, -0.86, 1.23, 1.58, -4.1, 0.91, 0.86, -6.23)


@dataclass(frozen=True, kw_only=True)
class EvidenceConfig:
    """How figures become boundaries."""

    weights: tuple[float, ...] = FITTED
    ruled: float = 0.5  # share of the boundary by rule
    rounds: int = 3  # from patch to neighbour that `around` is
    step: float = 15.0  # difference of colour, in CIELAB, that counts as one


def likely(evidence: Doubles, ruled: Doubles, config: EvidenceConfig) -> Doubles:
    """(E,) boundaries 0..1 by evidence (E, 10), in the order of NAMES, and by rule (E,)."""
    weights = np.array(config.weights)
    learned = 1 / (1 + np.exp(-(evidence @ weights[:-1] + weights[-1])))
    return np.asarray(config.ruled * ruled + (1 - config.ruled) * learned)


def of_colors(
    colors: Doubles, edge: Doubles, touch: tuple[Ints, Doubles], config: EvidenceConfig
) -> list[Doubles]:
    """The last five figures (E,), of patches with mean colours (P, 3) in CIELAB that touch in pairs
    (E, 2), as much as (E,), where the photographs show edges (E,) of 0..1.
    """
    pairs, contact = touch
    apart = colors[pairs[:, 0]] - colors[pairs[:, 1]]
    light, hue = np.abs(apart[:, 0]), np.linalg.norm(apart[:, 1:], axis=1)
    far = 1 - np.exp(-np.square(apart).sum(1) / config.step**2)
    busy, edges = (_around(v, pairs, contact, len(colors), config.rounds) for v in (far, edge))
    return [np.log1p(light), np.log1p(hue), busy, edge, edges]


def _around(values: Doubles, pairs: Ints, contact: Doubles, count: int, rounds: int) -> Doubles:
    """(E,) the mean of values (E,) around the two of `count` patches that touch in pairs (E, 2), by
    their contact (E,): that of the patch around which it is greater.
    """
    a, b = pairs.T
    total, length = (
        np.bincount(a, w, count) + np.bincount(b, w, count) for w in (contact * values, contact)
    )
    for _ in range(rounds):
        total, length = (
            s + np.bincount(a, s[b], count) + np.bincount(b, s[a], count) for s in (total, length)
        )
    mean = total / np.maximum(length, 1e-9)
    return np.asarray(mean[pairs].max(1))
