"""FlowMap with flow, tracks and depth from pretrained networks, given as ONNX models.

No weights come with the project. A model has the interface of the paper's own, at any size or at
one of its own, which pictures are then brought to:
  flow     RAFT:      (b, 3, H, W), (b, 3, H, W) in -1..1 -> (b, 2, H, W) pixels; of several outputs
           the last counts
  depth    MiDaS and Depth Anything: see networks/relative_depth.py
  tracker  CoTracker: (1, t, 3, H, W) in 0..255, queries (1, m, 3) of (frame, x, y) -> (1, t, m, 2),
           (1, t, m) visible
The paper trains its depth network on: here that stays as it is, and our own small network learns
what to correct.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...media.tracks.tracks import Tracks, make, merge
from ...networks import onnx_model
from ...networks.onnx_model import FLOATS, OnnxModel, Port, Wanted
from ...networks.relative_depth import RelativeDepth
from .camera_math import grid_xy
from .clip import FlowMapClip
from .fit import FlowMapConfig
from .network import DepthModel, DepthNetwork, NetworkConfig

AT_ONCE = 8  # frames
# with depth that is known from the start, near and far are never swapped
KNOWN_DEPTH = FlowMapConfig(mirror_at=0.0)
ANY = None


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
    """The models that were given."""

    flow: OnnxModel | None = None
    depth: RelativeDepth | None = None
    tracker: OnnxModel | None = None
    device: str = "cpu"  # of what torch computes


PICTURES = Wanted(shapes=((ANY, 3, ANY, ANY),))
TAKES = {
    "flow": ("a flow network", [PICTURES, PICTURES], [Wanted(shapes=((ANY, 2, ANY, ANY),))]),
    "track": (
        "a point tracker",
        [Wanted(shapes=((1, ANY, 3, ANY, ANY),)), Wanted(shapes=((1, ANY, 3),))],
        [
            Wanted(shapes=((1, ANY, ANY, 2),)),
            Wanted(kinds=(*FLOATS, "bool"), shapes=((1, ANY, ANY), (1, ANY, ANY, 1))),
        ],
    ),
}


def load(path: str, kind: Literal["flow", "track"], device: str) -> OnnxModel | None:
    """The model in a file, None for no path. InputError for what is none of that kind."""
    if not path:
        return None
    model = onnx_model.load(Path(path), device)
    what, inputs, outputs = TAKES[kind]
    if kind == "flow":  # RAFT gives every step of its refinement
        replace(model, outputs=model.outputs[-1:]).demand(what, inputs, outputs)
    else:
        model.demand(what, inputs, outputs)
    return model


def _size_of(port: Port, video: Tensor) -> tuple[int, int]:
    """(height, width) that pictures are brought to: the model's own where it has one."""
    height, width = port.shape[-2:]
    return height or video.shape[-2], width or video.shape[-1]


def _shown(video: Tensor, size: tuple[int, int]) -> Tensor:
    if video.shape[-2:] == size:
        return video
    return nn.functional.interpolate(video, size, mode="bilinear", align_corners=False)


def _run(model: OnnxModel, *tensors: Tensor) -> list[NDArray[Any]]:
    names = [port.name for port in model.inputs]
    arrays = {
        name: tensor.detach().cpu().numpy() for name, tensor in zip(names, tensors, strict=True)
    }
    return list(model.run(**arrays).values())


def _flows(model: OnnxModel, video: Tensor, there: Tensor) -> Tensor:
    """(n - 1, h, w, 2) shares of the picture, from frames `video` to frames `there`, pair by
    pair.
    """
    size, fields = _size_of(model.inputs[0], video), []
    at_once = model.inputs[0].shape[0] or AT_ONCE
    for first, second in zip(video.split(at_once), there.split(at_once), strict=True):
        short = at_once - len(first) if model.inputs[0].shape[0] else 0  # a fixed number at a time
        pair = [
            _shown(torch.cat([part, part[-1:].expand(short, -1, -1, -1)]), size) * 2 - 1
            for part in (first, second)
        ]
        flow = torch.from_numpy(_run(model, *pair)[-1])[: len(first)].to(video)
        flow = _shown(flow, (video.shape[2], video.shape[3]))
        fields.append(flow.permute(0, 2, 3, 1) / flow.new_tensor([size[1], size[0]]))
    return torch.cat(fields)


def _photometric(video: Tensor, there: Tensor, flow: Tensor) -> Tensor:
    """(n - 1, h, w) the paper's trust: (1 - largest difference of a colour channel) to the power of
    8.
    """
    height, width = flow.shape[1:3]
    xy = grid_xy(height, width, flow.device) + flow
    seen = nn.functional.grid_sample(there, xy * 2 - 1, align_corners=False, padding_mode="zeros")
    return (1 - (seen - video).abs().amax(1)).clamp(0, 1) ** 8


def with_flow(clip: FlowMapClip, model: OnnxModel) -> FlowMapClip:
    """The clip with this model's flow in place of the classical one."""
    before, after = clip.video[:-1], clip.video[1:]
    forward, backward = _flows(model, before, after), _flows(model, after, before)
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


def _segment(model: OnnxModel, video: Tensor, middle: int, config: PretrainedConfig) -> Tracks:
    """Tracks of a grid of queries in one frame, as far as they are visible and keep their
    colour.
    """
    first, last = max(0, middle - config.reach), min(len(video), middle + config.reach + 1)
    frames, (height, width) = video[first:last], _size_of(model.inputs[0], video)
    queries = _queries(middle - first, config.grid, height, width)
    answer = _run(model, _shown(frames, (height, width))[None] * 255, queries)
    share = torch.from_numpy(answer[0][0]).to(video) / video.new_tensor([width, height])
    visible = torch.from_numpy(answer[1][0]).to(video).view(share.shape[:2])
    color = nn.functional.grid_sample(frames, share[:, :, None] * 2 - 1, align_corners=False)[
        ..., 0
    ]
    alike = (color - color[middle - first]).abs().amax(1) < config.same_color
    good = (visible > 0.5) & alike & (share > 0).all(-1) & (share < 1).all(-1)
    frame, point = torch.nonzero(good, as_tuple=True)
    tracks = make(
        (frame + first).cpu().numpy(),
        point.cpu().numpy(),
        share[frame, point].double().cpu().numpy(),
    )
    return tracks.keep(np.ones(len(tracks.frame), bool), 2)


def with_tracks(clip: FlowMapClip, model: OnnxModel, config: PretrainedConfig) -> FlowMapClip:
    """The clip with this model's tracks."""
    segments = [
        _segment(model, clip.video, middle, config)
        for middle in range(0, clip.frames, config.query_every)
    ]
    return replace(clip, tracks=merge(segments))


class PretrainedDepth(DepthModel):
    """A given model's depth, as it is, times what our own small network learns to correct; the
    weights of correspondences are that network's too. Of inverse depth the model knows no shift:
    that is learnt.
    """

    def __init__(self, model: RelativeDepth, config: NetworkConfig) -> None:
        super().__init__()
        self.own = DepthNetwork(config)
        self.weigh = self.own.weigh
        self.log_shift = nn.Parameter(torch.tensor(0.1).log())
        self._known = _KnownDepth(model)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 9, h, w) inputs to log depth (n, h, w), and the own network's features."""
        correction, features = self.own(frames)
        inverse = torch.stack([self._known.inverse(frame) for frame in frames[:, :3]])
        return correction - (inverse + self.log_shift.exp()).log(), features


class _KnownDepth:
    """Inverse depth of a clip's frames, each asked for once: a step of training sees twenty of
    them.
    """

    def __init__(self, model: RelativeDepth) -> None:
        self.model = model
        self.known: dict[bytes, Tensor] = {}

    def __deepcopy__(self, _memo: dict[int, Any]) -> "_KnownDepth":
        return self  # a model is never trained: copies of a start share it

    def inverse(self, frame: Tensor) -> Tensor:
        """(h, w), of mean 1, of a picture (3, h, w) in -1..1."""
        shown = ((frame.detach().permute(1, 2, 0) + 1) * 127.5).round().byte().cpu().numpy()
        key = hashlib.blake2b(shown.tobytes(), digest_size=16).digest()
        if key not in self.known:
            inverse = torch.from_numpy(self.model.disparity(shown)).to(frame).clamp(min=0)
            self.known[key] = inverse / inverse.mean().clamp(min=1e-9)
        return self.known[key]
