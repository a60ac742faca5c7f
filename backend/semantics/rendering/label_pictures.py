"""Objects as label pictures and masks, for compositing: every pixel is of the object that makes up
most of it, and of none where that is less than what shines through.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ...formats.semantics_file import safe_name
from ...gaussians.options import Drawables, RasterOptions, RasterView
from ...gaussians.region_weights import label_map
from ...geometry.arrays import Flags, Ints32
from ...media.open_image import opened
from ...runtime.atomic import atomic_path

LABELS, MASKS = "labels", "masks"  # folders


def labels_in(
    gaussians: Drawables,
    view: RasterView,
    labels: Ints32,
    alpha: Tensor,
    options: RasterOptions,
) -> Ints32:
    """(H, W) the object of every pixel, -1: none. `labels` (N,), negative: none, which competes
    like an object; alpha (H, W, 1) of all splats.
    """
    count = int(labels.max(initial=-1)) + 1
    given = np.where(labels < 0, count, labels).astype(np.int32)
    best, share = label_map(gaussians, view, given, count + 1, options)
    clear = 1 - alpha[..., 0].cpu().numpy()
    return np.where((share > clear) & (best < count), best, -1).astype(np.int32)


def write_labels(path: Path, labels: Ints32) -> None:
    """A PNG of 16 bits: 0 where there is no object, else its number + 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as part:
        Image.fromarray((labels + 1).astype(np.uint16)).save(part, compress_level=3)


def read_labels(path: Path) -> Ints32:
    """The way back."""
    with opened(path) as image:
        return np.asarray(image).astype(np.int32) - 1


def write_masks(folder: Path, names: list[str], pictures: list[Path]) -> None:
    """For every object a folder of masks named like the label pictures, white where it is."""
    for number, name in enumerate(names):
        (folder / safe_name(number, name)).mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        labels = read_labels(picture)
        for number, name in enumerate(names):
            _write_mask(folder / safe_name(number, name) / picture.name, labels == number)


def _write_mask(path: Path, mask: Flags) -> None:
    with atomic_path(path) as part:
        Image.fromarray(mask.astype(np.uint8) * 255).save(part, compress_level=3)
