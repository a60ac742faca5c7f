"""The camera-induced flow and how far it is from what was seen (paper, section 3: flow and tracks,
one robust norm).
"""

import torch
from torch import Tensor

from .camera_math import aspect_of, grid_xy, procrustes, project, sample, unproject
from .clip import Window


def robust_norm(offset: Tensor, aspect: Tensor, delta: float) -> Tensor:
    """Huber's loss of offsets (..., 2) in shares of the picture."""
    r = (offset * aspect).norm(dim=-1)
    return torch.where(r < delta, 0.5 * r * r / delta, r - 0.5 * delta)


def poses_from_depth(
    window: Window, log_depth: Tensor, weights: Tensor, focal: Tensor, points: int
) -> tuple[Tensor, Tensor]:
    """Steps (n - 1) that carry frame i + 1 into the axes of frame i, by Procrustes along the
    backward flow.
    """
    height, width = log_depth.shape[1:]
    device = log_depth.device
    aspect, xy = aspect_of(height, width, device), grid_xy(height, width, device).view(-1, 2)
    chosen = torch.linspace(0, height * width - 1, min(points, height * width)).long()
    steps = len(log_depth) - 1
    later_xy = xy[chosen].expand(steps, -1, -1)
    earlier_xy = later_xy + window.backward.reshape(steps, -1, 2)[:, chosen]
    depth = log_depth.exp()
    later = unproject(later_xy, depth[1:].reshape(steps, -1)[:, chosen], focal, aspect)
    earlier = unproject(earlier_xy, sample(depth[:-1, None], earlier_xy)[:, 0], focal, aspect)
    trust = (weights * window.backward_trust).reshape(steps, -1)[:, chosen]
    return procrustes(later, earlier, trust)


def flow_loss(
    window: Window,
    log_depth: Tensor,
    focal: Tensor,
    rotation: Tensor,
    translation: Tensor,
    delta: float,
) -> Tensor:
    """Mean over trusted pixels of flow there and back."""
    height, width = log_depth.shape[1:]
    aspect, xy = (
        aspect_of(height, width, log_depth.device),
        grid_xy(height, width, log_depth.device).view(1, -1, 2),
    )
    points = unproject(xy, log_depth.exp().flatten(1), focal, aspect)
    back = points[1:] @ rotation.transpose(-1, -2) + translation[:, None]
    there = (points[:-1] - translation[:, None]) @ rotation
    miss_back = robust_norm(
        project(back, focal, aspect) - xy - window.backward.flatten(1, 2), aspect, delta
    )
    miss_there = robust_norm(
        project(there, focal, aspect) - xy - window.forward.flatten(1, 2), aspect, delta
    )
    trusts = window.backward_trust.flatten(1), window.forward_trust.flatten(1)
    total = (miss_back * trusts[0]).sum() + (miss_there * trusts[1]).sum()
    return total / (trusts[0].sum() + trusts[1].sum()).clamp(min=1e-6)


def track_loss(
    window: Window, log_depth: Tensor, focal: Tensor, poses: Tensor, delta: float
) -> Tensor:
    """Every frame's track points, carried by their depth and the poses (n, 4, 4) into every other
    frame that sees them.
    """
    if not window.track_xy.shape[1]:
        return log_depth.new_zeros(())
    aspect = aspect_of(log_depth.shape[1], log_depth.shape[2], log_depth.device)
    depth = sample(log_depth[:, None], window.track_xy)[:, 0].exp()
    points = unproject(window.track_xy, depth, focal, aspect)
    world = points @ poses[:, :3, :3].transpose(1, 2) + poses[:, None, :3, 3]
    local = (world[:, None] - poses[None, :, None, :3, 3]) @ poses[
        None, :, :3, :3
    ]  # (from, to, m, 3)
    both = window.track_seen[:, None] & window.track_seen[None] & (local[..., 2].detach() > 1e-3)
    miss = robust_norm(project(local, focal, aspect) - window.track_xy[None], aspect, delta)
    return (miss * both).sum() / both.sum().clamp(min=1)
