"""Captures of one frame, written as other programs write them."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backend.formats import capture
from backend.protocol import InputError

POSE = [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
CAMERA = {"fl_x": 30.0, "fl_y": 31.0, "cx": 19.0, "cy": 16.0, "w": 40, "h": 30}


def save(
    folder: Path, frame: dict[str, Any] | None = None, without: tuple[str, ...] = (), **shared: Any
) -> Path:
    """A capture of one frame whose record says `frame` beside its name and pose."""
    record = {"file_path": "a.png", "transform_matrix": POSE, **(frame or {})}
    data = {**CAMERA, **shared, "frames": [record]}
    text = json.dumps({key: value for key, value in data.items() if key not in without})
    (folder / "transforms.json").write_text(text)
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        capture.read(folder)
    return caught.value.what


def image(path: Path, size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
