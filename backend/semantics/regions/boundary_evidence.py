"""What is known of the boundary between two patches of a surface: ten figures of their colours, the
fold between them, and the planes that they are on. How likely a boundary runs there is learned from
them and from what lies around, see boundary_context.py.
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


@dataclass(frozen=True, kw_only=True)
class EvidenceConfig:
    """Over what figures are taken."""

    rounds: int = 3  # from patch to neighbour that `around` is
    step: float = 15.0  # difference of colour, in CIELAB, that counts as one


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
