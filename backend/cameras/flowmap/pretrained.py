"""FlowMap as in the paper: flow, tracks and depth from pretrained networks, given as TorchScript
files.

No weights come with the project. A file holds a scripted or traced network with the interface of
the paper's own:
  flow     RAFT:      (b, 3, H, W), (b, 3, H, W) in -1..1 -> (b, 2, H, W) pixels, or a list of which
           the last counts
  depth    MiDaS:     (b, 3, H, W) with ImageNet's mean and deviation taken out -> (b, H, W) inverse
           depth
  tracker  CoTracker: (1, t, 3, H, W) in 0..255, queries (1, m, 3) of (frame, x, y) -> (1, t, m, 2),
           (1, t, m) visible
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...media.tracks.tracks import Tracks, make, merge
from ...runtime.torch_script import load_script
from .clip import FlowMapClip
from .fit import FlowMapConfig
from .network import DepthModel, DepthNetwork, NetworkConfig

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PAPER = FlowMapConfig(
    steps=2000,
    rate=3e-5,
    focal_rate=3e-5,
    tracks_from=50,
    softmin=(0.0, 0.5),
    mirror_at=0.0,
    procrustes_points=1000,
)


@dataclass(frozen=True, kw_only=True)
class PretrainedConfig:
    """The paper's numbers: section 5 and its supplement."""

    pixels: int = 43_200
    query_every: int = 5  # frames
    reach: int = 20  # frames to either side that a query is followed
    grid: int = 35  # queries a side
    same_color: float = 0.2  # by which a track's colour may leave its query's


@dataclass(frozen=True)
class Pretrained:
    """The networks that were given."""

    flow: nn.Module | None = None
    depth: nn.Module | None = None
    tracker: nn.Module | None = None
    device: str = "cpu"


def load(path: str, device: str, trusted: bool) -> nn.Module | None:
    """The network in a TorchScript file that is trusted, None for no path. InputError for anything
    else.
    """
    return load_script(Path(path), trusted, device) if path else None


def _flows(network: nn.Module, video: Tensor, there: Tensor) -> Tensor:
    """(n - 1, h, w, 2) shares of the picture, from frames `video` to frames `there`, pair by
    pair.
    """
    fields = []
    with torch.no_grad():
        for first, second in zip(video.split(8), there.split(8), strict=True):
            out = network(first * 2 - 1, second * 2 - 1)
            fields.append((out[-1] if isinstance(out, (list, tuple)) else out).permute(0, 2, 3, 1))
    size = torch.tensor([video.shape[3], video.shape[2]], device=video.device)
    return torch.cat(fields) / size


def _photometric(video: Tensor, there: Tensor, flow: Tensor) -> Tensor:
    """(n - 1, h, w) the paper's trust: (1 - largest difference of a colour channel) to the power of
    8.
    """
    from .camera_math import grid_xy

    height, width = flow.shape[1:3]
    xy = grid_xy(height, width, flow.device) + flow
    seen = nn.functional.grid_sample(there, xy * 2 - 1, align_corners=False, padding_mode="zeros")
    return (1 - (seen - video).abs().amax(1)).clamp(0, 1) ** 8


def with_flow(clip: FlowMapClip, network: nn.Module) -> FlowMapClip:
    """The clip with this network's flow in place of the classical one."""
    before, after = clip.video[:-1], clip.video[1:]
    forward, backward = _flows(network, before, after), _flows(network, after, before)
    return FlowMapClip(
        video=clip.video,
        forward=forward,
        backward=backward,
        forward_trust=_photometric(before, after, forward),
        backward_trust=_photometric(after, before, backward),
        tracks=clip.tracks,
    )


def _queries(frame: int, grid: int, height: int, width: int) -> Tensor:
    y, x = torch.meshgrid(torch.arange(grid) + 0.5, torch.arange(grid) + 0.5, indexing="ij")
    xy = torch.stack([x * width / grid, y * height / grid], -1).view(-1, 2)
    return torch.cat([torch.full((len(xy), 1), float(frame)), xy], 1)[None]


def _segment(network: nn.Module, video: Tensor, middle: int, config: PretrainedConfig) -> Tracks:
    """Tracks of a grid of queries in one frame, as far as they are visible and keep their
    colour.
    """
    first, last = max(0, middle - config.reach), min(len(video), middle + config.reach + 1)
    frames, (height, width) = video[first:last], video.shape[2:]
    queries = _queries(middle - first, config.grid, height, width).to(video.device)
    with torch.no_grad():
        xy, visible = network(frames[None] * 255, queries)
    share = xy[0] / torch.tensor([width, height], device=video.device)
    color = nn.functional.grid_sample(frames, share[:, :, None] * 2 - 1, align_corners=False)[
        ..., 0
    ]
    alike = (color - color[middle - first]).abs().amax(1) < config.same_color
    good = (visible[0] > 0.5) & alike & (share > 0).all(-1) & (share < 1).all(-1)
    frame, point = torch.nonzero(good, as_tuple=True)
    tracks = make(
        (frame + first).cpu().numpy(),
        point.cpu().numpy(),
        share[frame, point].double().cpu().numpy(),
    )
    return tracks.keep(np.ones(len(tracks.frame), bool), 2)


def with_tracks(clip: FlowMapClip, network: nn.Module, config: PretrainedConfig) -> FlowMapClip:
    """The clip with this network's tracks."""
    segments = [
        _segment(network, clip.video, middle, config)
        for middle in range(0, clip.frames, config.query_every)
    ]
    return replace(clip, tracks=merge(segments))


class PretrainedDepth(DepthModel):
    """A given network's depth, trained on; what weighs correspondences is our own small network on
    the same pictures.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, config: NetworkConfig) -> None:
        super().__init__()
        self.network, self.helper = network, DepthNetwork(config)
        self.weigh = self.helper.weigh
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None])

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 9, h, w) inputs to the network's log depth (n, h, w), and the helper's features."""
        _, features = self.helper(frames)
        images = ((frames[:, :3] + 1) / 2 - self.mean) / self.deviation
        inverse = self.network(images)
        inverse = inverse[:, 0] if inverse.dim() == 4 else inverse
        return (1e3 / (inverse.clamp(min=0) + 0.1)).log(), features
