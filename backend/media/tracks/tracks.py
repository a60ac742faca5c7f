"""Tracks: where points of the world were seen, picture by picture."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Doubles, Ints


@dataclass(frozen=True)
class Tracks:
    """Observation o: point `point[o]` was seen in frame `frame[o]` at `uv[o]` pixels (the first
    pixel's centre is 0.5, 0.5).

    Observations are sorted by point, then by frame; points are numbered from 0 without gaps.
    """

    frame: Ints  # (O,)
    point: Ints  # (O,)
    uv: Doubles  # (O, 2)

    @property
    def points(self) -> int:
        """How many points are followed."""
        return int(self.point[-1]) + 1 if len(self.point) else 0

    @property
    def lengths(self) -> Ints:
        """(P,) observations of each point."""
        return np.bincount(self.point, minlength=self.points)

    def keep(self, observations: NDArray[np.bool_], least: int = 2) -> "Tracks":
        """Only these observations, and of them only points that keep at least `least`."""
        counts = np.bincount(self.point[observations], minlength=self.points)
        mask = observations & (counts >= least)[self.point]
        return Tracks(
            self.frame[mask],
            np.unique(self.point[mask], return_inverse=True)[1].astype(np.int64),
            self.uv[mask],
        )

    def keep_points(self, points: NDArray[np.bool_]) -> "Tracks":
        """Those of the chosen points (P,), renumbered."""
        return self.keep(points[self.point])

    def in_frames(self, frames: Ints, least: int = 2) -> "Tracks":
        """Tracks over some frames only, which are renumbered 0, 1, … in the order given."""
        new = np.full(max(int(self.frame.max(initial=0)), int(frames.max(initial=0))) + 1, -1)
        new[frames] = np.arange(len(frames))
        kept = self.keep(new[self.frame] >= 0, least)
        return make(new[kept.frame], kept.point, kept.uv)

    def scaled(self, factor: "float | Doubles") -> "Tracks":
        """With the positions (O, 2) times a factor, one for both axes or one each."""
        return Tracks(self.frame, self.point, self.uv * factor)


EMPTY = Tracks(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)))


def make(frame: Ints, point: Ints, uv: Doubles) -> Tracks:
    """Sorted and renumbered; a second observation of a point in one frame is dropped."""
    order = np.lexsort((frame, point))
    frame, point, uv = (
        np.asarray(frame)[order],
        np.asarray(point)[order],
        np.asarray(uv, np.float64)[order],
    )
    first = np.ones(len(point), bool)
    first[1:] = (point[1:] != point[:-1]) | (frame[1:] != frame[:-1])
    point = np.unique(point[first], return_inverse=True)[1]
    return Tracks(frame[first].astype(np.int64), point.astype(np.int64), uv[first])


def merge(parts: Iterable[Tracks]) -> Tracks:
    """All points of all parts, one after the other."""
    parts = [p for p in parts if p.points]
    if not parts:
        return EMPTY
    offsets = np.cumsum([0] + [p.points for p in parts[:-1]])
    point = np.concatenate([p.point + o for p, o in zip(parts, offsets, strict=True)])
    return Tracks(
        np.concatenate([p.frame for p in parts]), point, np.concatenate([p.uv for p in parts])
    )


def split(tracks: Tracks, share: float, seed: int) -> tuple[Tracks, Tracks]:
    """Points to solve with, and a share of them held out to judge the solve by."""
    held = np.random.default_rng(seed).random(tracks.points) < share
    return tracks.keep_points(~held), tracks.keep_points(held)
