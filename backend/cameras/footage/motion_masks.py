"""Masks of things that move: tracks that the solved cameras can't explain vote for the pixels
around them.

Optical flow between neighbours would be denser, but can't tell: what glides along with the camera
looks like a thing that stands still at another distance. Only over a long way do the two part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import KDTree

from ...geometry.arrays import Doubles, Pixels
from ...media.tracks.tracks import Tracks
from ..bundle.state import Observations, Reconstruction, errors, unit_of
from ..bundle.triangulate import triangulate
from .images import read_image


@dataclass(frozen=True, kw_only=True)
class MotionMaskConfig:
    """`inliers`: share of the tracks' observations that a rigid world explains below which there is
    something to mask. Pixels are those of a picture 320 wide, other sizes shares of the longer
    side.
    """

    inliers: float = 0.88
    outlier_px: float = 2.0
    strays: float = 0.2  # share of a track's observations that are outliers from which it moves
    length: int = 5  # of the shortest track that may vote
    side: int = 200  # pixels of the map that is voted on
    votes: int = 9
    color: float = 0.15  # of the picture's side, that white is from black
    close: float = 0.03
    margin: float = 0.012
    least: float = 0.003  # share of the picture that a moving thing covers at least


def moving_tracks(
    solve: Reconstruction, klt_tracks: Tracks, config: MotionMaskConfig
) -> tuple[Tracks, NDArray[np.bool_]]:
    """Tracks (frames as in `solve`) that are long enough to tell, and for each whether it moves."""
    long = klt_tracks.keep_points(klt_tracks.lengths >= config.length)
    seen = Observations.of(long)
    off = errors(triangulate(solve, seen, long.points), seen).numpy() > config.outlier_px * unit_of(
        solve
    )
    return long, np.bincount(long.point, off, minlength=long.points) > config.strays * long.lengths


def vote(
    color: Pixels, uv: Doubles, moves: NDArray[np.bool_], config: MotionMaskConfig
) -> NDArray[np.bool_]:
    """(h, w) pixels of the picture (h, w, 3) whose nearest tracks, in place and colour, mostly
    move; `uv` are its pixels.
    """
    height, width = color.shape[:2]
    side = max(height, width)
    if len(uv) < config.votes or not moves.any():
        return np.zeros((height, width), bool)
    v, u = np.mgrid[:height, :width] + 0.5
    smooth = cv2.GaussianBlur(color, (0, 0), 1.0).reshape(-1, 3) * (config.color / 255)
    pixels = np.concatenate([np.stack([u, v], -1).reshape(-1, 2) / side, smooth], 1)
    column, row = uv[:, 0].astype(int).clip(0, width - 1), uv[:, 1].astype(int).clip(0, height - 1)
    tree = KDTree(np.concatenate([uv / side, smooth[row * width + column]], 1))
    distance, nearest = tree.query(pixels, config.votes)
    weight = 1 / (distance + 0.01)
    return np.asarray(
        ((weight * moves[nearest]).sum(1) > 0.5 * weight.sum(1)).reshape(height, width)
    )


def _disc(share: float, side: int) -> Pixels:
    across = 2 * max(round(share * side), 1) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across)), np.uint8)


def tidy(moved: NDArray[np.bool_], config: MotionMaskConfig) -> NDArray[np.bool_]:
    """(h, w) without specks, with gaps closed and a margin around what is left."""
    side = max(moved.shape)
    closed = cv2.morphologyEx(moved.astype(np.uint8), cv2.MORPH_CLOSE, _disc(config.close, side))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    large = np.array(
        [i > 0 and stats[i, cv2.CC_STAT_AREA] >= config.least * moved.size for i in range(count)]
    )
    return np.asarray(cv2.dilate(large[labels].astype(np.uint8), _disc(config.margin, side)) > 0)


def write_masks(
    solve: Reconstruction,
    klt_tracks: Tracks,
    images: list[Path],
    folder: Path,
    config: MotionMaskConfig,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> tuple[list[Path], float]:
    """A mask for every picture, 0 where a thing moves, and the share of pixels masked. Frames of
    `followed` as in `pictures`.
    """
    folder.mkdir(exist_ok=True)
    tracks, moves = moving_tracks(solve, klt_tracks, config)
    paths, shares = [], []
    for index, image in enumerate(images):
        progress(index, len(images))
        full = read_image(image, color=True)
        scale = config.side / max(full.shape)
        size = round(full.shape[1] * scale), round(full.shape[0] * scale)
        here = tracks.frame == index
        uv = tracks.uv[here] * np.array(size) / full.shape[1::-1]
        color = np.asarray(cv2.resize(full, size, interpolation=cv2.INTER_AREA), np.uint8)
        mask = tidy(vote(color, uv, moves[tracks.point[here]], config), config)
        shares.append(float(mask.mean()))
        paths.append(folder / f"{image.name}.png")
        still = np.where(mask, 0, 255).astype(np.uint8)
        Image.fromarray(cv2.resize(still, full.shape[1::-1], interpolation=cv2.INTER_NEAREST)).save(
            paths[-1]
        )
    return paths, float(np.mean(shares))
