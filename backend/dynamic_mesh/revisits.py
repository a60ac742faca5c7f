"""Sides of the object that the camera comes back to. Points that were followed there before are tied to what is seen now: on the way
around every track slips a little, always to the same side, and the object would be taken to turn with the camera.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..media.tracks.follow import FollowConfig, Gray, even_light, step
from ..media.tracks.tracks import Tracks, make


@dataclass(frozen=True)
class RevisitConfig:
    """Degrees around the object between two looks at the same side, and that the camera has been away meanwhile; most looks tied to one."""

    near: float = 15.0
    away: float = 45.0
    most: int = 2


def revisits(viewmats: Sequence[NDArray[np.float64]], config: RevisitConfig) -> list[tuple[int, int]]:
    """Pairs of moments, both ways, the closest first, from cameras (4, 4) of the object's box in the order of time."""
    if len(viewmats) < 2:
        return []
    directions = np.stack([-v[:3, :3].T @ v[:3, 3] for v in viewmats])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    apart = np.degrees(np.arccos(np.clip(directions @ directions.T, -1, 1)))
    gone = np.stack([np.maximum.accumulate(np.where(np.arange(len(apart)) >= i, row, 0)) for i, row in enumerate(apart)]) > config.away
    first, second = np.nonzero(np.triu(gone & (apart < config.near)))
    ties, pairs = np.zeros(len(viewmats), int), []
    for k in np.argsort(apart[first, second], kind="stable"):
        i, j = int(first[k]), int(second[k])
        if max(ties[i], ties[j]) < config.most:
            ties[[i, j]] += 1
            pairs += [(i, j), (j, i)]
    return pairs


def met_again(
    tracks: Tracks, grays: Sequence[Gray], masks: Sequence[Gray], pairs: list[tuple[int, int]], config: FollowConfig,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> Tracks:  # fmt: skip
    """With the points of each pair's first picture where they are in its second."""
    frame, point, uv = [tracks.frame], [tracks.point], [tracks.uv]
    lit = {index: even_light(grays[index]) for index in {i for pair in pairs for i in pair}}
    for done, (i, j) in enumerate(pairs):
        here = tracks.frame == i
        if here.any():
            where = (tracks.uv[here] - 0.5).astype(np.float32)
            there, good = step(lit[i], lit[j], where, config, masks[j])
            point.append(tracks.point[here][good])
            uv.append(there[good].astype(np.float64) + 0.5)
            frame.append(np.full(int(good.sum()), j))
        progress(done + 1, len(pairs))
    return make(np.concatenate(frame), np.concatenate(point), np.concatenate(uv))
