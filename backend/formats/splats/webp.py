"""Lossless WebP pictures of bytes, as SOG files hold their numbers: by Pillow, or by what the
caller brings along, for Blender's Python has no Pillow.
"""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...geometry.arrays import Pixels
from ...protocol import SetupError


@dataclass(frozen=True, kw_only=True)
class WebP:
    """Turns a picture's bytes to (H, W, 4), refusing more pixels than `most` with a ValueError
    before it is decoded, and back without loss.
    """

    decode: Callable[[bytes, int], Pixels]
    encode: Callable[[Pixels], bytes]


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise SetupError(
            "SOG files need the package Pillow.", "Set up computing, or use SPZ instead."
        ) from error
    return Image


def _decode(data: bytes, most: int) -> Pixels:
    library = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures: their size is checked here
            image = library.open(io.BytesIO(data), formats=("WEBP", "PNG"))
    except library.DecompressionBombError as error:
        raise ValueError("larger than it may be") from error
    with image:
        if image.width * image.height > most:
            raise ValueError("larger than it may be")
        return np.asarray(image.convert("RGBA"))


def _encode(pixels: Pixels) -> bytes:
    """Quickly: what more effort saves is a hundredth."""
    out = io.BytesIO()
    picture = _pillow().fromarray(np.ascontiguousarray(pixels))
    picture.save(out, "WEBP", lossless=True, exact=True, quality=30, method=2)
    return out.getvalue()


PILLOW = WebP(decode=_decode, encode=_encode)
