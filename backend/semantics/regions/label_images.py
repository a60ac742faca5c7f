"""Regions that the user has: one picture of labels for every picture of the capture, as SAM and its
kin write them.
"""

from pathlib import Path

import cv2
import numpy as np

from ...formats import gate
from ...formats.limits import MOST_PICTURE_FILE
from ...geometry.arrays import Ints32
from ...media.open_image import check_size, opened
from ...protocol import InputError

MOST = 2000  # regions of a picture
SUFFIXES = (".png", ".tif", ".tiff")


def read_regions(folder: Path, name: str, width: int, height: int) -> tuple[Ints32, int]:
    """Regions (height, width) of the picture called `name`, numbered from 0, -1: none, and how many
    there are.

    Every value or colour of the label picture is a region, 0 or black is none.
    """
    path = next(
        (
            folder / f"{Path(name).stem}{s}"
            for s in SUFFIXES
            if (folder / f"{Path(name).stem}{s}").is_file()
        ),
        None,
    )
    if path is None:
        raise InputError(
            f"{folder.name} has no regions for the picture {name}.",
            "Give a PNG of labels for every picture, named like it.",
        )
    with opened(path, "label picture") as image:
        check_size(image.size, path.name)
    data = np.frombuffer(gate.read_bytes(path, MOST_PICTURE_FILE), np.uint8)
    try:
        labels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        labels = None
    if labels is None or labels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"The regions {path.name} can't be read.", "Write them as PNG, 8 or 16 bits."
        )
    if labels.ndim == 3:  # a colour a region
        labels = (labels[..., :3].astype(np.int64) * (1 << 32, 1 << 16, 1)).sum(-1)
    small = cv2.resize(labels.astype(np.float64), (width, height), interpolation=cv2.INTER_NEAREST)
    values, numbers = np.unique(small, return_inverse=True)
    if len(values) > MOST:
        raise InputError(
            f"{path.name} holds {len(values)} regions: it looks like a photograph.",
            "Give pictures of labels, as SAM writes.",
        )
    numbers = numbers.reshape(height, width) - int(values[0] == 0)
    return numbers.astype(np.int32), len(values) - int(values[0] == 0)
