"""Vertices in coordinates in which a gradient step moves a whole neighbourhood smoothly (Nicolet et
al. 2021, "Large Steps").
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
import torch
from scipy.sparse.linalg import splu
from torch import Tensor

from .surface import Surface, adjacency

MOST_INVERTED = 10_000  # vertices: 0.8 GB in double precision
Solver = Callable[[Tensor], Tensor]


class _Solve(torch.autograd.Function):
    """x = M^-1 u with a symmetric M: the gradient goes through the same solve."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, solve: Solver) -> Tensor:
        ctx.solve = solve
        return solve(u.detach())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.solve(grads[0]), None


def _solver(system: sparse.csc_matrix, device: str) -> Solver:
    """Factorised on the processor. On CUDA the inverse itself, for waiting for the processor takes
    longer than one large product; unless it is too large.
    """
    if torch.device(device).type == "cpu" or system.shape[0] > MOST_INVERTED:
        factors = splu(system)
        return lambda values: torch.from_numpy(factors.solve(values.cpu().double().numpy())).to(
            values
        )
    inverse = torch.linalg.inv(torch.from_numpy(system.toarray()).to(device)).float()
    return lambda values: inverse @ values


@dataclass
class SmoothVertices:
    """V vertices as (I + s L) v, L the graph Laplacian; `u` is what is trained."""

    u: Tensor  # (V, 3)
    solve: Solver

    def vertices(self) -> Tensor:
        """(V, 3)"""
        positions: Tensor = _Solve.apply(self.u, self.solve)
        return positions


def smooth_vertices(surface: Surface, strength: float, device: str = "cpu") -> SmoothVertices:
    """At the surface's own vertices."""
    count = len(surface.vertices)
    touching = adjacency(count, surface.edges)
    laplacian = sparse.diags(np.asarray(touching.sum(1)).ravel()) - touching
    system = (sparse.identity(count) + strength * laplacian).tocsc()
    u = (
        torch.from_numpy(system @ surface.vertices.astype(np.float64))
        .float()
        .to(device)
        .requires_grad_(True)
    )
    return SmoothVertices(u, _solver(system, device))


@dataclass(frozen=True)
class Umbrella:
    """The uniform Laplacian: how far each vertex is from the mean of its neighbours."""

    edges: Tensor  # (E, 2)
    degree: Tensor  # (V, 1)

    def __call__(self, vertices: Tensor) -> Tensor:
        """(V, 3)"""
        a, b = self.edges.unbind(1)
        total = torch.zeros_like(vertices).index_add(0, a, vertices[b]).index_add(0, b, vertices[a])
        return total / self.degree - vertices


def umbrella_of(edges: Tensor, vertices: int) -> Umbrella:
    """From edges (E, 2), each once."""
    degree = torch.bincount(edges.reshape(-1), minlength=vertices).clamp_min(1)
    return Umbrella(edges, degree[:, None].float())


def umbrella(surface: Surface, device: str = "cpu") -> Umbrella:
    """The uniform Laplacian of the surface: each of V vertices less the mean of its neighbours."""
    return umbrella_of(torch.from_numpy(surface.edges).to(device), len(surface.vertices))
