"""Masks of the footage, given or found, put beside the capture's undistorted pictures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ...formats import capture
from ...formats.capture import Frame
from ...geometry.arrays import Pixels
from ...geometry.conventions import intrinsics
from .images import read_image


def two_tone(path: Path, size: tuple[int, int]) -> Pixels:
    """A mask of any kind, (H, W) of `size` (width, height): 0 where it hides, 255 where it
    shows.
    """
    mask = read_image(path)
    level = 127 if mask.max(initial=0) > 1 else 0
    return np.asarray(
        cv2.resize((mask > level).astype(np.uint8) * 255, size, interpolation=cv2.INTER_NEAREST),
        np.uint8,
    )


def undistorted(mask: Pixels, frame: Frame, lens: Sequence[float]) -> Pixels:
    """The mask (H, W) of a picture taken through `lens` (fx fy cx cy k1 k2 p1 p2, OpenCV's model,
    pixels) as its undistorted `frame` sees it.
    """
    size = (frame.width, frame.height)
    if not any(lens[4:]) and mask.shape == size[::-1]:
        return mask
    before, after = (
        intrinsics(fx, fy, cx - 0.5, cy - 0.5)
        for fx, fy, cx, cy in (lens[:4], (frame.fl_x, frame.fl_y, frame.cx, frame.cy))
    )
    there = cv2.initUndistortRectifyMap(
        before, np.array(lens[4:], np.float64), None, after, size, cv2.CV_32FC1
    )
    return np.asarray(
        cv2.remap(mask, *there, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0),
        np.uint8,
    )


def carry(root: Path, masks: Iterable[Pixels | None], lenses: Iterable[Sequence[float]]) -> None:
    """Writes masks/ into the capture at `root` and names them in its transforms.json; one mask and
    lens a frame.
    """
    captured = capture.read(root)
    (root / "masks").mkdir()
    frames = []
    for frame, mask, lens in zip(captured.frames, masks, lenses, strict=True):
        target = root / "masks" / f"{frame.image.stem}.png" if mask is not None else None
        if mask is not None and target is not None:
            Image.fromarray(undistorted(mask, frame, lens)).save(target)
        frames.append(replace(frame, mask=target))
    capture.write(root, frames, captured.points, captured.fps)


def source_of(frame: Frame, root: Path) -> str:
    """What a given frame is known by: its picture's name before it was copied, else its place in
    the given capture.
    """
    return frame.source or (
        frame.image.relative_to(root).as_posix()
        if frame.image.is_relative_to(root)
        else frame.image.name
    )


def carry_given(
    root: Path, given: Sequence[Frame], lenses: Sequence[Sequence[float]], came_from: Path
) -> None:
    """The masks that given cameras brought along, for those of them that are in the capture at
    `root`, in their order.
    """
    rest = iter(zip(given, lenses, strict=True))
    pairs = [
        next(p for p in rest if source_of(p[0], came_from) == f.source)
        for f in capture.read(root).frames
    ]

    def masks() -> Iterator[Pixels | None]:
        for frame, _ in pairs:
            shown = frame.mask is not None and frame.mask.is_file()
            yield (
                two_tone(frame.mask, capture.image_size(frame.image))
                if shown and frame.mask
                else None
            )

    carry(root, masks(), [lens for _, lens in pairs])
