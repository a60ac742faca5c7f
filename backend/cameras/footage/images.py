"""The footage's pictures, one at a time: a clip of any length never lies in memory whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from ...formats import gate
from ...formats.limits import MOST_PICTURE_FILE
from ...geometry.arrays import Pixels
from ...media.frames import Footage, fit_size
from ...media.open_image import TooLargePicture, opened_bytes
from ...protocol import InputError


def decoded(path: Path, flags: int) -> NDArray[Any] | None:
    """What OpenCV makes of a picture's file; None where it can't. InputError for what is no
    ordinary file, or far too large.
    """
    data = gate.read_bytes(path, MOST_PICTURE_FILE)  # by its name, not all of Windows' can be read
    try:
        with opened_bytes(data, path.name):
            pass  # of a size that can be held
    except TooLargePicture:
        raise
    except InputError:
        pass  # OpenCV knows some kinds that Pillow does not
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error:
        return None


def read_image(path: Path, color: bool = False) -> Pixels:
    """(H, W) grey or (H, W, 3) RGB."""
    mode = cv2.IMREAD_COLOR if color else cv2.IMREAD_GRAYSCALE
    image = decoded(path, mode | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise InputError(f"The picture {path.name} can't be read.", "Replace it or remove it.")
    return np.asarray(image[..., ::-1] if color else image, np.uint8)


class GrayFrames(Sequence[Pixels]):
    """Grey pictures of the footage, at most `max_side` pixels a side, read from disk whenever they
    are asked for.
    """

    def __init__(self, footage: Footage, max_side: int) -> None:
        self._paths = [footage.folder / name for name in footage.names]
        self.size = fit_size(footage.width, footage.height, max_side)
        self.scale = np.array(
            [footage.width / self.size[0], footage.height / self.size[1]]
        )  # from these pixels to the footage's

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pixels]: ...
    def __getitem__(self, index: int | slice) -> Pixels | list[Pixels]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        image = read_image(self._paths[index])
        if image.shape[::-1] == self.size:
            return image
        return np.asarray(cv2.resize(image, self.size, interpolation=cv2.INTER_AREA), np.uint8)
