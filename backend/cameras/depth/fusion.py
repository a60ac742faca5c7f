"""The points that depth maps of neighbouring frames agree on."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...formats.capture import Capture
from ...geometry.arrays import Doubles, Flags, Pixels
from ...geometry.conventions import to_viewmat
from .capture_depth import DepthConfig
from .multiview_depth import rays
from .shots import load_shot, scaled_K

REMAPPED = 30_000  # points at once: cv2.remap's rows are numbered by 16 bits


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
    """Points (N, 3) and colours (N, 3) of pixels whose depth two or more neighbours share, and at
    most half as many see through (at silhouettes maps are too wide together), thinned evenly.
    """
    frames = capture.frames
    cameras = [
        (scaled_K(f, s.depth.shape[::-1]), to_viewmat(f.camera_to_world))
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
        agree, through = np.zeros((2, len(world)), int)
        for j in neighbors[i]:
            same, behind = _compared(world, *cameras[j], stored[j], config.agree)
            agree, through = agree + same, through + behind
        keep = (agree >= min(2, len(neighbors[i]))) & (through <= agree / 2)
        color = load_shot(frames[i], (width, height)).color[pick]
        clouds.append(world[keep].astype(np.float32))
        colors.append(color[keep])
    points, hues = np.concatenate(clouds), np.concatenate(colors)
    if len(points) > config.points:
        chosen = random.choice(len(points), config.points, replace=False)
        points, hues = points[chosen], hues[chosen]
    return points, hues


def _compared(
    world: Doubles, K: Doubles, viewmat: Doubles, other: StoredDepth, tolerance: float
) -> tuple[Flags, Flags]:
    """(N,) points that the other depth map has at the same distance, and those that it sees
    through.
    """
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
    theirs = between(other.depth, uv[:, :2] / uv[:, 2:], inside)
    good = inside & other.good[cell[:, 1], cell[:, 0]]
    off = theirs / np.where(inside, local[:, 2], 1.0) - 1
    return good & (np.abs(off) < tolerance), good & (off > 2 * tolerance)


def between(depth: NDArray[np.float32], uv: Doubles, inside: Flags) -> NDArray[np.float32]:
    """(N,) the map's depth at pixels (N, 2), interpolated: on a floor seen flatly it changes by
    some per cent from row to row.
    """
    x, y = (np.where(inside, uv[:, axis], 0.5).astype(np.float32) - 0.5 for axis in (0, 1))
    depths = np.empty(len(uv), np.float32)
    for first in range(0, len(uv), REMAPPED):
        part = slice(first, first + REMAPPED)
        inverse = cv2.remap(
            1 / depth, x[part], y[part], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        depths[part] = 1 / inverse.ravel()
    return depths
