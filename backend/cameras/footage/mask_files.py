"""Masks as people and programs keep them: matched with their pictures by name, turned and scaled
with them, black where they hide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ...formats.name_pairing import listed, pair_names
from ...formats.named_files import pictures_below
from ...geometry.arrays import Pixels
from ...media.open_image import TooLargePicture, opened
from ...media.picture_files import PictureFacts, has_alpha
from ...media.picture_fit import same_shape
from ...protocol import InputError
from .images import read_image

# EXIF's orientations as flips of the stored rows (H, W): transposed first, then up-down, left-right
FLIPS = {2: (0, 0, 1), 3: (0, 1, 1), 4: (0, 1, 0), 5: (1, 0, 0), 6: (1, 0, 1), 7: (1, 1, 1),
         8: (1, 1, 0)}  # fmt: skip
EXACT = (".png", ".tif", ".tiff", ".bmp")  # endings of pictures without noise of compression


@dataclass(frozen=True, kw_only=True)
class PairedMasks:
    """The mask of every picture that has one, and a sentence about the rest."""

    masks: list[Path | None]
    told: str


def upright_pixels(pixels: Pixels, orientation: int) -> Pixels:
    """(H, W) as stored, turned as EXIF's orientation asks."""
    transposed, up_down, left_right = FLIPS.get(orientation, (0, 0, 0))
    turned = pixels.T if transposed else pixels
    turned = turned[::-1] if up_down else turned
    return np.ascontiguousarray(turned[:, ::-1] if left_right else turned)


def two_tone(path: Path, size: tuple[int, int], facts: PictureFacts | None = None) -> Pixels:
    """A mask of any kind, (H, W) of `size` (width, height): 0 where it hides, 255 where it
    shows; turned with its picture, of these facts, where it was made of the stored one.

    Raises:
        InputError: it can't be read, or is no mask of a picture of that shape.
    """
    mask = _shown(path)
    stored = mask.shape[1], mask.shape[0]
    if facts is not None and not same_shape(stored, size):
        if not same_shape(stored, facts.size):
            raise InputError(
                f"The mask {path.name} has {stored[0]} x {stored[1]} pixels, its picture "
                f"{size[0]} x {size[1]}.",
                "Make it anew for this picture.",
            )
        mask = upright_pixels(mask, facts.orientation)
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _shown(path: Path) -> Pixels:
    """(H, W) as stored: 255 where the mask shows, whichever way it says so.

    Grey from the middle on; where nothing is as bright, as in numbered objects (0 the background)
    and objects in dark colours, whatever is not black; of a cut-out picture, what is not
    transparent.
    """
    try:
        with opened(path, "mask") as image:
            numbered = image.mode == "P" and "transparency" not in image.info
            alpha = image.convert("RGBA") if has_alpha(image) else None
            colors = np.asarray(image.convert("RGB") if numbered else 0)
    except TooLargePicture:
        raise
    except InputError:
        numbered, alpha, colors = False, None, np.zeros(0)  # what OpenCV reads may do
    clear = None if alpha is None else np.asarray(alpha.getchannel("A"))
    if clear is not None and clear.min() < clear.max():
        grey, level = clear, 127
    elif numbered:
        grey, level = np.asarray(colors).max(2), 0
    else:
        grey = read_image(path)
        is_dark = path.suffix.lower() in EXACT and grey.max(initial=0) <= 127
        level = 0 if is_dark or grey.max(initial=0) <= 1 else 127
    return np.asarray((grey > level) * np.uint8(255), np.uint8)


def paired_masks(folder: Path, pictures: Sequence[str]) -> PairedMasks:
    """Masks in the folder for pictures of these names: `a.jpg.png`, `a.png`, `a_mask.png` …

    Raises:
        InputError: not one name fits.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder of masks {folder}.", "Check the path.")
    files = pictures_below(folder, masks=True)
    pairs = pair_names(pictures, files, is_mask=True)
    if not pairs:
        raise InputError(
            f"No mask in {folder.name} ({listed(files) or 'empty'}) is named like a picture "
            f"({listed(pictures)}).",
            "Name each mask like its picture, as in a.jpg.png for a.jpg.",
        )
    bare = [name for name in pictures if name not in pairs]
    unused = set(files) - set(pairs.values())
    said = (
        [f"{len(bare)} of {len(pictures)} pictures have no mask: {listed(bare)}."] if bare else []
    )
    if unused:
        said.append(f"{len(unused)} masks are of no picture: {listed(unused)}.")
    return PairedMasks(
        masks=[folder / pairs[name] if name in pairs else None for name in pictures],
        told=" ".join(said),
    )


def write_mask(pixels: Pixels, folder: Path, picture: str) -> None:
    """In COLMAP's naming: NAME.png for a picture called NAME."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / f"{picture}.png")
