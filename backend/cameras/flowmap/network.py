"""The depth network, trained on the clip itself: a small U-Net that sees the picture, where it is,
and how it flows.
"""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .camera_math import grid_xy, sample

LIMIT = 4.0  # log depth stays within a factor of e^4 of 1


@dataclass(frozen=True)
class NetworkConfig:
    """Channels from the finest to the coarsest level; the flow is what lets an untrained network
    find depth quickly.
    """

    channels: tuple[int, ...] = (24, 32, 48, 64)
    inputs: int = 9  # rgb, xy, flow there and back


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1), nn.GroupNorm(4, outputs), nn.SiLU()
    )


class DepthModel(nn.Module):
    """Frames (b, inputs, h, w) -> log depth (b, h, w) and features (b, c, h / 2, w / 2), and the
    trust drawn from these.
    """

    weigh: nn.Module

    def weights(self, features: Tensor, earlier_xy: Tensor) -> Tensor:
        """(b - 1, h, w) trust in the flow from frame i + 1 back to xy (b - 1, h, w, 2) of frame i
        (paper, section 4.3).
        """
        pairs, height, width = earlier_xy.shape[:3]
        earlier = sample(features[:-1], earlier_xy.view(pairs, -1, 2)).transpose(1, 2)
        later = (
            nn.functional.interpolate(
                features[1:], (height, width), mode="bilinear", align_corners=False
            )
            .flatten(2)
            .transpose(1, 2)
        )
        out: Tensor = self.weigh(torch.cat([earlier, later], -1))[..., 0].sigmoid().clamp(min=1e-4)
        return out.view(pairs, height, width)


class DepthNetwork(DepthModel):
    """A small U-Net without any training beforehand."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c = config.channels
        self.down = nn.ModuleList(
            [_block(config.inputs, c[0], 2), *(_block(a, b, 2) for a, b in itertools.pairwise(c))]
        )
        self.up = nn.ModuleList(
            [_block(b + a, a) for a, b in zip(c[-2::-1], c[:0:-1], strict=True)]
        )
        self.depth = nn.Conv2d(c[0], 1, 3, 1, 1)
        nn.init.normal_(self.depth.weight, 0, 1e-3)
        assert self.depth.bias is not None
        nn.init.zeros_(self.depth.bias)
        self.weigh = nn.Sequential(nn.Linear(2 * c[0], 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 9, h, w) inputs to log depth (n, h, w), and features of every pixel."""
        levels, x = [], frames
        for block in self.down:
            x = block(x)
            levels.append(x)
        for block, skip in zip(self.up, levels[-2::-1], strict=True):
            x = nn.functional.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([x, skip], 1))
        log_depth = nn.functional.interpolate(
            self.depth(x), frames.shape[-2:], mode="bilinear", align_corners=False
        )
        return log_depth[:, 0].clamp(-LIMIT, LIMIT), x


def network_input(video: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """(n, 9, h, w) of pictures (n, 3, h, w) in 0..1 and flows (n - 1, h, w, 2); the ends of the
    clip repeat their only flow.
    """
    count, _, height, width = video.shape
    scale = torch.cat([forward, backward]).abs().mean().clamp(min=1e-6) * 2
    there = torch.cat([forward, -backward[-1:]]).permute(0, 3, 1, 2) / scale
    back = torch.cat([-forward[:1], backward]).permute(0, 3, 1, 2) / scale
    xy = (grid_xy(height, width, video.device) * 2 - 1).permute(2, 0, 1).expand(count, -1, -1, -1)
    return torch.cat([video * 2 - 1, xy, there.clamp(-8, 8), back.clamp(-8, 8)], 1)
