"""Sides of the object that the camera comes back to. Points that were followed there before are tied to what is seen now: on the way
around every track slips a little, always to the same side, and the object would be taken to turn with the camera.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..media.tracks.follow import FollowConfig, Gray, even_light, step
from ..media.tracks.tracks import Tracks, make


@dataclass(frozen=True)
class RevisitConfig:
    """Degrees around the object between two looks at the same side, and that the camera has been away meanwhile; looks tied to each."""

    near: float = 15.0
    away: float = 45.0
    most: int = 2


def revisits(viewmats: Sequence[NDArray[np.float64]], config: RevisitConfig) -> list[tuple[int, int]]:
    """Pairs of moments, both ways, from cameras (4, 4) of the object's box in the order of time."""
    directions = np.stack([-v[:3, :3].T @ v[:3, 3] for v in viewmats])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    apart = np.degrees(np.arccos(np.clip(directions @ directions.T, -1, 1)))
    pairs = []
    for i in range(len(viewmats)):
        gone = np.maximum.accumulate(apart[i, i:]) > config.away
        back = i + np.nonzero(gone & (apart[i, i:] < config.near))[0]
        for j in back[np.argsort(apart[i, back], kind="stable")][: config.most]:
            pairs += [(i, int(j)), (int(j), i)]
    return pairs


def met_again(tracks: Tracks, grays: Sequence[Gray], masks: Sequence[Gray], pairs: list[tuple[int, int]], config: FollowConfig) -> Tracks:
    """With the points of each pair's first picture where they are in its second."""
    frame, point, uv = [tracks.frame], [tracks.point], [tracks.uv]
    for i, j in pairs:
        here = tracks.frame == i
        if not here.any():
            continue
        where = (tracks.uv[here] - 0.5).astype(np.float32)
        there, good = step(even_light(grays[i]), even_light(grays[j]), where, config, masks[j])
        point.append(tracks.point[here][good])
        uv.append(there[good].astype(np.float64) + 0.5)
        frame.append(np.full(int(good.sum()), j))
    return make(np.concatenate(frame), np.concatenate(point), np.concatenate(uv))
