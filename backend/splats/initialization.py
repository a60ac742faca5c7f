"""First Gaussians: one a point, crowds thinned, as wide as its neighbours are far, flat where they
lie flat; scattered ones where there are no points.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ..formats import points_ply
from ..formats.capture import Capture
from ..formats.points_ply import Points
from ..gaussians.model import Gaussians
from ..geometry.spherical_harmonics import SH_C0, coefficient_count
from .config import TrainConfig
from .discs import discs
from .views import ViewSet

FEW_POINTS = 100
SCATTERED = 10_000
BISECTIONS = 24
PRIMES = np.array([73856093, 19349663, 83492791])
# of the splats that there may be; the rest is grown where the pictures ask for it
FIRST_SHARE = 0.9


def scatter(views: ViewSet, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Random points in a ball around the spot that the cameras look at."""
    rotation = torch.stack([v.viewmat[:3, :3] for v in views.full]).double().numpy()
    centers = -np.einsum(
        "nij,ni->nj", rotation, torch.stack([v.viewmat[:3, 3] for v in views.full]).double().numpy()
    )
    forward = rotation[:, 2]
    # the point nearest to all viewing rays: sum (I - d d^T) (x - c) = 0
    planes = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    target = np.linalg.lstsq(planes.sum(0), np.einsum("nij,nj->i", planes, centers), rcond=None)[0]
    radius = 0.5 * float(np.median(np.linalg.norm(centers - target, axis=1)))
    random = np.random.default_rng(seed)
    directions = random.standard_normal((SCATTERED, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = target + directions * radius * random.random((SCATTERED, 1)) ** (1 / 3)
    return points.astype(np.float32), random.integers(0, 256, (SCATTERED, 3)).astype(np.uint8)


def thin(points: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """At most `most` of the points (N, 3), as indices: one a cell of the finest grid that has no
    more cells with points in them. So lone points stay, and only crowds shrink, whatever mix of
    tracks and depth maps the points come from.
    """
    if len(points) <= most:
        return np.arange(len(points))
    offset = (points - points.min(0)).astype(np.float64)
    coarse = max(2 * float(offset.max()), 1e-9)
    chosen, fine = np.zeros(1, np.int64), 1e-9 * coarse
    for _ in range(BISECTIONS):
        side = math.sqrt(fine * coarse)  # points far away must not make the search coarse
        cell = (
            np.floor(offset / side).astype(np.int64) @ PRIMES
        )  # one number a cell; that two share one is rare and harmless
        first = np.unique(cell, return_index=True)[1]
        if len(first) > most:
            fine = side
        else:
            coarse, chosen = side, first
    return chosen


def neighbor_distance(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Root mean square distance (N,) to the three nearest other points."""
    distances = (
        KDTree(points)
        .query(points, k=min(4, len(points)), workers=-1)[0]
        .reshape(len(points), -1)[:, 1:]
    )
    return np.sqrt((distances**2).mean(1)) if distances.shape[1] else np.ones(len(points))


def _seen(points: NDArray[np.float32], views: ViewSet) -> NDArray[np.bool_]:
    """(N,) what lies in the pictures of two training views at least."""
    count = torch.zeros(len(points))
    for view in (views.full[i] for i in views.training):
        local = torch.from_numpy(points) @ view.viewmat[:3, :3].T + view.viewmat[:3, 3]
        ahead = local[:, 2] > 1e-6
        x, y = (local[:, i] / local[:, 2] * view.K[i, i] + view.K[i, 2] for i in (0, 1))
        count += ahead & (x >= 0) & (x < view.size[0]) & (y >= 0) & (y < view.size[1])
    return np.asarray(count >= 2)


def points_of(capture: Capture) -> Points:
    """A capture's points, where its cameras are."""
    if capture.points is None:
        return Points(np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8), "")
    return points_ply.read(capture.points, capture.reading.points_offset)


def initialise(
    found: Points, views: ViewSet, config: TrainConfig, seed: int, device: str
) -> Gaussians:
    """At most `config.max_splats` Gaussians, grey-free: they carry the points' colours."""
    points, colors = found.positions, found.colors
    if views.beyond:  # what only held-out pictures saw would tell of them
        kept = _seen(points, views)
        points, colors = points[kept], colors[kept]
    if len(points) < FEW_POINTS:
        points, colors = scatter(views, seed)
    chosen = thin(points, round(FIRST_SHARE * config.max_splats))
    points, colors = points[chosen], colors[chosen]
    width = neighbor_distance(points).clip(1e-4 * views.extent, 0.2 * views.extent)
    quats, shape = discs(points)
    count = len(points)
    logit = math.log(config.initial_opacity / (1 - config.initial_opacity))
    parts = {
        "means": torch.from_numpy(points),
        "quats": quats,
        "log_scales": torch.from_numpy(np.log(width)).float()[:, None] + shape.log(),
        "opacity_logits": torch.full((count,), logit),
        "sh0": ((torch.from_numpy(colors).float() / 255 - 0.5) / SH_C0)[:, None],
        "sh_rest": torch.zeros(count, coefficient_count(config.sh_degree) - 1, 3),
    }
    return Gaussians(
        **{name: p.to(device).contiguous().requires_grad_(True) for name, p in parts.items()}
    )
