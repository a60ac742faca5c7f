"""The last stage of a solve: depth maps and a dense point cloud put into the capture that was just
written.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...formats import capture, depth_exr, points_ply
from ...formats.capture import Frame
from ...formats.npz_file import WHOLE, Array, read_npz
from ...geometry.arrays import Floats, Pixels
from ...runtime.job import Job
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..footage.images import read_image
from .capture_depth import DepthConfig, capture_depth, is_good
from .fusion import StoredDepth, agreed, fuse
from .multiview_depth import DepthMap
from .neighbors import pick_neighbors

LEAST_POINTS = 60  # that a picture should see for its depth to be worth the work
LEAST_CLOUD = 2000  # points below which the sparse ones stay
PREVIEWS = 6


@dataclass(frozen=True)
class FoundDepth:
    """Depth of every frame of a capture, and the cloud that the maps agree on."""

    maps: list[StoredDepth]
    cloud: Floats  # (N, 3)
    colors: Pixels  # (N, 3)


@dataclass(frozen=True)
class Dense:
    """Figures for the manifest: the share of pixels whose depth is known well, and the points of
    the cloud (0: too few).
    """

    sure: float
    points: int


def colored(depth_map: DepthMap) -> Image.Image:
    """Near is bright and warm, far is dark; what is not known well is dimmed."""
    inverse = 1 / depth_map.depth.numpy()
    low, high = np.percentile(inverse, [2, 98])
    level = ((inverse - low) / max(high - low, 1e-12)).clip(0, 1)
    image = cv2.applyColorMap((level * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    dim = np.where(np.isfinite(depth_map.sigma.numpy()), 1.0, 0.4)[..., None]
    return Image.fromarray((image * dim).astype(np.uint8))


def _visible(path: Path) -> tuple[NDArray[np.float64], list[NDArray[np.int64]]]:
    wanted = {
        "points": Array("f", ("P", 3)),
        "seen": Array(WHOLE, ("S",)),
        "counts": Array(WHOLE, ("C",)),
    }
    data = read_npz(path, wanted, "a list of points seen", "Solve them again.")
    return data["points"], np.split(data["seen"], np.cumsum(data["counts"])[:-1])


def find_depth(
    job: Job[Any],
    root: Path,
    visible: Path,
    config: DepthConfig,
    keeper: StageKeeper = KEEP_NOTHING,
) -> FoundDepth | None:
    """Depths and a dense cloud for the capture at `root`, which stays as it is; None where the
    cameras see too few points.
    """
    points, seen = _visible(visible)
    if len(seen) < 2 or np.median([len(s) for s in seen]) < LEAST_POINTS:
        job.warn("DEPTH", "The cameras share too few points for dense depth; it was left out.")
        return None
    captured = capture.read(root)
    shown = {round(k) for k in np.linspace(0, len(captured.frames) - 1, PREVIEWS)}
    wanted = [(angle, 2) for angle in config.stereo.angles]
    neighbors = pick_neighbors(captured.frames, points, wanted)
    with keeper.rows("depth", StoredDepth) as rows:

        def store(index: int, result: DepthMap) -> None:
            rows.add(_stored(result, captured.frames[index], config))
            if index in shown:
                path = job.folder.previews / f"depth-{index:04d}.png"
                colored(result).save(path)
                job.preview(path)

        begun = len(rows.values)
        capture_depth(captured, points, seen, neighbors, config, store, job.progress, begun)
    maps = agreed(captured, rows.values, neighbors, config, job.progress)
    cloud, colors = keeper.stage(
        "cloud",
        tuple[Floats, Pixels],
        lambda: fuse(captured, maps, neighbors, config, job.progress),
    )
    return FoundDepth(maps, cloud, colors)


def _stored(result: DepthMap, frame: Frame, config: DepthConfig) -> StoredDepth:
    depth, good = result.depth.numpy(), is_good(result, config)
    if frame.mask is not None:
        mask = cv2.resize(read_image(frame.mask), good.shape[::-1], interpolation=cv2.INTER_NEAREST)
        good &= mask > 127
    return StoredDepth(depth, good)


def write_depth(depths: FoundDepth, root: Path) -> Dense:
    """Puts depths into the capture at `root`, and makes its points3D.ply dense."""
    captured, cloud, colors = capture.read(root), depths.cloud, depths.colors
    folder = root / "depths"
    folder.mkdir()
    frames = []
    for frame, stored in zip(captured.frames, depths.maps, strict=True):
        path = folder / f"{frame.image.stem}.exr"
        depth_exr.write(path, stored.depth)
        frames.append(replace(frame, depth=path))
    if len(cloud) >= LEAST_CLOUD:
        tracked, hues = cloud[:0], colors[:0]
        if captured.points:
            tracked, hues, _ = points_ply.read(captured.points)
        points_ply.write(
            root / "points3D.ply", np.concatenate([tracked, cloud]), np.concatenate([hues, colors])
        )
    capture.write(
        root,
        frames,
        root / "points3D.ply",
        world=captured.reading.world,
        fps=captured.fps,
    )
    return Dense(
        float(np.mean([s.good.mean() for s in depths.maps])),
        len(cloud) if len(cloud) >= LEAST_CLOUD else 0,
    )
