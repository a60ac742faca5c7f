"""Gaussian-Mesh Anchoring (Liu et al. 2024): one Gaussian a face. Where many crowd on a face they
are merged, where a face has none one is born, and those far from every face are taken away.
"""

from dataclasses import dataclass

import torch
from scipy.spatial import KDTree
from torch import Tensor

AT_ONCE = 1 << 28  # distances that a CUDA device compares at a time: a gigabyte


@dataclass(frozen=True)
class AnchorConfig:
    """`radius`: in units of the box, beyond which a Gaussian belongs to no face; `most`: faces that
    are mended in one round, each way.
    """

    radius: float = 0.08
    most: int = 128


@dataclass(frozen=True)
class Anchoring:
    """What becomes of N Gaussians on F faces."""

    kept: Tensor  # (N,) bool
    merged: Tensor  # (M, 2) Gaussians that become one, the first of which stays in its place
    births: Tensor  # (B,) faces that get a Gaussian at their centroid


def centroids(vertices: Tensor, faces: Tensor) -> Tensor:
    """(F, 3)"""
    return vertices[faces].mean(1)


@torch.no_grad()
def nearest(places: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) distances and indices of the nearest of `targets`. On CUDA all are compared, by products
    of matrices: of two that are as near to a thousandth of the box, either may be taken.
    """
    if places.is_cuda:
        half = targets.square().sum(1) / 2
        index = torch.cat(
            [
                torch.addmm(half, p, targets.T, alpha=-1).argmin(1)
                for p in places.split(max(1, AT_ONCE // len(targets)))
            ]
        )
        return (places - targets[index]).norm(dim=1), index
    away, index = (
        torch.from_numpy(values) for values in KDTree(targets.numpy()).query(places.numpy())
    )
    return away, index


def anchor(
    places: Tensor,
    vertices: Tensor,
    faces: Tensor,
    config: AnchorConfig,
    generator: torch.Generator,
) -> Anchoring:
    """From Gaussians' means (N, 3) and a mesh of the same moment."""
    away, owner = nearest(places, centroids(vertices, faces))
    kept = away <= config.radius
    if not kept.any():
        kept[:] = True  # the mesh says nothing about these Gaussians
    count = owner[kept].bincount(minlength=len(faces))
    by_face = torch.where(kept, owner, len(faces)).argsort(stable=True)
    crowded = _some((count > 1).nonzero()[:, 0], config.most, generator)
    first = (count.cumsum(0) - count)[crowded]
    pairs = torch.stack([by_face[first], by_face[first + 1]], 1)
    kept[pairs[:, 1]] = False
    return Anchoring(kept, pairs, _some((count == 0).nonzero()[:, 0], config.most, generator))


def _some(values: Tensor, most: int, generator: torch.Generator) -> Tensor:
    if len(values) <= most:
        return values
    return values[
        torch.randperm(len(values), generator=generator)[:most].sort().values.to(values.device)
    ]


def anchor_loss(places: Tensor, vertices: Tensor, faces: Tensor) -> Tensor:
    """Mean squared distance of Gaussians from the centroid of their face: of those that have it for
    themselves.
    """
    middle = centroids(vertices, faces)
    _, owner = nearest(places, middle)
    alone = owner.bincount(minlength=len(faces))[owner] == 1
    return (places - middle[owner])[alone].square().sum(1).sum() / alone.sum().clamp_min(1)
