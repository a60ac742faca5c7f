"""Pictures as they lie on disk: their size, the turn that EXIF asks for, and copies of them that
every program shows the same way up.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageOps

from ..formats.gate import check_file, read_bytes
from ..formats.limits import MOST_PICTURE_FILE
from ..formats.transforms_json import IMAGES
from .frames import to_eight_bit
from .open_image import UNREADABLE, opened

PHONES = (".heic", ".heif", ".avif")
LISTED = (*IMAGES, *PHONES)
# what COLMAP, Blender and OpenCV all read; the rest is stored anew
COMMON = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
QUARTER_TURNS = (5, 6, 7, 8)  # of EXIF's orientations, those that swap width and height
QUALITY = 95  # of JPEG


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """What a picture's header says."""

    size: tuple[int, int]  # width and height as stored
    orientation: int = 1  # EXIF's: 1 upright, 3 upside down, 6 and 8 on their sides

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as a viewer shows it."""
        return self.size[::-1] if self.orientation in QUARTER_TURNS else self.size


def picture_facts(path: Path) -> PictureFacts:
    """Of the file at `path`; InputError where it is no picture."""
    with opened(path) as image:
        try:
            said = image.getexif().get(ExifTags.Base.Orientation, 1)
        except UNREADABLE:
            said = 1
        orientation = said if isinstance(said, int) and 1 <= said <= 8 else 1
        return PictureFacts(size=image.size, orientation=orientation)


def has_alpha(image: Image.Image) -> bool:
    """Whether a picture can be transparent, by channel or by a colour of its palette."""
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def save_picture(image: Image.Image, target: Path) -> None:
    """Without metadata: JPEG of high quality where the name says so, else lossless."""
    image = to_eight_bit(image)
    if target.suffix.lower() in (".jpg", ".jpeg"):
        image.convert("RGB").save(target, quality=QUALITY, subsampling=0)
    else:
        shown = image if image.mode in ("L", "RGB", "RGBA") else None
        plain = shown or image.convert("RGBA" if has_alpha(image) else "RGB")
        plain.save(target, compress_level=1, icc_profile=None)  # large ones can't be read back


def place_picture(path: Path, facts: PictureFacts, is_upright: bool, target: Path) -> Path:
    """A copy of the picture at `target`, whose ending may change, without any EXIF turn: its pixels
    turned upright, or as they are stored. The copy's path; InputError where it can't be read.
    """
    if facts.orientation == 1 and path.suffix.lower() in COMMON:
        place = target.with_suffix(path.suffix.lower())
        check_file(path, MOST_PICTURE_FILE)
        shutil.copyfile(path, place)
        return place
    is_jpeg = path.suffix.lower() in (".jpg", ".jpeg", *PHONES)
    place = target.with_suffix(".jpg" if is_jpeg else ".png")
    if facts.orientation != 1 and not is_upright and path.suffix.lower() in (".jpg", ".jpeg"):
        data = _without_turn(read_bytes(path, MOST_PICTURE_FILE))
        if data is not None:
            place.write_bytes(data)
            return place
    with opened(path) as image:
        save_picture(ImageOps.exif_transpose(image) if is_upright else image, place)
    return place


def _without_turn(data: bytes) -> bytes | None:
    """A JPEG file whose pixels stay as they are and whose EXIF block is gone; None where its
    segments can't be followed.
    """
    kept, at = [data[:2]], 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # the picture itself, to the end
            return b"".join([*kept, data[at:]])
        if length < 2:
            return None
        segment = data[at : at + 2 + length]
        if not (marker == 0xE1 and segment[4:8] == b"Exif"):
            kept.append(segment)
        at += 2 + length
    return None
