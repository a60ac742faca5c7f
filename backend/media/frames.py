"""Frames chosen from footage, whatever it was; and the small measures that choose them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..geometry.arrays import Pixels
from .open_image import opened

THUMB = 160  # pixels on the longer side of the small grey picture that judges are given


@dataclass(frozen=True, kw_only=True)
class Footage:
    """Pictures of one size in one folder, in order."""

    folder: Path
    names: list[str]
    times: list[float] | None  # seconds in the video; None for photos
    width: int
    height: int
    focal: float  # pixels, from EXIF; 0 where unknown
    sources: list[str] | None = None  # what the photos were called
    ordered: bool = False  # neighbours in the list are neighbours in time
    fps: float = 0.0  # frames a second of the video; 0 for photos
    damage: str = ""  # what of the file could not be read, in words
    turns: list[int] | None = None  # quarters counter-clockwise that each lies from upright
    told: tuple[str, ...] = ()  # what else was left out or changed, as sentences

    @property
    def is_there(self) -> bool:
        """Whether all of its pictures lie in the folder."""
        paths = [self.folder / name for name in self.names]
        return all(path.is_file() and path.stat().st_size for path in paths)

    def only(self, indices: list[int]) -> "Footage":
        """Some of the pictures, in the order given."""
        times = [self.times[i] for i in indices] if self.times else None
        sources = [self.sources[i] for i in indices] if self.sources else None
        turns = [self.turns[i] for i in indices] if self.turns else None
        names = [self.names[i] for i in indices]
        return replace(self, names=names, times=times, sources=sources, turns=turns)


def fit_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Scaled down so that the longer side is at most `max_side`; 0: as it is."""
    scale = min(1.0, max_side / max(width, height)) if max_side else 1.0
    return max(1, round(width * scale)), max(1, round(height * scale))


def to_eight_bit(image: Image.Image) -> Image.Image:
    """Pictures of 16 bits or of floats in 0..1 as 8-bit grey; Pillow itself would clip them. Others
    as they are.
    """
    if image.mode.startswith("I"):
        values = np.asarray(image, np.float32)  # whose 24 bits hold sixteen; twice as many fit
        if values.max(initial=0) > 255:
            values = values / np.float32(257)
        return Image.fromarray(values.clip(0, 255).round().astype(np.uint8))
    if image.mode == "F":
        return Image.fromarray(
            (np.nan_to_num(np.asarray(image)) * 255).clip(0, 255).round().astype(np.uint8)
        )
    return image


def sharpness(gray: Pixels) -> float:
    """Variance of the Laplacian: the usual blur measure. Comparable between frames of one clip
    only.
    """
    g = gray.astype(np.float32)
    laplacian = 4 * g[1:-1, 1:-1] - g[:-2, 1:-1] - g[2:, 1:-1] - g[1:-1, :-2] - g[1:-1, 2:]
    return float(laplacian.var()) if laplacian.size else 0.0


def thumbnail(path: Path) -> NDArray[np.float32]:
    """A small grey picture, values 0..255."""
    with opened(path) as image:
        image.draft("L", (THUMB * 2, THUMB * 2))
        small = (
            to_eight_bit(image)
            .convert("L")
            .resize(fit_size(*image.size, THUMB), Image.Resampling.BILINEAR)
        )
    return np.asarray(small, np.float32)


def is_still(footage: Footage) -> bool:
    """True when no frame differs visibly from the first: one picture shown over and over."""
    first = thumbnail(footage.folder / footage.names[0])
    for name in footage.names[1:]:
        other = thumbnail(footage.folder / name)
        if other.shape != first.shape or np.abs(other - first).mean() > 0.7:
            return False
    return True
