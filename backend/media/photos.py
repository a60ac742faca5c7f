"""A folder of photos: upright by their EXIF flag, in natural order, with the lens that EXIF tells
of.
"""

import math
import re
import warnings
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from ..formats.capture import IMAGES
from ..protocol import InputError
from .frames import Footage, fit_size, to_eight_bit
from .video import MIN_FRAMES, Progress

DIAGONAL_35MM = math.hypot(36, 24)
LOSSLESS = (
    ".png",
    ".tif",
    ".tiff",
    ".bmp",
)  # stay so where they keep their size: a fit of some hundred pixels can tell what JPEG loses


def list_photos(folder: Path) -> list[Path]:
    """The folder's pictures; 2.jpg comes before 10.jpg."""
    photos = [
        p
        for p in folder.iterdir()
        if p.suffix.lower() in IMAGES and p.is_file() and not p.name.startswith(".")
    ]
    return sorted(
        photos,
        key=lambda p: [
            (0, int(w), "") if w.isdigit() else (1, 0, w.lower())
            for w in re.split(r"(\d+)", p.name)
            if w
        ],
    )


def exif_focal(image: Image.Image) -> float:
    """Focal length in pixels of the picture from its 35 mm equivalent (by the diagonal); 0 where it
    has none.
    """
    try:
        value = float(
            image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm, 0)
            or 0
        )
    except (TypeError, ValueError, ZeroDivisionError, SyntaxError, OSError):
        return 0.0
    return value * math.hypot(*image.size) / DIAGONAL_35MM if 2 < value < 2000 else 0.0


def _load(path: Path) -> tuple[Image.Image, float]:
    """The upright picture and its focal length."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                focal = exif_focal(image)
                upright = to_eight_bit(ImageOps.exif_transpose(image))
                upright.load()
                return upright, focal
    except (
        OSError,
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        ValueError,
        SyntaxError,
    ) as error:
        raise InputError(
            f"The photo {path.name} can't be read, or is far too large.", "Remove it or replace it."
        ) from error


def gather(
    source: Path,
    folder: Path,
    count: int,
    max_side: int,
    progress: Progress = lambda step, total: None,
) -> Footage:
    """Copies at most `count` photos, evenly chosen, upright and scaled into `folder`. They must be
    of one size.
    """
    photos = list_photos(source)
    if len(photos) < MIN_FRAMES:
        contents = (
            "no photos"
            if not photos
            else f"only {len(photos)} photo{'s' if len(photos) > 1 else ''}"
        )
        raise InputError(
            f"The folder {source.name} holds {contents}; cameras need at least {MIN_FRAMES}.",
            "Choose a folder of JPEG or PNG photos.",
        )
    if len(photos) > count:
        photos = [photos[round(i * (len(photos) - 1) / (count - 1))] for i in range(count)]
    return _copy(photos, folder, max_side, progress)


def gather_indices(source: Path, folder: Path, indices: list[int], max_side: int) -> Footage:
    """The photos at these places of the folder's order, from 0."""
    photos = list_photos(source)
    if not photos or max(indices) >= len(photos):
        raise InputError(
            f"The folder {source.name} holds {len(photos)} pictures, fewer than the cameras ask "
            f"for.",
            "Choose the folder of the clip.",
        )
    return _copy([photos[i] for i in indices], folder, max_side, lambda step, total: None)


def _copy(photos: list[Path], folder: Path, max_side: int, progress: Progress) -> Footage:
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    sizes: dict[tuple[int, int], str] = {}
    focals = []
    for step, path in enumerate(photos):
        image, focal = _load(path)
        sizes.setdefault(image.size, path.name)
        if len(sizes) > 1:
            (w0, h0), (w1, h1) = sizes
            text = (
                f"The photos are of mixed sizes: {sizes[w0, h0]} has {w0} x {h0} pixels, "
                f"{sizes[w1, h1]} has {w1} x {h1}."
            )
            raise InputError(
                text, "Keep the photos of one camera held one way up, or scale them alike."
            )
        alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        size = fit_size(*image.size, max_side)
        exact = alpha or (path.suffix.lower() in LOSSLESS and size == image.size)
        names.append(f"{step + 1:04d}{'.png' if exact else '.jpg'}")
        small = image.convert("RGBA" if alpha else "RGB").resize(size, Image.Resampling.LANCZOS)
        lossy, lossless = (
            {"quality": 95, "subsampling": 0},
            {"compress_level": 1, "icc_profile": None},
        )  # large profiles can't be read back
        small.save(folder / names[-1], **(lossless if exact else lossy))
        focals.append(focal / image.size[0])
        progress(step + 1, len(photos))
    known = sorted(f for f in focals if f > 0)
    relative = (
        known[len(known) // 2] if known and known[-1] < 1.02 * known[0] else 0.0
    )  # a zoom used: no prior
    return Footage(
        folder=folder,
        names=names,
        times=None,
        width=small.width,
        height=small.height,
        focal=relative * small.width,
        sources=[p.name for p in photos],
    )
