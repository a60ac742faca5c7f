"""A template from Gaussians at rest: they start in the soft hull, nodes carry them, what the pictures do not show fades; where they are
dense is the object. Legs that silhouettes melt into one come apart, and parts that move much are found where they rest.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree
from torch import Tensor

from ...gaussians.rasterize import rasterize
from ...protocol import InputError
from ..moments import Moment
from ..tracked.motion import Motion, rigidity, skinned, speeds
from ..tracked.nodes import NodeGraph, from_points
from .hull import HullConfig, carve, cell_centers, share_inside
from .surface import Surface, decimate, largest_parts, level_set


@dataclass(frozen=True)
class CanonicalConfig:
    """Rates are Adam's; the others weigh the losses as in tracked/fit.py."""

    steps: int = 1500
    count: int = 6000
    nodes: int = 80
    inside: float = 0.55  # share of the pictures in which a place must be inside to get Gaussians
    nodes_from: float = 0.1  # of the steps: until then only the whole moves
    half_until: float = 0.5
    mean_rate: float = 1e-3
    scale_rate: float = 5e-3
    look_rate: float = 3e-2
    motion_rate: float = 2e-3
    mask: float = 5.0
    color: float = 10.0
    rigid: float = 1000.0
    slow: float = 0.1
    slow_whole: float = 0.3
    resolution: int = 80
    level: float = 0.5
    faces: int = 5000


@dataclass
class CanonicalGaussians:
    """N round Gaussians at rest and the nodes that carry them."""

    means: Tensor  # (N, 3)
    log_scales: Tensor  # (N,)
    opacity_logits: Tensor  # (N,)
    colors: Tensor  # (N, 3) before the sigmoid
    graph: NodeGraph
    motion: Motion


def _begin(moments: list[Moment], config: CanonicalConfig, hull: HullConfig, waves: int, generator: torch.Generator) -> CanonicalGaussians:
    share = share_inside(carve(moments, hull), hull)
    cells = cell_centers(hull)[torch.from_numpy(share.reshape(-1) > config.inside)]
    if len(cells) < 50:
        raise InputError(
            "No solid shape fits the object's outlines: the masks and the cameras contradict each other.",
            "Check that white is the object in every mask, and that the cameras are those of these pictures.",
        )
    cell = 2 * hull.reach / hull.resolution
    chosen = torch.randint(len(cells), (config.count,), generator=generator)
    means = cells[chosen] + (torch.rand(config.count, 3, generator=generator) - 0.5) * cell
    size = 0.6 * (len(cells) * cell**3 / config.count) ** (1 / 3)
    logs = torch.full((config.count,), float(np.log(size)))
    graph = from_points(means, config.nodes)
    logits, colors = torch.full((config.count,), 0.5), torch.zeros(config.count, 3)
    for leaf in (means, logs, logits, colors):
        leaf.requires_grad_(True)
    return CanonicalGaussians(means, logs, logits, colors, graph, Motion.still(len(graph.rest), waves))


def _step_loss(model: CanonicalGaussians, moment: Moment, coarse: bool, stiff: float, config: CanonicalConfig) -> Tensor:
    level = moment.levels[1 if coarse else 0]
    pose, scales = model.motion.at(moment.time), model.log_scales.exp()
    count = len(scales)
    drawn = rasterize(
        skinned(model.means, model.graph, pose), scales.new_tensor([1.0, 0, 0, 0]).expand(count, 4), scales[:, None].expand(count, 3),
        model.opacity_logits.sigmoid(), model.colors.sigmoid(), moment.viewmat[None], level.K[None], *level.size,
    )  # fmt: skip
    pixels = level.alpha.sum().clamp_min(1)
    of_nodes, of_whole = speeds(model.motion)
    return (
        config.mask * (drawn.alpha[0, ..., 0] - level.alpha).abs().sum() / pixels
        + config.color * (drawn.image[0] - level.color).abs().sum() / (3 * pixels)
        + config.rigid * stiff * rigidity(model.graph, pose)
        + config.slow * of_nodes + config.slow_whole * of_whole
    )  # fmt: skip


def train(
    moments: list[Moment], config: CanonicalConfig, waves: int, seed: int, progress: Callable[[int, int], None] = lambda step, total: None
) -> CanonicalGaussians:
    """Means, looks and motion from nothing but the footage."""
    generator = torch.Generator().manual_seed(seed)
    model = _begin(moments, config, HullConfig(), waves, generator)
    motion = model.motion
    groups = [
        ([model.means], config.mean_rate),
        ([model.log_scales], config.scale_rate),
        ([model.opacity_logits, model.colors], config.look_rate),
        ([motion.rotations, motion.translations], config.motion_rate),
        ([motion.whole_rotation, motion.whole_translation], config.motion_rate),
    ]
    optimizer = torch.optim.Adam([{"params": p, "lr": rate} for p, rate in groups], betas=(0.9, 0.99))
    for step in range(config.steps):
        share = step / config.steps
        decay = 1.0 if share < 0.6 else 0.1 ** ((share - 0.6) / 0.4)
        for index, (group, (_, rate)) in enumerate(zip(optimizer.param_groups, groups, strict=True)):
            group["lr"] = rate * decay if index != 3 or share >= config.nodes_from else 0.0
        moment = moments[int(torch.randint(len(moments), (1,), generator=generator))]
        loss = _step_loss(model, moment, share < config.half_until, 4.0 if share < 0.7 else 1.0, config)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        progress(step + 1, config.steps)
    return model


@torch.no_grad()
def density(model: CanonicalGaussians, resolution: int, reach: float) -> NDArray[np.float64]:
    """(R, R, R) how opaque space is at rest."""
    line = ((np.arange(resolution) + 0.5) / resolution * 2 - 1) * reach
    cells = np.stack(np.meshgrid(line, line, line, indexing="ij"), -1).reshape(-1, 3)
    opacities = model.opacity_logits.sigmoid().numpy()
    there = opacities > 0.05
    means, opacities = model.means.numpy()[there], opacities[there]
    scales = np.maximum(model.log_scales.exp().numpy()[there], 0.9 * reach / resolution)
    away, near = KDTree(means).query(cells, k=min(12, len(means)), distance_upper_bound=4 * float(scales.max()))
    near = np.minimum(near, len(means) - 1)
    covered = opacities[near] * np.exp(-0.5 * (np.where(np.isfinite(away), away, 1e3) / scales[near]) ** 2)
    return np.asarray((1 - np.prod(1 - covered.clip(0, 0.99), axis=1)).reshape([resolution] * 3))


def to_surface(model: CanonicalGaussians, config: CanonicalConfig, reach: float = HullConfig().reach) -> Surface:
    """The outer surface of the dense part, without hollows, which no picture shows; InputError where nothing is dense."""
    field = ndimage.gaussian_filter(density(model, config.resolution, reach), 0.7)
    solid = ndimage.binary_fill_holes(field > config.level)
    found = level_set(np.where(solid & (field <= config.level), config.level + 0.2, field), config.level, -reach, reach)
    if found is None or len(found.faces) < 20:
        raise InputError("The pictures do not agree on any solid object.", "Check the masks (white is the object) and the cameras.")
    return largest_parts(decimate(largest_parts(found), config.faces))
