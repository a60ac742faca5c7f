"""What views see of the splats' surface: depth, points and normals of every pixel, and which of
them other views confirm.

Depth is that of the rasteriser, not of splats' centres: trained splats are flat, long, half
transparent, and lie before and behind the surface that they draw together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from ...gaussians.options import Drawables, RasterOptions, RasterView
from ...gaussians.rasterize import rasterize
from ...geometry.arrays import Doubles, Flags, Floats, Pixels


@dataclass(frozen=True, kw_only=True)
class SeenConfig:
    """What counts as a surface. Distances are shares of a pixel's depth."""

    opaque: float = 0.5  # alpha of a pixel that shows one
    spread: float = 0.3  # standard deviation of what is blended into a pixel, at most
    agreement: float = 0.04  # between the depths of two views
    witnesses: int = 8  # nearest views that are asked
    floating: float = 0.05  # before what a view sees, from which a splat is in mid-air


@dataclass(frozen=True, kw_only=True)
class SeenView:
    """One view's pixels."""

    view: RasterView
    image: Pixels  # (H, W, 3)
    depth: Floats  # (H, W)
    points: Floats  # (H, W, 3) in the world
    normals: Floats  # (H, W, 3) of length 1, towards the camera
    known: Flags  # (H, W) whether there is a surface


def see(
    gaussians: Drawables,
    view: RasterView,
    image: Pixels,
    options: RasterOptions,
    config: SeenConfig = SeenConfig(),
) -> SeenView:
    """A view by itself."""
    depth, spread, alpha = _moments(gaussians, view, options)
    known = (alpha > config.opaque) & (spread < config.spread * depth)
    points = points_of(depth, view)
    smooth = points_of(cv2.GaussianBlur(depth, (0, 0), 1.0), view)
    return SeenView(
        view=view,
        image=image,
        depth=depth,
        points=points,
        normals=_normals(smooth, view),
        known=known,
    )


def halved(view: RasterView, image: Pixels) -> tuple[RasterView, Pixels]:
    """A view of half the size, with its picture (H, W, 3)."""
    K = view.K.clone()
    K[:2] /= 2
    width, height = max(view.width // 2, 1), max(view.height // 2, 1)
    return replace(view, K=K, width=width, height=height), image[::2, ::2][:height, :width]


def _moments(
    gaussians: Drawables, view: RasterView, options: RasterOptions
) -> tuple[Floats, Floats, Floats]:
    """(H, W) mean and standard deviation of the depths that are blended into a pixel, and alpha."""
    z = gaussians.means @ view.viewmat[2, :3] + view.viewmat[2, 3]
    before = z[z > 0]
    unit = float(before.median()) if len(before) else 1.0  # squares of large numbers cancel badly
    z = z / unit
    drawn = rasterize(
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        gaussians.opacities,
        torch.stack([z, z * z, torch.ones_like(z)], 1),
        view.viewmat[None],
        view.K[None],
        view.width,
        view.height,
        options=replace(options, blend="srgb"),
    )
    image = drawn.image[0].float().cpu().numpy()
    alpha = image[..., 2]
    mean, square = (image[..., :2] / np.maximum(alpha, 1e-6)[..., None]).transpose(2, 0, 1)
    return mean * unit, np.sqrt(np.maximum(square - mean * mean, 0)) * unit, alpha


def points_of(depth: Floats, view: RasterView) -> Floats:
    """(H, W, 3) where pixels of that depth lie in the world."""
    K, viewmat = view.K.double().cpu().numpy(), view.viewmat.double().cpu().numpy()
    height, width = depth.shape
    x = (np.arange(width) + 0.5 - K[0, 2]) / K[0, 0]
    y = (np.arange(height) + 0.5 - K[1, 2]) / K[1, 1]
    local = np.stack([depth * x, depth * y[:, None], depth], -1)
    return np.asarray((local - viewmat[:3, 3]) @ viewmat[:3, :3], np.float32)


def center_of(view: RasterView) -> Doubles:
    """(3,) where a camera stands."""
    viewmat = view.viewmat.double().cpu().numpy()
    return np.asarray(-viewmat[:3, :3].T @ viewmat[:3, 3])


def _normals(points: Floats, view: RasterView, reach: int = 2) -> Floats:
    across, down = np.zeros_like(points), np.zeros_like(points)
    across[:, reach:-reach] = points[:, 2 * reach :] - points[:, : -2 * reach]
    down[reach:-reach] = points[2 * reach :] - points[: -2 * reach]
    normals = np.cross(across, down)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    towards = ((center_of(view) - points) * normals).sum(-1, keepdims=True)
    return np.asarray(normals * np.sign(towards), np.float32)


def project(points: Floats, seen: SeenView) -> tuple[Floats, Floats, Flags]:
    """Of points (…, 3): their depth in a view, the depth of what the view sees there, and whether
    it sees anything there.
    """
    K, viewmat = seen.view.K.double().cpu().numpy(), seen.view.viewmat.double().cpu().numpy()
    local = points @ viewmat[:3, :3].T + viewmat[:3, 3]
    z = local[..., 2]
    safe = np.where(z > 1e-6, z, 1)
    column = np.floor(local[..., 0] / safe * K[0, 0] + K[0, 2])
    row = np.floor(local[..., 1] / safe * K[1, 1] + K[1, 2])
    height, width = seen.depth.shape
    inside = (z > 1e-6) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    at = np.where(inside, row * width + column, 0).astype(np.int64)
    there = inside & seen.known.ravel()[at]
    return z.astype(np.float32), seen.depth.ravel()[at], there


def looked_through(
    points: Floats, views: Sequence[SeenView], tolerance: Floats | float
) -> tuple[Floats, Floats]:
    """(N,) by how many views points (N, 3) are looked through, and by how many they are seen to be
    at the surface. `tolerance`: a share of the depth, or distances (N,).
    """
    through, at = np.zeros(len(points), np.float32), np.zeros(len(points), np.float32)
    for seen in views:
        z, depth, there = project(points, seen)
        relative = isinstance(tolerance, float)
        slack = tolerance * depth if relative else np.maximum(tolerance, 0.01 * z)
        through += there & (z < depth - slack)
        at += there & (np.abs(z - depth) <= slack)
    return through, at


def confirmed(views: Sequence[SeenView], config: SeenConfig = SeenConfig()) -> list[SeenView]:
    """Views whose pixels are known only where as many of the nearest other views see a surface
    there as look through it; what only one view shows is believed.
    """
    centers = np.array([center_of(v.view) for v in views])
    sure = []
    for i, seen in enumerate(views):
        order = np.argsort(np.square(centers - centers[i]).sum(1), kind="stable")
        near = [views[j] for j in order if j != i][: config.witnesses]
        some = seen.points[::2, ::2]  # every other pixel speaks for its neighbours too
        through, at = looked_through(some.reshape(-1, 3), near, config.agreement)
        agreed = (at >= through).reshape(some.shape[:2]).repeat(2, 0).repeat(2, 1)
        height, width = seen.known.shape
        sure.append(replace(seen, known=seen.known & agreed[:height, :width]))
    return sure


def floating(gaussians: Drawables, views: Sequence[SeenView], config: SeenConfig) -> Flags:
    """(N,) Gaussians that hang before the surface: haze and floaters."""
    means = gaussians.means.detach().float().cpu().numpy()
    through, at = looked_through(means, views, config.floating)
    return np.asarray((through >= 2) & (through > 2 * at))
