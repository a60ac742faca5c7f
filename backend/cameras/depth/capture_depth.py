"""Dense depth of every frame of a solved capture: a first guess by optical flow, then stereo."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from ...formats.capture import Capture, Frame
from ...geometry.arrays import Doubles
from ...media.frames import fit_size
from ...media.tracks.flow import flow_between, trust
from ...runtime.device import core_count
from .multiview_depth import DepthMap, DepthView, FrozenConfig, fill, solve_depth
from .neighbors import pick_neighbors
from .shots import Shot, load_shot
from .stereo import StereoConfig, solve_stereo

LEAST_SIGMA = 0.003  # relative; nothing is surer
CACHED = 24  # frames to either side whose pictures stay in memory


@dataclass(frozen=True, kw_only=True)
class DepthConfig:
    """`angle`: degrees between the views of a point that neighbours of the flow should have;
    `side`: pixels of the depth map.
    """

    side: int = 320
    neighbors: int = 4
    angle: float = 4.0
    agree: float = 0.015  # relative difference up to which two maps agree on a point
    near: float = 0.03  # relative difference up to which another map has a say
    rounds: int = 2  # of bringing maps to what they agree on
    flow_agree: float = 0.7  # pixels, see tracks/flow.py
    points: int = 150_000
    flow_share: float = 0.1  # of its weight counts for flow, which thinks too well of itself
    frozen: FrozenConfig = field(default_factory=FrozenConfig)
    stereo: StereoConfig = field(default_factory=StereoConfig)


def _sparse(shot: Shot, points: Doubles) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels and depths of the points that this camera is known to see."""
    local = points @ shot.viewmat[:3, :3].T + shot.viewmat[:3, 3]
    local = local[local[:, 2] > 1e-6]
    uv = local @ shot.K.T
    uv = uv[:, :2] / uv[:, 2:]
    inside = (uv >= 0).all(1) & (uv < [shot.gray.shape[1], shot.gray.shape[0]]).all(1)
    return torch.from_numpy(uv[inside]).float(), torch.from_numpy(local[inside, 2]).float()


def _flow_view(shot: Shot, others: list[Shot], seen: Doubles, config: DepthConfig) -> DepthView:
    height, width = shot.gray.shape
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    there, sure = [], []
    for other in others:
        flow, back = flow_between(shot.gray, other.gray), flow_between(other.gray, shot.gray)
        there.append(np.stack([u, v], -1) + flow)
        sure.append(trust(flow, back, config.flow_agree))
    relative = [other.viewmat @ np.linalg.inv(shot.viewmat) for other in others]
    at, depth = _sparse(shot, seen)

    def tensor(values: list[NDArray]) -> torch.Tensor:
        return torch.from_numpy(np.stack(values)).float()

    color = torch.from_numpy(shot.color).float() / 255
    return DepthView(
        color=color,
        K=torch.from_numpy(shot.K).float(),
        neighbor_ks=tensor([o.K for o in others]),
        to_neighbor=tensor(relative),
        there=tensor(there),
        trust=tensor(sure),
        sparse_at=at,
        sparse_depth=depth,
    )


def combined(flow: DepthMap, stereo: DepthMap, config: DepthConfig) -> DepthMap:
    """Stereo's depth where it is sure. Elsewhere the shape that flow gave, brought to where stereo
    has its surroundings, if flow does not know better; nobody knows how far from the truth.
    """
    sure = config.frozen.sure
    believed = stereo.sigma < sure
    weight = stereo.sigma.clamp(min=LEAST_SIGMA) ** -2
    by_flow = config.flow_share * flow.sigma.clamp(min=LEAST_SIGMA) ** -2
    weight = torch.where(believed, weight, torch.where(flow.sigma < sure, by_flow, 0.0))
    away = torch.where(believed, (stereo.depth / flow.depth).log(), 0.0)
    moved = flow.depth * fill(away, weight).exp()
    return DepthMap(
        torch.where(believed, stereo.depth, moved),
        torch.where(believed, stereo.sigma, torch.inf),
    )


def _depth_map(
    shot: Shot,
    by_flow: list[Shot],
    others: list[Shot],
    seen: Doubles,
    config: DepthConfig,
) -> DepthMap:
    """Of one frame, on one thread: `by_flow` and `others` are the neighbours for flow and for
    stereo, `seen` the points that the frame saw.
    """
    view = _flow_view(shot, by_flow, seen, config)
    flow, posed = solve_depth(view, config.frozen), [other.posed for other in others]
    points = view.sparse_depth.numpy()
    solved = solve_stereo(shot.posed, posed, flow.depth.numpy(), points, config.stereo)
    stereo = DepthMap(torch.from_numpy(solved.depth), torch.from_numpy(solved.sigma))
    return combined(flow, stereo, config)


def capture_depth(
    capture: Capture,
    points: Doubles,
    seen_by: list[NDArray[np.int64]],
    neighbors: list[list[int]],
    config: DepthConfig,
    store: Callable[[int, DepthMap], None],
    progress: Callable[[int, int], None] = lambda step, total: None,
    first: int = 0,
) -> None:
    """Depth of every frame from the `first` on, handed to `store` one by one and in order.
    `seen_by[i]` are the points that frame i saw, `neighbors[i]` the frames that stereo compares it
    with.
    """
    shots: dict[int, Shot] = {}
    by_flow = pick_neighbors(capture.frames, points, ((config.angle, config.neighbors),))
    count, threads = len(capture.frames), core_count()
    waiting: deque[Future[DepthMap]] = deque()

    def take(most: int, begun: int) -> None:
        while len(waiting) > most:
            done = begun - len(waiting)
            store(done, waiting.popleft().result())
            progress(done + 1, count)

    with ThreadPoolExecutor(threads) as pool:
        for index in range(first, count):
            wanted = {index, *by_flow[index], *neighbors[index]}
            _load_shots(shots, capture.frames, index, wanted, config.side)
            near, others = ([shots[k] for k in at[index]] for at in (by_flow, neighbors))
            seen = points[seen_by[index]]
            waiting.append(pool.submit(_depth_map, shots[index], near, others, seen, config))
            take(threads, index + 1)
        take(0, count)


def _load_shots(
    shots: dict[int, Shot], frames: list[Frame], index: int, wanted: set[int], side: int
) -> None:
    """Those that are wanted, at the size of the frame's own map; what is far off goes."""
    size = fit_size(frames[index].width, frames[index].height, side)
    for k in [k for k, s in shots.items() if s.gray.shape[::-1] != size]:
        del shots[k]
    for k in [k for k in shots if k not in wanted and abs(k - index) >= CACHED]:
        del shots[k]
    for k in wanted - shots.keys():
        shots[k] = load_shot(frames[k], size)


def is_good(depth_map: DepthMap, config: DepthConfig) -> NDArray[np.bool_]:
    """(h, w) pixels whose depth is known well enough to be a point."""
    return np.asarray((depth_map.sigma < config.frozen.sure).numpy())
