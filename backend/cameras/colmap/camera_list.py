"""A COLMAP model's list of cameras, looked into where COLMAP itself can't read the model."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pycolmap

from ...formats.colmap_names import PARTS
from ...formats.gate import lines, read_bytes
from ...formats.limits import MOST_TEXT
from ...protocol import InputError

HEAD = struct.Struct("<IiQQ")  # camera, its model's number, width, height
NAMES = {
    int(model): name
    for name, model in pycolmap.CameraModelId.__members__.items()
    if int(model) >= 0
}


def unknown_model(folder: Path) -> str:
    """What the first camera's model is called, or its number, that COLMAP does not know; "" where
    it knows all that could be read.
    """
    whole = all((folder / f"{part}.bin").is_file() for part in PARTS)
    try:
        if whole or not (folder / "cameras.txt").is_file():
            models = _binary_models(read_bytes(folder / "cameras.bin", MOST_TEXT))
        else:
            models = _text_models(folder / "cameras.txt")
        return next((model for model in models if model not in NAMES.values()), "")
    except (OSError, InputError, struct.error):
        return ""


def _binary_models(data: bytes) -> Iterator[str]:
    """Ends behind an unknown one, whose length no one knows."""
    (count,) = struct.unpack_from("<Q", data)
    place = 8
    for _ in range(count):
        _, number, _, _ = HEAD.unpack_from(data, place)
        if number not in NAMES:
            yield f"number {number}"
            return
        yield NAMES[number]
        lens = pycolmap.Camera.create_from_model_name(0, NAMES[number], 1.0, 1, 1)
        place += HEAD.size + 8 * len(lens.params)


def _text_models(path: Path) -> Iterator[str]:
    for raw in lines(path):
        words = raw.decode("utf-8", "replace").lstrip("\ufeff").split(None, 4)
        if len(words) > 3 and not words[0].startswith("#"):
            yield words[1][:40]
