"""Coefficients of a rig's shapes for all frames at once: least squares within bounds, neighbours in
time held together.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

OPPOSED = (  # of one joint or muscle in both directions: no face does both at once
    ("jawLeft", "jawRight"),
    ("mouthLeft", "mouthRight"),
    ("eyeLookIn{}", "eyeLookOut{}"),
    ("eyeLookUp{}", "eyeLookDown{}"),
    ("eyeBlink{}", "eyeWide{}"),
    ("eyeSquint{}", "eyeWide{}"),
    ("mouthSmile{}", "mouthFrown{}"),
    ("mouthPucker", "mouthStretch{}"),
    ("mouthPress{}", "mouthLowerDown{}"),
    ("mouthRollLower", "mouthLowerDown{}"),
    ("mouthRollUpper", "mouthUpperUp{}"),
    ("mouthShrugLower", "mouthLowerDown{}"),
    ("browDown{}", "browOuterUp{}"),
    ("browDown{}", "browInnerUp"),
)


def opposed_pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Numbers of the coefficients that undo one another, of those that a rig has."""
    told = {
        tuple(name.format(side) for name in pair) for pair in OPPOSED for side in ("Left", "Right")
    }
    number = {name: k for k, name in enumerate(names)}
    return sorted(
        (number[first], number[second])
        for first, second in told
        if first in number and second in number
    )


def opposed(names: Sequence[str]) -> Tensor:
    """(K, K) ones where two coefficients undo one another: their product costs."""
    table = torch.zeros(len(names), len(names))
    for first, second in opposed_pairs(names):
        table[first, second] = table[second, first] = 1
    return table


def normal_equations(
    left: Tensor, jacobian: Tensor, shapes: Tensor, weights: Tensor, chunk: int = 100
) -> tuple[Tensor, Tensor]:
    """(T, K, K) and (T, K) of residuals left (T, N, 2), with how pixels move with the rig's points
    (T, N, 2, 3), of shapes (K, N, 3) and weights (N,). In parts, since T x K x N x 2 numbers would
    fill the memory.
    """
    squares, rights = [], []
    for first in range(0, len(left), chunk):
        moved = torch.einsum("tnij,knj->tkni", jacobian[first : first + chunk], shapes).flatten(2)
        weighted = moved * weights.repeat_interleave(2)
        squares.append(weighted @ moved.transpose(1, 2))
        rights.append(torch.einsum("tkm,tm->tk", weighted, left[first : first + chunk].flatten(1)))
    return torch.cat(squares), torch.cat(rights)


def solve_bounded(
    square: Tensor, right: Tensor, smooth: Tensor, lowest: Tensor, begin: Tensor, steps: int
) -> Tensor:
    """(T, K) that minimises sum_t c_t A_t c_t / 2 - b_t c_t + smooth (c_t - c_t-1)^2 / 2 with
    lowest <= c <= 1.

    Projected gradients with Nesterov's momentum (FISTA, Beck and Teboulle 2009). `smooth` (K,).
    """
    bound = torch.linalg.matrix_norm(square, 2).amax() + 4 * smooth.amax()
    now, before, momentum = begin, begin, 1.0
    for _ in range(steps):
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = now + (momentum - 1) / following * (now - before)
        gradient = (
            torch.einsum("tkl,tl->tk", square, ahead) - right + smooth * _second_difference(ahead)
        )
        before, now, momentum = (
            now,
            torch.minimum((ahead - gradient / bound).maximum(lowest), torch.ones_like(lowest)),
            following,
        )
    return now


def _second_difference(values: Tensor) -> Tensor:
    """(T, K) gradient of half the sum of squared steps."""
    steps = values.diff(dim=0)
    gradient = torch.zeros_like(values)
    gradient[1:] += steps
    gradient[:-1] -= steps
    return gradient
