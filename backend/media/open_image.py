"""Images of a capture, opened with a sentence where they can't be read."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..protocol import InputError

UNREADABLE = (
    OSError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    ValueError,
    SyntaxError,  # what Pillow raises for some broken PNG files
)


@contextlib.contextmanager
def opened(path: Path, what: str = "picture") -> Iterator[Image.Image]:
    """The image, not decoded yet; what goes wrong with its pixels in the block is told likewise.

    Raises:
        InputError: it is no image, is damaged, or far too large. `what` it is stands in the text.
    """
    try:
        with Image.open(path) as image:
            yield image
    except UNREADABLE as error:
        raise InputError(
            f"The {what} {path.name} can't be read.", "Replace it, or remove it from the capture."
        ) from error
