"""Masks of the footage, given or found, put beside the capture's undistorted pictures."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..formats import capture
from ..formats.capture import Frame
from .pictures import Pixels, read_picture


def undistorted(mask: Pixels, frame: Frame, focal: float, radial: tuple[float, float]) -> Pixels:
    """The mask (H, W) of the footage's picture as its undistorted `frame` sees it; the lens as in bundle/state.py."""
    if not any(radial):
        return mask
    u, v = np.meshgrid(np.arange(frame.width) + 0.5, np.arange(frame.height) + 0.5)
    x, y = (u - frame.cx) / frame.fl_x, (v - frame.cy) / frame.fl_y
    r2 = x * x + y * y
    lens = focal * (1 + r2 * (radial[0] + r2 * radial[1]))
    height, width = mask.shape
    there = [(lens * a + side / 2 - 0.5).astype(np.float32) for a, side in ((x, width), (y, height))]
    return np.asarray(cv2.remap(mask, *there, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)


def carry(root: Path, masks: list[Path], focals: list[float], radial: tuple[float, float]) -> None:
    """Writes masks/ into the capture at `root` and names them in its transforms.json; one mask and focal length a frame."""
    found = capture.read(root)
    (root / "masks").mkdir()
    frames = []
    for frame, path, focal in zip(found.frames, masks, focals, strict=True):
        target = root / "masks" / f"{frame.image.stem}.png"
        Image.fromarray(undistorted(read_picture(path), frame, focal, radial)).save(target)
        frames.append(replace(frame, mask=target))
    capture.write(root, frames, found.points)
