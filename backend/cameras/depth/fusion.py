"""Dense depth of a solved capture, and the points that neighbouring depth maps agree on."""

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...formats.capture import Capture, Frame
from ...geometry.arrays import Doubles, Pixels
from ...geometry.conventions import to_viewmat
from ...media.frames import fit_size
from ...media.tracks.flow import flow_between, trust
from ...media.tracks.follow import even_light
from ..footage.images import read_image
from .multiview_depth import DepthMap, DepthView, FrozenConfig, rays, solve_depth

CACHED = 24  # frames to either side whose pictures stay in memory


@dataclass(frozen=True, kw_only=True)
class DepthConfig:
    """`angle`: degrees between the views of a point that neighbours should have; `side`: pixels of
    the depth map.
    """

    side: int = 320
    neighbors: int = 4
    angle: float = 4.0
    agree: float = 0.03  # relative difference up to which two maps agree on a point
    flow_agree: float = 0.7  # pixels, see tracks/flow.py
    points: int = 150_000
    frozen: FrozenConfig = field(default_factory=FrozenConfig)


@dataclass(frozen=True)
class Shot:
    """A frame at the depth maps' size."""

    color: Pixels  # (h, w, 3)
    gray: Pixels
    K: Doubles
    viewmat: Doubles  # (4, 4) OpenCV


def _scaled_K(frame: Frame, size: tuple[int, int]) -> Doubles:
    sx, sy = size[0] / frame.width, size[1] / frame.height
    return np.diag([sx, sy, 1.0]) @ frame.K


def load_shot(frame: Frame, size: tuple[int, int]) -> Shot:
    """At `size` (width, height), whatever its shape: flow wants pictures of one size."""
    color = np.asarray(
        cv2.resize(read_image(frame.image, color=True), size, interpolation=cv2.INTER_AREA),
        np.uint8,
    )
    gray = even_light(np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), np.uint8))
    return Shot(color, gray, _scaled_K(frame, size), to_viewmat(frame.camera_to_world))


def pick_neighbors(frames: list[Frame], points: Doubles, config: DepthConfig) -> list[list[int]]:
    """For every frame, the frames whose view of the scene's middle differs by about the wanted
    angle and that look the same way; nearest to it first, from both sides where there are both.
    """
    centers = np.stack([f.camera_to_world[:3, 3] for f in frames])
    ahead = np.stack([-f.camera_to_world[:3, 2] for f in frames])
    picked = []
    for i in range(len(frames)):
        middle = centers[i] + ahead[i] * _typical_depth(points, centers[i], ahead[i])
        sight = middle - centers
        sight /= np.maximum(np.linalg.norm(sight, axis=1, keepdims=True), 1e-12)
        angle = np.degrees(np.arccos(np.clip(sight @ sight[i], -1, 1)))
        forward = np.abs((centers - centers[i]) @ ahead[i]) / max(
            float(np.linalg.norm(middle - centers[i])), 1e-12
        )
        change = np.hypot(
            angle, np.degrees(forward) / 2
        )  # coming closer shows depth too, half as well
        cost = (
            np.abs(np.log(np.maximum(change, 1e-3) / config.angle))
            + 2 * (ahead @ ahead[i] < 0.85)
            + 1e3 * (np.arange(len(frames)) == i)
        )
        order = np.argsort(cost, kind="stable")
        half = config.neighbors // 2
        before, after = (
            [int(k) for k in order if k < i][:half],
            [int(k) for k in order if k > i][:half],
        )
        rest = [int(k) for k in order if k != i and k not in (*before, *after)]
        picked.append((before + after + rest)[: config.neighbors])
    return picked


def _typical_depth(points: Doubles, center: Doubles, ahead: Doubles) -> float:
    depth = (points - center) @ ahead
    front = depth[depth > 0]
    return float(np.median(front)) if len(front) else 1.0


def _sparse(shot: Shot, points: Doubles) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels and depths of the points that this camera is known to see."""
    local = points @ shot.viewmat[:3, :3].T + shot.viewmat[:3, 3]
    local = local[local[:, 2] > 1e-6]
    uv = local @ shot.K.T
    uv = uv[:, :2] / uv[:, 2:]
    inside = (uv >= 0).all(1) & (uv < [shot.gray.shape[1], shot.gray.shape[0]]).all(1)
    return torch.from_numpy(uv[inside]).float(), torch.from_numpy(local[inside, 2]).float()


def _view(shot: Shot, others: list[Shot], seen: Doubles, config: DepthConfig) -> DepthView:
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


def capture_depth(
    capture: Capture,
    points: Doubles,
    seen_by: list[NDArray[np.int64]],
    neighbors: list[list[int]],
    config: DepthConfig,
    store: Callable[[int, DepthMap], None],
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> None:
    """Depth of every frame, handed to `store` one by one. `seen_by[i]` are the points that frame i
    saw, `neighbors[i]` the frames that it is compared with, see `pick_neighbors`.
    """
    shots: dict[int, Shot] = {}
    for index in range(len(capture.frames)):
        wanted = {index, *neighbors[index]}
        size = fit_size(capture.frames[index].width, capture.frames[index].height, config.side)
        same = {k: s for k, s in shots.items() if s.gray.shape[::-1] == size}
        shots = {k: s for k, s in same.items() if k in wanted or abs(k - index) < CACHED}
        for k in wanted - shots.keys():
            shots[k] = load_shot(capture.frames[k], size)
        view = _view(
            shots[index], [shots[k] for k in neighbors[index]], points[seen_by[index]], config
        )
        store(index, solve_depth(view, config.frozen))
        progress(index + 1, len(capture.frames))


@dataclass(frozen=True)
class StoredDepth:
    """What fusing needs of a frame: no picture."""

    depth: NDArray[np.float32]
    good: NDArray[np.bool_]


def fuse(
    capture: Capture,
    stored: list[StoredDepth],
    neighbors: list[list[int]],
    config: DepthConfig,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> tuple[NDArray[np.float32], Pixels]:
    """Points (N, 3) and colours (N, 3) of pixels whose depth two or more neighbours share, thinned
    evenly.
    """
    frames = capture.frames
    cameras = [
        (_scaled_K(f, s.depth.shape[::-1]), to_viewmat(f.camera_to_world))
        for f, s in zip(frames, stored, strict=True)
    ]
    share = min(1.0, 4 * config.points / max(sum(int(s.good.sum()) for s in stored), 1))
    random, clouds, colors = np.random.default_rng(0), [], []
    for i, own in enumerate(stored):
        progress(i, len(stored))
        height, width = own.depth.shape
        K, viewmat = cameras[i]
        pick = own.good & (random.random(own.good.shape) < share)
        local = (
            rays(torch.from_numpy(K).float(), height, width).numpy()[pick]
            * own.depth[pick][:, None]
        )
        world = (local - viewmat[:3, 3]) @ viewmat[:3, :3]
        votes = sum(_agrees(world, *cameras[j], stored[j], config.agree) for j in neighbors[i])
        keep = np.asarray(votes) >= min(2, len(neighbors[i]))
        color = load_shot(frames[i], (width, height)).color[pick]
        clouds.append(world[keep].astype(np.float32))
        colors.append(color[keep])
    points, hues = np.concatenate(clouds), np.concatenate(colors)
    if len(points) > config.points:
        chosen = random.choice(len(points), config.points, replace=False)
        points, hues = points[chosen], hues[chosen]
    return points, hues


def _agrees(
    world: Doubles, K: Doubles, viewmat: Doubles, other: StoredDepth, tolerance: float
) -> NDArray[np.bool_]:
    """(N,) points that the other depth map has at the same distance."""
    local = world @ viewmat[:3, :3].T + viewmat[:3, 3]
    uv = local @ K.T
    with np.errstate(all="ignore"):
        cell = (
            np.floor(np.nan_to_num(uv[:, :2] / uv[:, 2:], nan=-1, posinf=-1, neginf=-1))
            .clip(-1, 1e6)
            .astype(np.int64)
        )
    height, width = other.depth.shape
    inside = (
        (local[:, 2] > 1e-6) & (cell >= 0).all(1) & (cell[:, 0] < width) & (cell[:, 1] < height)
    )
    cell[~inside] = 0
    theirs = other.depth[cell[:, 1], cell[:, 0]]
    good = inside & other.good[cell[:, 1], cell[:, 0]]
    return np.asarray(good & (np.abs(theirs - local[:, 2]) < tolerance * local[:, 2]))


def is_good(depth_map: DepthMap, config: DepthConfig) -> NDArray[np.bool_]:
    """(h, w) pixels whose depth is known well enough to be a point."""
    return np.asarray((depth_map.sigma < config.frozen.sure).numpy())
