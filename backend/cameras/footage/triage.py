"""A look at the footage before anything is solved: cuts, still stretches, doubles, blur, light, and
how far things move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ...media.frames import sharpness
from ...media.tracks.follow import FollowConfig, follow
from ...media.tracks.tracks import Tracks

LOOK = 240  # pixels of the longer side that triage looks at


@dataclass(frozen=True, kw_only=True)
class TriageConfig:
    """Motions are in percent of the picture's diagonal."""

    # share of tracks, against what is usual in the clip, that must outlive a frame
    cut_survival: float = 0.2
    cut_change: float = 2.5  # times the usual change of the picture
    # and times the change of the frames before and after: what crosses the picture comes gradually
    cut_apart: float = 1.4
    still: float = 0.12  # motion of the whole clip below which nothing moves
    unmoved: float = 0.02  # motion of a frame below which it may be a double
    # mean change of grey values (of 255) below which a frame repeats the one before
    double: float = 0.4
    blurred: float = 0.25  # of the clip's median sharpness
    shortest: int = 5  # frames of a shot worth solving
    sequence: float = 0.5  # survival from which photos are taken for the frames of a clip


@dataclass(frozen=True, kw_only=True)
class Triage:
    """What was found. Frame numbers are the footage's, from 0."""

    shots: tuple[tuple[int, int], ...]  # [from, to) between cuts
    doubles: tuple[int, ...]
    blurred: tuple[int, ...]
    motion: float  # median of tracks from frame to frame, percent of the diagonal
    light: float  # stops between the darkest and the brightest frame
    is_still: bool
    survival: float  # median share of tracks that outlive a frame

    @property
    def longest_shot(self) -> tuple[int, int]:
        """First and last (exclusive) pictures of the shot with the most."""
        return max(self.shots, key=lambda s: s[1] - s[0])


def _small(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(1.0, LOOK / max(frame.shape))
    return np.asarray(
        cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )


def _changes(frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """(n,) mean absolute change of brightness-corrected, slightly blurred pictures against the one
    before.
    """
    soft = [cv2.GaussianBlur(f, (5, 5), 1.2).astype(np.float32) for f in frames]
    level = [s - s.mean() for s in soft]
    return np.array([0.0] + [float(np.abs(b - a).mean()) for a, b in pairwise(level)])


def _survival(tracks: Tracks, count: int) -> NDArray[np.float64]:
    """(n,) share of the frame before's tracks that are still seen."""
    alive = np.bincount(tracks.frame, minlength=count).astype(float)
    starts = np.searchsorted(tracks.point, np.arange(tracks.points))
    born = np.bincount(tracks.frame[starts], minlength=count)
    return np.concatenate([[1.0], (alive - born)[1:] / np.maximum(alive[:-1], 1)])


def _steps(tracks: Tracks, diagonal: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frame and length, percent of the diagonal, of every step of every track."""
    same = (tracks.point[1:] == tracks.point[:-1]) & (tracks.frame[1:] == tracks.frame[:-1] + 1)
    length = np.linalg.norm(tracks.uv[1:] - tracks.uv[:-1], axis=1)[same] / diagonal * 100
    return tracks.frame[1:][same], length


def cut_into_shots(
    changes: NDArray[np.float64], survival: NDArray[np.float64], config: TriageConfig
) -> tuple[tuple[int, int], ...]:
    """First and last (exclusive) pictures of every shot."""
    count = len(changes)
    usual_change, usual_survival = float(np.median(changes[1:])), float(np.median(survival[1:]))
    around = (np.append(changes[1:], changes[-1]) + np.append(changes[0], changes[:-1])) / 2
    cut = (survival < config.cut_survival * max(usual_survival, 0.2)) & (
        changes > config.cut_change * max(usual_change, 1.0)
    )
    cut &= changes > config.cut_apart * around
    bounds = [0, *(int(i) for i in np.flatnonzero(cut)), count]
    return tuple(pairwise(bounds))


def _reach(tracks: Tracks, diagonal: float) -> NDArray[np.float64]:
    """(P,) how far every track went, percent of the diagonal: to its end or to its middle, for a
    camera may come back.
    """
    if not tracks.points:
        return np.array([np.inf])
    first = np.searchsorted(tracks.point, np.arange(tracks.points))
    last = np.append(first[1:], len(tracks.point)) - 1
    away = [
        np.linalg.norm(tracks.uv[there] - tracks.uv[first], axis=1)
        for there in (last, (first + last) // 2)
    ]
    return np.asarray(np.maximum(*away) / diagonal * 100)


def _doubles(
    changes: NDArray[np.float64], by_frame: NDArray[np.float64], config: TriageConfig
) -> tuple[int, ...]:
    """Frames that show what the last frame kept has shown: in slow motion, steps too small to see
    add up.
    """
    doubles, moved, changed = [], 0.0, 0.0
    for i in range(1, len(changes)):
        step = by_frame[i - 1]
        moved, changed = moved + (step if np.isfinite(step) else 0.0), changed + changes[i]
        if changed < config.double and moved <= config.unmoved:
            doubles.append(i)
        else:
            moved = changed = 0.0
    return tuple(doubles)


def look(frames: Sequence[NDArray[np.uint8]], config: TriageConfig) -> Triage:
    """Grey frames (H, W) of one size, in the order of time."""
    small = [_small(f) for f in frames]
    count, diagonal = len(small), float(np.hypot(*small[0].shape))
    tracks = follow(small, FollowConfig(points=250, window=15, least=2))
    changes, survival = _changes(small), _survival(tracks, count)
    at, length = _steps(tracks, diagonal)
    by_frame = np.array(
        [float(np.median(length[at == i])) if (at == i).any() else np.inf for i in range(1, count)]
    )
    sharp = np.array([sharpness(f) for f in small])
    light = np.log2(np.maximum([float(f.mean()) for f in small], 1.0))
    reach = _reach(tracks, diagonal)
    still = bool(np.percentile(reach, 75) < config.still) or (
        not tracks.points and bool(changes.max(initial=0) < config.double)
    )
    return Triage(
        shots=cut_into_shots(changes, survival, config),
        doubles=_doubles(changes, by_frame, config),
        blurred=tuple(int(i) for i in np.flatnonzero(sharp < config.blurred * np.median(sharp))),
        motion=float(np.median(by_frame[np.isfinite(by_frame)]))
        if np.isfinite(by_frame).any()
        else 0.0,
        light=float(light.max() - light.min()),
        is_still=still,
        survival=float(np.median(survival[1:])),
    )
