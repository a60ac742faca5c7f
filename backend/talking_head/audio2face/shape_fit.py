"""Weights of a face's shapes that explain its mesh best: bounded least squares, all frames at once.

What is minimised is what NVIDIA's SDK publishes (BlendshapeSolverBase::Prepare): with D the shapes'
deltas, s the squared ratio of the mesh's size to the one that the strengths are for,

  A = D'D + l1² s/4 11' + 10 s l2 I + 100 s temporal I + 10 s symmetry P'P,
  b = D'(face - neutral) + s temporal x(frame before),     x = argmin x'Ax/2 - b'x, 0 <= x <= 1.

How it is minimised is our own: cyclic coordinate descent, which ends at the minimum of such a
convex problem (Luo and Tseng 1992), each coordinate for all frames in one step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Doubles
from .settings import FitSettings

SWEEPS, ENOUGH = 4000, 1e-7  # at most; of a weight, the last change
SHUT = 1e-10  # the most of a shape whose opposite is stronger


@dataclass(frozen=True, kw_only=True)
class ShapeFit:
    """Everything about K shapes, of P poses, that does not change over time."""

    names: tuple[str, ...]  # of the poses
    active: NDArray[np.int64]  # (K,) which of the poses are shapes here
    normal: Doubles  # (K, K) A
    pull: float  # of the frame before
    opposed: tuple[tuple[int, int], ...]  # of the K
    gains: Doubles  # (P,)
    offsets: Doubles  # (P,)


def prepare(
    names: tuple[str, ...], deltas: Doubles, diagonal: float, settings: FitSettings
) -> ShapeFit:
    """Of deltas (K, 3M) of the active poses; `diagonal` is that of the box around the neutral."""
    active = np.flatnonzero(settings.active)
    scale = (diagonal / settings.diagonal) ** 2
    count = len(active)
    pairs = np.zeros((0, count))
    for a, b in _pairs(settings.symmetric, active):
        pairs = np.vstack([pairs, np.eye(count)[a] - np.eye(count)[b]])
    normal = (
        deltas @ deltas.T
        + settings.l1**2 * 0.25 * scale * np.ones((count, count))
        + (10 * settings.l2 + 100 * settings.temporal) * scale * np.eye(count)
        + 10 * settings.symmetry * scale * pairs.T @ pairs
    )
    return ShapeFit(
        names=names,
        active=active,
        normal=normal,
        pull=settings.temporal * scale,
        opposed=_pairs(settings.opposed, active),
        gains=np.array(settings.gains),
        offsets=np.array(settings.offsets),
    )


def _pairs(numbers: tuple[int, ...], active: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """Places among the active whose numbers are the same, two and no more; -1 is in no pair."""
    places: dict[int, list[int]] = {}
    for place, pose in enumerate(active.tolist()):
        places.setdefault(numbers[pose], []).append(place)
    return tuple((p[0], p[1]) for n, p in places.items() if n != -1 and len(p) == 2)


def weights(fit: ShapeFit, sides: Doubles) -> Doubles:
    """(T, P) in 0..1, of right-hand sides D'(face - neutral) (T, K)."""
    most = np.ones_like(sides.T)
    x = _descend(fit, sides.T, most, np.zeros_like(most))
    if fit.opposed:  # the weaker of two that exclude each other rests
        for a, b in fit.opposed:
            stronger = x[a] >= x[b]
            most[a][~stronger], most[b][stronger] = SHUT, SHUT
        x = _descend(fit, sides.T, most, np.minimum(x, most))
    poses = np.zeros((len(sides), len(fit.names)))
    poses[:, fit.active] = x.T
    return np.asarray((poses * fit.gains + fit.offsets).clip(0, 1))


def _descend(fit: ShapeFit, sides: Doubles, most: Doubles, start: Doubles) -> Doubles:
    """(K, T) from sides (K, T), at most `most` (K, T)."""
    x, normal = start.copy(), fit.normal
    for _ in range(SWEEPS):
        moved = 0.0
        for place, row in enumerate(normal):
            before = np.concatenate([[0.0], x[place, :-1]])
            rest = sides[place] + fit.pull * before - row @ x
            new = (x[place] + rest / row[place]).clip(0, most[place])
            moved = max(moved, float(np.abs(new - x[place]).max(initial=0)))
            x[place] = new
        if moved < ENOUGH:
            break
    return x
