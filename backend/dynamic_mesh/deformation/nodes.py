"""Sparse nodes on a template, and how vertices hang on them (Sumner et al. 2007), by distances
along the surface: legs that stand close to each other stay apart.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csgraph
from torch import Tensor

from ..surfaces.surface import Surface, adjacency

FAR = 1e3


@dataclass(frozen=True, kw_only=True)
class NodeGraph:
    """N nodes. `skin` and `weights` tie each vertex to a few, `neighbours` each node to L others,
    its nearest at least.
    """

    rest: Tensor  # (N, 3)
    skin: Tensor  # (V, 4) int64
    weights: Tensor  # (V, 4), rows sum to 1
    neighbors: Tensor  # (N, L) int64
    stiffness: Tensor  # (N, L) how much each of these counts, about 1

    def to(self, device: torch.device) -> "NodeGraph":
        """The same graph on another device."""
        return NodeGraph(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def _lengths(surface: Surface) -> NDArray[np.float64]:
    edges = surface.edges
    return np.asarray(
        np.linalg.norm(surface.vertices[edges[:, 0]] - surface.vertices[edges[:, 1]], axis=1),
        np.float64,
    )


def spread(surface: Surface, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """`count` vertices, each as far as can be from those before it, and the way (count, V) from
    them to every vertex.
    """
    graph = adjacency(len(surface.vertices), surface.edges, np.maximum(_lengths(surface), 1e-9))
    chosen, distances = [int(np.argmax(surface.vertices[:, 2]))], []
    nearest = np.full(len(surface.vertices), np.inf)
    while True:
        way = csgraph.dijkstra(graph, indices=chosen[-1])
        air = np.linalg.norm(surface.vertices - surface.vertices[chosen[-1]], axis=1)
        distances.append(
            np.where(np.isfinite(way), way, FAR + air)
        )  # other parts of the object: through the air, but last
        nearest = np.minimum(nearest, distances[-1])
        if len(chosen) >= min(count, len(surface.vertices)):
            return np.array(chosen), np.stack(distances)
        chosen.append(int(nearest.argmax()))


def build(surface: Surface, count: int) -> NodeGraph:
    """Nodes spread evenly over a surface."""
    chosen, distances = spread(surface, count)
    return _graph(
        torch.from_numpy(surface.vertices[chosen]),
        torch.from_numpy(distances.T).float(),
        torch.from_numpy(distances[:, chosen]).float(),
    )


def from_points(points: Tensor, count: int) -> NodeGraph:
    """Nodes spread evenly over points (P, 3) in space, tied through the air."""
    chosen, nearest = [0], (points - points[0]).square().sum(1)
    while len(chosen) < min(count, len(points)):
        chosen.append(int(nearest.argmax()))
        nearest = torch.minimum(nearest, (points - points[chosen[-1]]).square().sum(1))
    rest = points[chosen].detach().clone()
    return _graph(rest, torch.cdist(points.detach(), rest), torch.cdist(rest, rest))


def _graph(rest: Tensor, way: Tensor, between: Tensor) -> NodeGraph:
    """From distances (P, N) to what hangs on the nodes and (N, N) between them; weights fall off
    smoothly to the fifth nearest node (Sumner et al. 2007, eq. 3).
    """
    influences = min(4, len(rest))
    near, skin = way.topk(min(influences + 1, len(rest)), largest=False)
    weights = (1 - near[:, :influences] / near[:, -1:].clamp_min(1e-9)).clamp_min(0) ** 2 + 1e-6
    weights = torch.where(near[:, :influences] < FAR / 2, weights, 0)
    weights[:, 0] += 1e-6
    close, neighbors = between.topk(min(7, len(rest)), largest=False)
    stiffness = stiffness_of(close[:, 1:], close[:, 1:].median())
    return NodeGraph(
        rest=rest,
        skin=skin[:, :influences],
        weights=weights / weights.sum(1, keepdim=True),
        neighbors=neighbors[:, 1:],
        stiffness=stiffness,
    )


def stiffness_of(lengths: Tensor, usual: Tensor) -> Tensor:
    """Of links: the longer the less."""
    return 1 / (lengths / usual.clamp_min(1e-9)).clamp_min(0.3)
