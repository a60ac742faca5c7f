"""Gaussian-Mesh Anchoring (Liu et al. 2024): one Gaussian a face. Where many crowd on a face they are merged, where a face
has none one is born, and those far from every face are taken away.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor


@dataclass(frozen=True)
class AnchorConfig:
    """`radius`: in units of the box, beyond which a Gaussian belongs to no face; `most`: faces that are mended in one round, each way."""

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


def nearest(places: Tensor, targets: Tensor) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(N,) distances and indices of the nearest of `targets`."""
    away, index = KDTree(targets.detach().cpu().numpy()).query(places.detach().cpu().numpy())
    return np.asarray(away), np.asarray(index, np.int64)


def anchor(places: Tensor, vertices: Tensor, faces: Tensor, config: AnchorConfig, generator: torch.Generator) -> Anchoring:
    """From Gaussians' means (N, 3) and a mesh of the same moment."""
    away, owner = nearest(places, centroids(vertices, faces))
    kept = away <= config.radius
    if not kept.any():
        kept[:] = True  # the mesh says nothing about these Gaussians
    count = np.bincount(owner[kept], minlength=len(faces))
    crowded = _some(np.nonzero(count > 1)[0], config.most, generator)
    pairs = np.array([np.nonzero((owner == face) & kept)[0][:2] for face in crowded], np.int64).reshape(-1, 2)
    kept[pairs[:, 1]] = False
    births = _some(np.nonzero(count == 0)[0], config.most, generator)
    device = places.device
    return Anchoring(torch.from_numpy(kept).to(device), torch.from_numpy(pairs).to(device), torch.from_numpy(births).to(device))


def _some(values: NDArray[np.int64], most: int, generator: torch.Generator) -> NDArray[np.int64]:
    if len(values) <= most:
        return values
    return np.sort(values[torch.randperm(len(values), generator=generator)[:most].numpy()])


def anchor_loss(places: Tensor, vertices: Tensor, faces: Tensor) -> Tensor:
    """Mean squared distance of Gaussians from the centroid of their face: of those that have it for themselves."""
    middle = centroids(vertices, faces)
    _, owner = nearest(places, middle)
    alone = torch.from_numpy(np.bincount(owner, minlength=len(faces))[owner] == 1).to(places.device)
    index = torch.from_numpy(owner).to(places.device)
    return (places - middle[index])[alone].square().sum(1).sum() / alone.sum().clamp_min(1)
