"""Clips with exact truth, spoilt as people spoil theirs: filmed from one side, blurred, behind a
pole, with wrong masks, with wrong cameras, in too few pictures.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from backend.formats import capture
from backend.formats.capture import Capture, Frame
from backend.geometry.arrays import Pixels

POLES, WIDE = 3, 0.07  # bars that pass through the pictures, and their width as a share of them
Change = Callable[[list[Pixels], list[Frame]], tuple[list[Pixels], list[Frame]]]


def _same(images: list[Pixels], frames: list[Frame]) -> tuple[list[Pixels], list[Frame]]:
    return images, frames


def _blurred(images: list[Pixels], frames: list[Frame]) -> tuple[list[Pixels], list[Frame]]:
    """Out of focus by a twentieth of the picture, outlines too."""
    sigma = images[0].shape[1] / 20
    return [cv2.GaussianBlur(image, (0, 0), sigma) for image in images], frames


def _soft(images: list[Pixels], frames: list[Frame]) -> tuple[list[Pixels], list[Frame]]:
    """A little out of focus: colours, but not what the masks say."""
    sigma = images[0].shape[1] / 150
    soft = [cv2.GaussianBlur(image, (0, 0), sigma) for image in images]
    return [np.dstack([s[..., :3], i[..., 3]]) for s, i in zip(soft, images, strict=True)], frames


def _few(images: list[Pixels], frames: list[Frame]) -> tuple[list[Pixels], list[Frame]]:
    return images[::6], frames[::6]


def _masks_of_others(images: list[Pixels], frames: list[Frame]) -> tuple[list[Pixels], list[Frame]]:
    """Paired with the wrong photographs."""
    count = len(images)
    others = [images[(7 * k + count // 3) % count][..., 3] for k in range(count)]
    return [np.dstack([i[..., :3], o]) for i, o in zip(images, others, strict=True)], frames


def _torn_masks(images: list[Pixels], frames: list[Frame]) -> tuple[list[Pixels], list[Frame]]:
    """A network that takes another half of the object in every picture."""
    torn = []
    for k, image in enumerate(images):
        half = image.copy()
        columns = np.arange(image.shape[1]) < image.shape[1] / 2
        half[:, columns if k % 2 else ~columns, 3] = 0
        torn.append(half)
    return torn, frames


def _cameras_of_others(
    images: list[Pixels], frames: list[Frame]
) -> tuple[list[Pixels], list[Frame]]:
    order = np.random.default_rng(0).permutation(len(frames))
    return images, [
        replace(frame, camera_to_world=frames[k].camera_to_world)
        for frame, k in zip(frames, order, strict=True)
    ]


def poles(images: list[Pixels]) -> list[Pixels]:
    """Gray bars that travel through the pictures, as the mask of what they hide."""
    height, width = images[0].shape[:2]
    hidden = []
    for k in range(len(images)):
        bars = np.zeros((height, width), np.uint8)
        for pole in range(POLES):
            start = int(((pole / POLES + k / len(images)) % 1) * width)
            bars[:, start : start + round(WIDE * width)] = 255
        hidden.append(bars)
    return hidden


def _behind(gray: int) -> Change:
    """Poles before the object, `gray` in the masks."""

    def change(images: list[Pixels], frames: list[Frame]) -> tuple[list[Pixels], list[Frame]]:
        shown = []
        for image, bars in zip(images, poles(images), strict=True):
            there = image.copy()
            there[bars > 0] = (90, 90, 90, gray)
            shown.append(there)
        return shown, frames

    return change


# what was done -> how; `one side`, `unfinished` and `as it is` change nothing of the pictures
CHANGES: dict[str, Change] = {
    "as it is": _same,
    "one side": _same,
    "unfinished": _same,
    "a little out of focus": _soft,
    "behind poles that are told": _behind(128),
    "behind poles": _behind(0),
    "few pictures": _few,
    "blurred": _blurred,
    "torn masks": _torn_masks,
    "masks of others": _masks_of_others,
    "cameras of others": _cameras_of_others,
}


def spoil(source: Capture, folder: Path, how: str) -> Path:
    """A capture of RGB pictures, spoilt, with its masks in `folder`/masks; the folder."""
    images = [
        cv2.cvtColor(cv2.imread(str(f.image), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
        for f in source.frames
    ]
    changed, frames = CHANGES[how](images, source.frames)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = []
    for image, frame in zip(changed, frames, strict=True):
        path = folder / "images" / f"{frame.image.stem}.png"
        cv2.imwrite(str(path), cv2.cvtColor(image[..., :3], cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / "masks" / path.name), image[..., 3])
        written.append(replace(frame, image=path, mask=None))
    capture.write(folder, written, None, fps=source.fps)
    return folder
