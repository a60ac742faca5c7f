"""Pictures as networks want them, and the files of a model in a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..formats.json_file import read_json
from ..geometry.arrays import Floats, Pixels
from ..protocol import InputError

SETTINGS = "preprocessor_config.json"  # as the hub's models have it beside them
MOST_SIDE = 4096  # pixels


@dataclass(frozen=True)
class Normalization:
    """Colours 0..1 less `mean`, divided by `deviation`; both (3,). By default ImageNet's."""

    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    deviation: tuple[float, ...] = (0.229, 0.224, 0.225)

    def of(self, image: Pixels) -> Floats:
        """(1, 3, H, W) of a picture (H, W, 3)."""
        mean, deviation = (np.array(v, np.float32) for v in (self.mean, self.deviation))
        shown = (image.astype(np.float32) / 255 - mean) / deviation
        return np.ascontiguousarray(shown.transpose(2, 0, 1)[None])


def normalization_beside(path: Path, plain: Normalization = Normalization()) -> Normalization:
    """What the settings say that lie beside a model, or one folder above it; `plain` where there
    are none. InputError where they can't be used.
    """
    settings = _settings(path)
    return plain if settings is None else _read(settings, plain)


def side_beside(path: Path, plain: int) -> int:
    """The side of the squares that such settings say a model takes; `plain` where they say none."""
    settings = _settings(path)
    told: Any = {} if settings is None else read_json(settings)
    for name in ("crop_size", "size") if isinstance(told, dict) else ():
        size = told.get(name)
        size = size.get("height", size.get("shortest_edge")) if isinstance(size, dict) else size
        if type(size) is int and 0 < size <= MOST_SIDE:
            return size
    return plain


def _settings(path: Path) -> Path | None:
    places = (folder / SETTINGS for folder in (path.parent, path.parent.parent))
    return next((settings for settings in places if settings.is_file()), None)


def _read(path: Path, plain: Normalization) -> Normalization:
    told: Any = read_json(path)
    told = told if isinstance(told, dict) else {}
    try:
        if told.get("do_normalize") is False:
            return Normalization((0.0,) * 3, (1.0,) * 3)
        mean = tuple(float(v) for v in told.get("image_mean", plain.mean))
        deviation = tuple(float(v) for v in told.get("image_std", plain.deviation))
    except (TypeError, ValueError) as error:
        raise _useless(path) from error
    is_whole = len(mean) == len(deviation) == 3 and np.isfinite([*mean, *deviation]).all()
    if not is_whole or min(deviation) <= 0:
        raise _useless(path)
    return Normalization(mean, deviation)


def _useless(path: Path) -> InputError:
    return InputError(
        f"{path.name} does not say which colours the model was trained on.",
        "Get the model's folder again, or leave that file out: then the usual ones are taken.",
    )


def model_file(given: Path, *parts: str) -> Path:
    """The ONNX file that is meant: `given` itself, or the one in that folder, or in its folder
    `onnx`, whose name holds one of `parts`; earlier parts count first. InputError where there is
    none, or several that fit alike.
    """
    if not given.is_dir():
        if given.suffix.lower() != ".onnx" and given.exists():
            raise InputError(
                f"{given.name} is no ONNX file.",
                "Networks are read as .onnx: get one from the list in Get a Model, or export it.",
            )
        return given
    files = [
        path
        for folder in (given, given / "onnx")
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.suffix.lower() == ".onnx"
    ]
    for part in parts or ("",):
        fitting = [path for path in files if part in path.name.lower()]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            raise InputError(
                f"{given.name} holds several models: {fitting[0].name}, {fitting[1].name}.",
                "Name the file.",
            )
    what = f" with {' or '.join(parts)} in its name" if parts else ""
    raise InputError(
        f"There is no ONNX file{what} in {given}.", "Choose the folder that Get a Model made."
    )


def resized(image: Pixels, width: int, height: int) -> Pixels:
    """The picture (H, W, 3) at another size: averaged where it shrinks."""
    shrinks = width * height < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
