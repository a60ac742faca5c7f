"""The focal length by softmin over candidates (paper, section 4.1): each is judged by how well its
poses explain motion.

The paper looks at the first pair of frames only; pairs far apart, joined by tracks, tell focal
lengths apart much better.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .camera_math import procrustes, project, sample, unproject


@dataclass(frozen=True, kw_only=True)
class SoftminConfig:
    """Candidates run geometrically from very wide to tele, in units of sqrt(height * width)."""

    least: float = 0.3
    most: float = 4.0
    candidates: int = 24
    temperature: float = 10.0
    pairs: int = 8
    enough: int = 16  # tracks that two frames must share


def wide_pairs(
    seen: Tensor, count: int, enough: int, generator: torch.Generator
) -> list[tuple[int, int]]:
    """Up to `count` random pairs of frames, a third of the window or more apart where tracks last
    that long.
    """
    n = len(seen)
    shared = (seen.float() @ seen.float().T).cpu()
    for gap in (n // 2, n // 3, n // 5, 1):
        pairs = [
            (i, j) for i in range(n) for j in range(i + max(gap, 1), n) if shared[i, j] >= enough
        ]
        if len(pairs) >= min(count, 3):
            return [
                pairs[k] for k in torch.randperm(len(pairs), generator=generator)[:count].tolist()
            ]
    return []


@torch.no_grad()
def softmin_focal(
    log_depth: Tensor,
    xy: Tensor,
    seen: Tensor,
    aspect: Tensor,
    config: SoftminConfig,
    generator: torch.Generator,
) -> Tensor | None:
    """The mean of the candidates under softmin of their error; None where no frames share enough
    tracks.

    log_depth (n, h, w), track points xy (n, m, 2), seen (n, m).
    """
    pairs = wide_pairs(seen, config.pairs, config.enough, generator)
    if not pairs:
        return None
    depth = sample(log_depth[:, None], xy)[:, 0].exp()
    low, high = math.log10(config.least), math.log10(config.most)
    focals = torch.logspace(low, high, config.candidates, device=xy.device)
    first, second = torch.tensor(pairs, device=xy.device).unbind(1)
    weights = (seen[first] & seen[second]).float().expand(config.candidates, -1, -1)
    f = focals[:, None, None]
    source = unproject(xy[second], depth[second].expand(config.candidates, -1, -1), f, aspect)
    target = unproject(xy[first], depth[first].expand(config.candidates, -1, -1), f, aspect)
    rotation, translation = procrustes(source, target, weights)
    there = project(source @ rotation.transpose(-1, -2) + translation[..., None, :], f, aspect)
    miss = ((there - xy[first]) * aspect).norm(dim=-1).clamp(max=0.1)
    error = (miss * weights).sum((1, 2)) / weights.sum((1, 2)) * 1000
    share = torch.softmax(
        -(error - error.min()) * config.temperature / error.min().clamp(min=1.0), 0
    )
    return (share * focals.log()).sum().exp()
