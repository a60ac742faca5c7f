"""The footage's pictures, one at a time: a clip of any length never lies in memory whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import cv2
import numpy as np

from ...geometry.arrays import Pixels
from ...media.frames import Footage, fit_size
from ...protocol import InputError


def read_image(path: Path, color: bool = False) -> Pixels:
    """(H, W) grey or (H, W, 3) RGB."""
    kind = cv2.IMREAD_COLOR if color else cv2.IMREAD_GRAYSCALE
    try:
        # not cv2.imread: it can't open every name on Windows
        image = cv2.imdecode(np.fromfile(path, np.uint8), kind | cv2.IMREAD_IGNORE_ORIENTATION)
    except (OSError, cv2.error):  # a size that no picture has, among others
        image = None
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
