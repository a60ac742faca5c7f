"""The part of a picture around the object, scaled, with the camera that sees just it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...formats import depth_exr
from ...formats.capture import Frame
from ...geometry.arrays import Flags, Pixels
from .mask_images import read_mask
from .placement import HALF
from .timed_views import KNOWN, PyramidLevel

Gray = NDArray[np.float32]
STANDING = 0.9  # share of an object that was not masked: less was overlooked


@dataclass(frozen=True)
class ObjectImage:
    color: Pixels  # (H, W, 3)
    alpha: Pixels  # (H, W), 255 where the object is
    unknown: Flags | None = None  # (H, W) where something hides what is behind


def bounds(alpha: Pixels, margin: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels around the object in an alpha (H, W), `margin` of its
    longer side and four pixels away.
    """
    rows, columns = np.nonzero(alpha > HALF)
    pad = int(np.ceil(margin * max(np.ptp(rows), np.ptp(columns)))) + 4
    height, width = alpha.shape
    return (
        max(0, int(columns.min()) - pad),
        max(0, int(rows.min()) - pad),
        min(width, int(columns.max()) + 1 + pad),
        min(height, int(rows.max()) + 1 + pad),
    )


def _whole(low: int, high: int, limit: int, scale: float) -> tuple[int, int, int]:
    """A stretch of pixels about low..high within 0..limit, and how many it becomes at the scale: a
    multiple of four, so that halves and quarters keep their pixels' places. At scale 1 every pixel
    stays what it is; else all of low..high is in it.
    """
    small = max(8, math.ceil((high - low) * scale / 4 - 1e-6) * 4)
    wide = min(limit, round(small / scale))
    if scale == 1.0 and wide >= 8:
        small = wide = wide // 4 * 4
    start = max(0, min(low, limit - wide))
    return start, start + wide, small


def _resized(values: Gray, width: int, height: int) -> torch.Tensor:
    """(H, W) or (H, W, C) averaged down, each pixel by the share that falls into the new one."""
    return torch.from_numpy(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))


def cut_out(
    frame: Frame, image: ObjectImage, radius: float, scale: float, margin: float
) -> PyramidLevel:
    """The object's part of a picture with its camera, scaled; lengths in units of the box, whose
    half side is `radius`.
    """
    left, top, right, bottom = bounds(image.alpha, margin)
    left, right, width = _whole(left, right, image.alpha.shape[1], scale)
    top, bottom, height = _whole(top, bottom, image.alpha.shape[0], scale)
    K = torch.tensor(frame.K, dtype=torch.float32)
    K[0, 2] -= left
    K[1, 2] -= top
    K[0] *= width / (right - left)
    K[1] *= height / (bottom - top)
    share = np.asarray(image.alpha[top:bottom, left:right] / 255, np.float32)
    color = _resized(
        np.asarray(image.color[top:bottom, left:right] / 255 * share[..., None], np.float32),
        width,
        height,
    )
    alpha = _resized(share, width, height)
    known = None
    if image.unknown is not None:
        told = np.asarray(~image.unknown[top:bottom, left:right], np.float32)
        known = _resized(told, width, height) > KNOWN
    full_height, full_width = image.alpha.shape
    return PyramidLevel(
        color=color,
        alpha=alpha,
        K=K,
        depth=_depth(frame, (left, top, right, bottom), alpha, radius),
        known=known,
        ends=(left == 0, top == 0, right == full_width, bottom == full_height),
    )


def _depth(
    frame: Frame, box: tuple[int, int, int, int], alpha: torch.Tensor, radius: float
) -> torch.Tensor | None:
    """(H, W) of a cut-out, in units of the box, 0 where it is unknown. A capture's masks show what
    stood still while its cameras were solved; depth of anything else was matched between pictures
    as if it had stood as well, so it is wrong. None for an object that is not nearly all unmasked:
    what is left of it was overlooked.
    """
    if frame.depth is None:
        return None
    full = depth_exr.read(frame.depth)
    left, top, right, bottom = box
    down = _places(len(alpha), top, bottom, full.shape[0] / frame.height)
    across = _places(alpha.shape[1], left, right, full.shape[1] / frame.width)
    inside = alpha > 0.9
    if frame.mask is not None and frame.mask.is_file():
        stood = torch.from_numpy(read_mask(frame.mask, full.shape[::-1])[down][:, across] > HALF)
        if (stood & inside).sum() < STANDING * inside.sum():
            return None
        inside = inside & stood
    return torch.where(inside, torch.from_numpy(full[down][:, across] / radius).float(), 0)


def _places(count: int, low: int, high: int, scale: float) -> NDArray[np.int64]:
    """(count,) where the pixels lie, in a picture of another scale, that a stretch low..high has
    become.
    """
    return (((np.arange(count) + 0.5) / count * (high - low) + low) * scale).astype(np.int64)
