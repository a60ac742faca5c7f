"""What bundle adjustment works on: cameras, one lens, points; and what of it may move."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...media.tracks.tracks import Tracks

# by which a point's fourth coordinate may fall below zero: infinity, give or take a pixel
FAR = 1e-3


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """Cameras of n frames and the points they see; OpenCV axes, world to camera, float64.

    The lens: x = X / Z, uv = focal * x * (1 + k1 |x|^2 + k2 |x|^4) + centre. Points are
    homogeneous, so that they may lie at infinity, where a camera that only turns puts them all.
    """

    rotations: Tensor  # (n, 3, 3)
    translations: Tensor  # (n, 3)
    focals: Tensor  # (n,) pixels
    radial: Tensor  # (2,) k1 k2
    center: Tensor  # (2,) pixels
    points: Tensor  # (P, 4) of length 1

    @property
    def centers(self) -> Tensor:
        """(n, 3) positions of the cameras."""
        return -(self.rotations.transpose(1, 2) @ self.translations[..., None])[..., 0]

    @property
    def viewmats(self) -> Tensor:
        """(n, 4, 4)"""
        out = torch.eye(4, dtype=torch.float64).repeat(len(self.rotations), 1, 1)
        out[:, :3, :3], out[:, :3, 3] = self.rotations, self.translations
        return out


def unit_of_size(size: tuple[int, int]) -> float:
    """Pixels of a picture of `size` for one pixel of a picture 320 wide, which errors are judged
    in.
    """
    return max(size) / 320


def unit_of(solve: Reconstruction) -> float:
    """The same for the pictures of a solve."""
    return float(solve.center.max()) / 160


@dataclass(frozen=True)
class Observations:
    """Tracks as tensors, sorted by point."""

    frame: Tensor  # (O,) int64
    point: Tensor  # (O,) int64
    uv: Tensor  # (O, 2) float64

    @classmethod
    def of(cls, tracks: Tracks) -> "Observations":
        """From tracks; (O, 2) pixels in double precision."""
        return cls(
            torch.from_numpy(tracks.frame),
            torch.from_numpy(tracks.point),
            torch.from_numpy(tracks.uv),
        )


def in_camera(solve: Reconstruction, observations: Observations) -> Tensor:
    """(O, 3) the observed points in the axes of the camera that saw them, up to a positive
    factor.
    """
    rotated = solve.rotations[observations.frame] @ solve.points[observations.point, :3, None]
    return (
        rotated[..., 0]
        + solve.translations[observations.frame] * solve.points[observations.point, 3:]
    )


def project(solve: Reconstruction, observations: Observations) -> Tensor:
    """(O, 2) pixels."""
    seen = in_camera(solve, observations)
    depth = torch.where(seen[:, 2:].abs() < 1e-9, 1e-9, seen[:, 2:])
    x = seen[:, :2] / depth
    r2 = (x * x).sum(1, keepdim=True)
    distortion = 1 + r2 * (solve.radial[0] + r2 * solve.radial[1])
    return solve.focals[observations.frame, None] * distortion * x + solve.center


def errors(solve: Reconstruction, observations: Observations) -> Tensor:
    """(O,) reprojection errors in pixels; infinite behind the camera."""
    distance = (project(solve, observations) - observations.uv).norm(dim=1)
    in_front = (in_camera(solve, observations)[:, 2] > 1e-9) & (
        solve.points[observations.point, 3] > -FAR
    )
    return torch.where(in_front, distance, torch.inf)


def facing(solve: Reconstruction) -> Reconstruction:
    """Points before the cameras: moving the other way among points beyond infinity looks just the
    same.
    """
    if len(solve.points) == 0 or float(solve.points[:, 3].median()) >= 0:
        return solve
    points = torch.cat([solve.points[:, :3], -solve.points[:, 3:]], 1)
    return replace(solve, translations=-solve.translations, points=points)


def bearings(solve: Reconstruction, observations: Observations) -> Tensor:
    """(O, 3) unit directions of the observations in their camera's axes; the lens undone by
    fixed-point iteration.
    """
    distorted = (observations.uv - solve.center) / solve.focals[observations.frame, None]
    x = distorted
    for _ in range(8):
        r2 = (x * x).sum(1, keepdim=True).clamp(max=4.0)
        x = distorted / (1 + r2 * (solve.radial[0] + r2 * solve.radial[1])).clamp(min=0.2)
    return torch.nn.functional.normalize(torch.cat([x, torch.ones_like(x[:, :1])], 1), dim=1)


def travelled(centers: Tensor) -> float:
    """Length of the path through positions (n, 3). A full circle is 2 pi times its spread; zigzags
    between photos in no order count no further, or else every error would look small beside them.
    """
    spread = (centers - centers.mean(0)).square().sum(1).mean().sqrt()
    return float(
        torch.minimum(centers.diff(dim=0).norm(dim=1).sum(), 2 * math.pi * spread).clamp(min=1e-12)
    )


def with_frames(solve: Reconstruction, frames: np.ndarray) -> Reconstruction:
    """Of some frames only; the points stay."""
    index = torch.from_numpy(np.asarray(frames))
    return replace(
        solve,
        rotations=solve.rotations[index],
        translations=solve.translations[index],
        focals=solve.focals[index],
    )


def unit_scale(solve: Reconstruction) -> Reconstruction:
    """The world moved and scaled so that the cameras' spread is about 1: what keeps the equations
    well conditioned.
    """
    centers = solve.centers
    middle = centers.mean(0)
    scale = 1.0 / float((centers - middle).norm(dim=1).mean().clamp(min=1e-12))
    if not np.isfinite(scale) or scale > 1e9:
        return solve
    translations = (solve.translations + (solve.rotations @ middle[:, None])[..., 0]) * scale
    moved = torch.cat(
        [solve.points[:, :3] - middle * solve.points[:, 3:], solve.points[:, 3:] / scale], 1
    )
    return replace(
        solve, translations=translations, points=torch.nn.functional.normalize(moved, dim=1)
    )
