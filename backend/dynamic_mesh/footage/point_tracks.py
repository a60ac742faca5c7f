"""Points of the object followed through the pictures, over long times: where a place of the surface
must be seen again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...geometry.arrays import Pixels
from ...media.tracks.follow import FollowConfig, follow
from ..surfaces.mesh_rasterizer import Fragments
from .placement import HALF
from .timed_views import PyramidLevel, TimedView, TrackObservations


@dataclass(frozen=True)
class PointTrackConfig:
    """In pixels of a square of `side` around the object. `inset`: points stay so far inside its
    outline, for near it the outline itself would be followed, which slides over a round limb as the
    camera goes around. `blur`, and corners of some strength only: where an object has no texture,
    noise would be followed, and a wrong track folds the mesh.
    """

    follow: FollowConfig = field(
        default_factory=lambda: FollowConfig(
            points=500, window=11, levels=3, back_and_forth=0.4, quality=0.1
        )
    )
    side: int = 480
    inset: float = 6.0
    blur: float = 1.0


def find(
    colors: Sequence[Pixels],
    alphas: Sequence[Pixels],
    Ks: Sequence[NDArray[np.float64]],
    config: PointTrackConfig,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> list[TrackObservations]:
    """Of pictures (H, W, 3) in the order of time, one a moment, with coverage and camera."""
    windows, scale = _windows(alphas, config.side)
    size = (config.side, config.side)
    grays = [
        _on_black(_cut(c, corner, scale, size), _cut(a, corner, scale, size))
        for c, a, corner in zip(colors, alphas, windows, strict=True)
    ]
    grays = [cv2.GaussianBlur(g, (0, 0), config.blur) for g in grays]
    masks = [
        _inside(_cut(a, corner, scale, size), config.inset)
        for a, corner in zip(alphas, windows, strict=True)
    ]
    tracks = follow(grays, config.follow, masks, progress)
    observations = []
    for index, (K, corner) in enumerate(zip(Ks, windows, strict=True)):
        here = tracks.frame == index
        rays = (tracks.uv[here] / scale + corner - K[:2, 2]) / [K[0, 0], K[1, 1]]
        order = np.argsort(tracks.point[here])
        observations.append(
            TrackObservations(
                torch.from_numpy(tracks.point[here][order]),
                torch.from_numpy(rays[order].astype(np.float32)),
            )
        )
    return observations


def _on_black(color: Pixels, alpha: Pixels) -> Pixels:
    """(H, W) the object alone, grey."""
    return np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY) * (alpha / np.float32(255)), np.uint8)


def _windows(alphas: Sequence[Pixels], side: int) -> tuple[list[NDArray[np.float64]], float]:
    """The upper left corner, in pixels, of a square around the object in each picture, and by how
    much all of them are enlarged: in these the object does not travel, and is large, however small
    it is in the picture.
    """
    boxes = []
    for alpha in alphas:
        rows, columns = np.nonzero(alpha > HALF)
        boxes.append((columns.min(), columns.max() + 1, rows.min(), rows.max() + 1))
    bounds = np.array(boxes, np.float64)
    wide = (
        float(max((bounds[:, 1] - bounds[:, 0]).max(), (bounds[:, 3] - bounds[:, 2]).max())) * 1.1
        + 4
    )
    middle = np.stack([bounds[:, :2].mean(1), bounds[:, 2:].mean(1)], 1)
    return list(middle - wide / 2), side / wide


def _cut(
    image: NDArray[Any], corner: NDArray[np.float64], scale: float, size: tuple[int, int]
) -> NDArray[Any]:
    """Pixel centres at one half, as everywhere."""
    if scale < 0.7:  # what is finer than the new pixels would be followed as noise
        image = cv2.GaussianBlur(image, (0, 0), 0.5 / scale)
    shift = (0.5 - corner) * scale - 0.5
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return np.asarray(
        cv2.warpAffine(
            image, matrix, size, flags=cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
        )
    )


def _inside(alpha: Pixels, inset: float) -> NDArray[np.uint8]:
    """255 well inside the object's outline."""
    solid = np.pad((alpha > 229).astype(np.uint8), 1)
    away = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray((away > inset) * 255, np.uint8)


def partners(views: Sequence[TimedView], together: int) -> list[Tensor]:
    """For each moment, the other ones that share enough tracks with it."""
    count = 1 + max((int(m.tracks.ids[-1]) for m in views if len(m.tracks.ids)), default=0)
    there = torch.zeros(len(views), count)
    for index, view in enumerate(views):
        there[index, view.tracks.ids.cpu()] = 1
    shared = there @ there.T
    shared.fill_diagonal_(0)
    return [(row >= together).nonzero()[:, 0] for row in shared]


@dataclass(frozen=True)
class TracksOnSurface:
    """(P,) fragments of a drawn mesh that tracks are on at one moment, and (P, 2) the rays on which
    they are seen at another.
    """

    at: Tensor
    rays: Tensor


def surface_at(
    seen: Fragments, here: TimedView, level: PyramidLevel, there: TimedView
) -> TracksOnSurface:
    """Where the tracks that two moments share lie on the mesh as drawn at the first, `seen`."""
    both = torch.isin(here.tracks.ids, there.tracks.ids)
    again = torch.isin(there.tracks.ids, here.tracks.ids)
    width, height = level.size
    pixel = here.tracks.rays[both] * level.K.diagonal()[:2] + level.K[:2, 2]
    column, row = pixel.floor().long().unbind(1)
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    number = torch.full((width * height,), -1, device=pixel.device).index_copy(
        0, seen.pixels, torch.arange(len(seen.pixels), device=pixel.device)
    )
    at = torch.where(inside, number[(row * width + column).clamp(0, width * height - 1)], -1)
    hit = at >= 0
    return TracksOnSurface(at[hit], there.tracks.rays[again][hit])


def track_loss(
    seen: Fragments,
    faces: Tensor,
    here: TimedView,
    level: PyramidLevel,
    there: TimedView,
    placed_there: Tensor,
    most: float,
) -> Tensor:
    """How far, in units of the box, the places of the surface that tracks are on at one moment are
    from where these tracks are seen at another, across the view; `seen` is the mesh as drawn at the
    first, `placed_there` (V, 3) the mesh at the second.
    """
    on = surface_at(seen, here, level, there)
    if not len(on.at):
        return placed_there.sum() * 0
    corners = placed_there[faces[seen.faces[on.at]]]
    places = (corners * seen.barycentric[on.at].detach()[..., None]).sum(1) @ there.viewmat[
        :3, :3
    ].T + there.viewmat[:3, 3]
    off = (places[:, :2] - on.rays * places[:, 2:]).square().sum(1).add(1e-8).sqrt()
    return off.clamp_max(most).mean()
