"""Corners followed from frame to frame: pyramidal Lucas-Kanade, checked forwards and backwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .tracks import EMPTY, Tracks, make

Gray = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class FollowConfig:
    """`points` are alive in every frame where the picture gives that many; pixels are those of the
    grey pictures given.
    """

    points: int = 700
    window: int = 21
    levels: int = 4
    back_and_forth: float = 0.5  # pixels by which a point may miss its start after the way back
    quality: float = 0.004  # of the strongest corner
    least: int = 3  # observations of a track worth keeping


@dataclass(frozen=True)
class FollowedPoints:
    """Where points are in one frame."""

    owner: NDArray[np.int64]  # (N,) the number of each
    where: NDArray[np.float32]  # (N, 2)


def even_light(gray: Gray) -> Gray:
    """Mean and contrast set to a fixed value: Lucas-Kanade takes brightness for constant, a
    camera's exposure is not.
    """
    values = gray.astype(np.float32)
    spread = max(float(values.std()), 4.0)
    return ((values - float(values.mean())) * (48.0 / spread) + 118.0).clip(0, 255).astype(np.uint8)


def _step(
    first: Gray, second: Gray, points: NDArray[np.float32], config: FollowConfig
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where points (N, 2) went, and which of them can be believed."""
    lk = {
        "winSize": (config.window, config.window),
        "maxLevel": config.levels,
        "criteria": (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 0.005),
    }
    there, status, _ = cv2.calcOpticalFlowPyrLK(first, second, points[:, None], None, **lk)
    back, status_back, _ = cv2.calcOpticalFlowPyrLK(second, first, there, None, **lk)
    there, back = there[:, 0], back[:, 0]
    height, width = first.shape
    inside = (there > 2).all(1) & (there[:, 0] < width - 3) & (there[:, 1] < height - 3)
    good = (
        (status[:, 0] > 0)
        & (status_back[:, 0] > 0)
        & inside
        & (np.linalg.norm(back - points, axis=1) < config.back_and_forth)
    )
    return there, good


def _new_corners(
    gray: Gray, taken: NDArray[np.float32], wanted: int, free: Gray | None, quality: float
) -> NDArray[np.float32]:
    """Up to `wanted` corners away from the points `taken`, where `free` (a mask) allows."""
    distance = max(4, round((gray.size / 1500) ** 0.5))
    mask = np.full(gray.shape, 255, np.uint8) if free is None else free.copy()
    for x, y in taken:
        cv2.circle(mask, (round(float(x)), round(float(y))), distance, 0, -1)
    corners = cv2.goodFeaturesToTrack(gray, wanted, quality, distance, mask=mask)
    return np.zeros((0, 2), np.float32) if corners is None else corners.reshape(-1, 2)


def follow(
    frames: Sequence[Gray],
    config: FollowConfig,
    masks: Sequence[Gray | None] | None = None,
    progress: Callable[[int, int], None] = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Tracks:
    """Tracks through grey frames (H, W) of one size. `masks`: 255 where a frame may be looked at.
    Coordinates have the first pixel's centre at 0.5.
    """
    with keeper.rows("followed", FollowedPoints) as rows:
        count = max((int(r.owner.max(initial=-1)) for r in rows.values), default=-1) + 1
        previous, last = None, FollowedPoints(np.zeros(0, np.int64), np.zeros((0, 2), np.float32))
        begun = len(rows.values)
        if begun:
            previous, last = even_light(frames[begun - 1]), rows.values[-1]
        for index in range(begun, len(frames)):
            gray, mask = even_light(frames[index]), masks[index] if masks else None
            where, owner = last.where, last.owner
            if previous is not None and len(where):
                where, good = _step(previous, gray, where, config)
                if mask is not None:
                    cells = (
                        where.clip(0, [gray.shape[1] - 1, gray.shape[0] - 1]).round().astype(int)
                    )
                    good &= mask[cells[:, 1], cells[:, 0]] > 0
                where, owner = where[good], owner[good]
            if config.points - len(where) > config.points // 10:
                fresh = _new_corners(gray, where, config.points - len(where), mask, config.quality)
                where, owner = (
                    np.concatenate([where, fresh]),
                    np.concatenate([owner, np.arange(count, count + len(fresh))]),
                )
                count += len(fresh)
            last, previous = rows.add(FollowedPoints(owner, where)), gray
            progress(index + 1, len(frames))
    if not count:
        return EMPTY
    frame = np.concatenate([np.full(len(r.owner), i) for i, r in enumerate(rows.values)])
    tracks = make(
        frame,
        np.concatenate([r.owner for r in rows.values]),
        np.concatenate([r.where for r in rows.values]) + 0.5,
    )
    return tracks.keep(np.ones(len(tracks.frame), bool), config.least)
