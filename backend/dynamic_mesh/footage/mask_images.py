"""A picture that says where an object is: white is the object, black is not, the middle gray is
what stands before it.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ...formats.capture import IMAGES, Frame
from ...geometry.arrays import Flags, Pixels
from ...media.frames import to_eight_bit
from ...media.open_image import opened

UNKNOWN, NEARLY = 128, 2  # the gray of what hides the object, and what a JPEG makes of it
LEAST_UNKNOWN = 16  # pixels of that gray, or it is a soft edge


def open_image(path: Path, what: str) -> Image.Image:
    """Of eight bits, decoded; InputError where it can't be read."""
    with opened(path, what) as image:
        return to_eight_bit(image).copy()


def find_mask(folder: Path, frame: Frame) -> Path | None:
    """The mask of a picture: of its name, or of its name with another ending."""
    named = [frame.image, *([Path(frame.source)] if frame.source else [])]
    names = [n for path in named for n in (path.name, path.stem)]
    candidates = [folder / f"{name}{ending}" for name in names for ending in ("", *IMAGES)]
    return next((c for c in candidates if c.is_file()), None)


def read_mask(path: Path, size: tuple[int, int]) -> Pixels:
    """(H, W) 0..255 at a picture's size; transparency counts where a mask has it, every colour of a
    palette but the first, and 1 in a mask of 0 and 1.
    """
    mask = open_image(path, "mask")
    if mask.mode == "P":
        return np.asarray(
            (np.asarray(mask.resize(size, Image.Resampling.NEAREST)) > 0) * 255, np.uint8
        )
    clear = mask.mode in ("RGBA", "LA") and mask.getchannel("A").getextrema() != (255, 255)
    gray = mask.getchannel("A") if clear else mask.convert("L")
    if gray.getextrema()[1] == 1:
        gray = gray.point(lambda value: 255 * value)
    return np.asarray(gray.resize(size, Image.Resampling.BILINEAR))


def read_unknown(path: Path, size: tuple[int, int]) -> Flags | None:
    """(H, W) of a picture's size, where a mask is of the middle gray (128): something hides the
    object there, if it is there. None where a mask has no patch of it.
    """
    mask = open_image(path, "mask")
    if mask.mode == "P":
        return None
    gray = np.asarray(mask.convert("L").resize(size, Image.Resampling.NEAREST)).astype(np.int16)
    patch: Flags = np.abs(gray - UNKNOWN) <= NEARLY
    if gray.max() <= 1 or patch.sum() < LEAST_UNKNOWN:
        return None
    # an edge between black and white is gray too, but thin: a patch has an inside
    core = cv2.erode(patch.astype(np.uint8), np.ones((3, 3), np.uint8))
    grown = cv2.dilate(core, np.ones((3, 3), np.uint8)) > 0
    return (patch & grown) if core.any() else None
