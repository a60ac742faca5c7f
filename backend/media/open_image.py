"""Pictures from outside, the one place where Pillow opens them: of formats that pictures have, and
of a size that can be held. Pillow itself would hand PostScript to Ghostscript, and much else to
decoders that no photographer needs.
"""

import contextlib
import functools
import io
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..formats import gate
from ..formats.limits import MOST_PICTURE_FILE, MOST_PIXELS
from ..protocol import InputError

try:  # iPhones' format, by libheif
    import pillow_heif
except Exception:  # noqa: BLE001 - missing, or damaged in whatever way: such pictures are left out by name
    pass
else:
    pillow_heif.register_heif_opener()

# MPO: several JPEG in one file, as phones write for depth and motion
KNOWN = ("JPEG", "MPO", "PNG", "TIFF", "WEBP", "BMP", "DIB", "GIF", "PPM", "AVIF", "HEIF")
UNREADABLE = (
    OSError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    ValueError,
    SyntaxError,  # what Pillow raises for some broken PNG files
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    EOFError,
    struct.error,
    RuntimeError,  # libheif's
    NotImplementedError,
    ZeroDivisionError,
)


@functools.cache
def formats() -> tuple[str, ...]:
    """The formats that this environment's Pillow reads, by Pillow's names."""
    Image.init()
    return tuple(name for name in KNOWN if name in Image.OPEN)


class TooLargePicture(InputError):
    """The picture has more pixels than memory is given for."""


@contextlib.contextmanager
def opened(path: Path, what: str = "picture") -> Iterator[Image.Image]:
    """The image, not decoded yet; what goes wrong with its pixels in the block is told likewise.

    Raises:
        InputError: it is no image, is damaged, or far too large. `what` it is stands in the text.
    """
    with (
        gate.opened(path, MOST_PICTURE_FILE) as file,
        _told(f"The {what} {path.name}"),
        _of_known_format(file, path.name) as image,
    ):
        yield image


@contextlib.contextmanager
def opened_bytes(data: bytes, name: str) -> Iterator[Image.Image]:
    """The same of a picture in memory, that is called `name`."""
    with _told(f"The picture {name}"), _of_known_format(io.BytesIO(data), name) as image:
        yield image


@contextlib.contextmanager
def _told(subject: str) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise InputError(
            f"{subject} can't be read.", "Replace it, or remove it from the capture."
        ) from error


@contextlib.contextmanager
def _of_known_format(file: gate.BinaryIO, name: str) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is checked here
        try:
            image = Image.open(file, formats=formats())
        except Image.DecompressionBombError as error:
            raise _too_large(name) from error
    with image:
        check_size(image.size, name)
        yield image


def _too_large(name: str) -> TooLargePicture:
    most = f"{MOST_PIXELS / 1e6:.0f} million"
    return TooLargePicture(f"{name} is far too large.", f"Scale it down below {most} pixels.")


def check_size(size: tuple[int, int], name: str) -> None:
    """InputError for a picture of more pixels than are believed."""
    if size[0] * size[1] > MOST_PIXELS:
        raise _too_large(name)
