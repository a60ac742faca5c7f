"""Large planes among Gaussians: floors, walls, table tops. RANSAC, one plane after the other
(Fischler and Bolles 1981).
"""

from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Floats, Ints32


@dataclass(frozen=True, kw_only=True)
class PlaneConfig:
    """Distances are in multiples of the typical distance between neighbours."""

    most: int = 6
    share: float = 0.1  # of all Gaussians that a plane must hold
    thickness: float = 0.5
    trials: int = 400
    sample: int = 5000  # Gaussians that a trial is scored on
    seed: int = 0


def _fit(points: Floats) -> tuple[Floats, float]:
    """Normal and offset of the best plane through points (M, 3), in the sense of least squares."""
    center = points.mean(0)
    normal = np.linalg.svd(points - center, full_matrices=False)[2][2]
    return normal, float(normal @ center)


def _best_trial(
    points: Floats, reach: float, config: PlaneConfig, random: np.random.Generator
) -> tuple[Floats, float]:
    """The plane through three of the points that comes close to most of them."""
    few = points[random.choice(len(points), min(config.sample, len(points)), replace=False)]
    corners = few[random.integers(len(few), size=(config.trials, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, length, out=np.zeros_like(normals), where=length > 1e-12)
    offsets = (normals * corners[:, 0]).sum(1)
    near = np.abs(few @ normals.T - offsets) < reach
    scores = np.where(length[:, 0] > 1e-12, near.sum(0), 0)
    best = int(scores.argmax())
    return normals[best], float(offsets[best])


def find_planes(means: Floats, spacing: float, config: PlaneConfig = PlaneConfig()) -> Ints32:
    """(N,) the plane that each Gaussian lies on, the largest first; -1: none."""
    random = np.random.default_rng(config.seed)
    labels = np.full(len(means), -1, np.int32)
    reach = config.thickness * spacing
    for plane in range(config.most):
        left = np.flatnonzero(labels < 0)
        if len(left) < max(3, config.share * len(means)):
            break
        normal, offset = _best_trial(means[left], reach, config, random)
        for _ in range(3):
            near = left[np.abs(means[left] @ normal - offset) < reach]
            if len(near) < 3:
                break
            normal, offset = _fit(means[near])
        near = left[np.abs(means[left] @ normal - offset) < reach]
        if len(near) < config.share * len(means):
            break
        labels[near] = plane
    return labels
