"""What splat files need of packages, by what Blender brings along: its images for SOG's pictures,
its own USD.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ....backend.formats.splats import usd
from ....backend.formats.splats.files import Tools
from ....backend.formats.splats.webp import WebP
from ....backend.geometry.arrays import Pixels
from ....backend.protocol import SetupError


def tools() -> Tools:
    """For reading and writing any format in Blender's own Python."""
    return Tools(webp=WebP(decode=_decode, encode=_encode), pxr=_pxr)


def _pxr() -> Any:
    expose = getattr(bpy.utils, "expose_bundled_modules", None)
    if expose is not None:
        expose()
    try:
        return usd.bundled()
    except SetupError as error:
        raise SetupError(
            "This Blender was built without USD.", "Use blender.org's build, or another format."
        ) from error


@contextmanager
def _image(image: bpy.types.Image) -> Iterator[bpy.types.Image]:
    """With its numbers as they are; gone at the end."""
    try:
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"
        yield image
    finally:
        bpy.data.images.remove(image)


def _decode(data: bytes, most: int) -> Pixels:
    """(H, W, 4). Raises ValueError for what is no picture, or too large a one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.webp"
        path.write_bytes(data)
        try:
            loaded = bpy.data.images.load(str(path))
        except RuntimeError as error:
            raise ValueError("no picture") from error
        with _image(loaded) as image:
            width, height = image.size
            if not 0 < width * height <= most:
                raise ValueError("no picture, or larger than it may be")
            values = np.empty(width * height * 4, np.float32)
            image.pixels.foreach_get(values)
    return np.rint(values * 255).astype(np.uint8).reshape(height, width, 4)[::-1]


def _encode(pixels: Pixels) -> bytes:
    """Without loss, but for colours that nothing shows (Blender's quality 100 is lossless)."""
    height, width = pixels.shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.webp"
        with _image(bpy.data.images.new("SOG", width, height, alpha=True)) as image:
            image.pixels.foreach_set((pixels[::-1].astype(np.float32) / 255).ravel())
            image.file_format = "WEBP"
            image.save(filepath=str(path), quality=100)
        return path.read_bytes()
