"""A folder of photos: upright by their EXIF flag, in natural order, with the lens that EXIF tells
of. Photos of one lens are made ready together, portrait ones lying on their side; what is of
another shape is left out by name.
"""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageOps

from ..formats.name_pairing import listed
from ..formats.named_files import pictures_below
from ..formats.natural_order import natural_key
from ..protocol import InputError
from ..runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .frames import Footage, fit_size, to_eight_bit
from .open_image import UNREADABLE, opened
from .photo_shapes import Shape, main_shape
from .picture_files import LISTED, PHONES, has_alpha, picture_facts, save_picture
from .picture_fit import fit_pictures
from .sequence_numbers import by_number
from .video import MIN_FRAMES, Progress

DIAGONAL_35MM = math.hypot(36, 24)
LOSSLESS = (
    ".png",
    ".tif",
    ".tiff",
    ".bmp",
)  # stay so where they keep their size: a fit of some hundred pixels can tell what JPEG loses


def list_photos(folder: Path) -> list[Path]:
    """The folder's pictures in natural order; those of the folders in it where it has none of its
    own.
    """
    photos = [
        p.name
        for p in folder.iterdir()
        # pipes and dead links too: who opens them says what they are
        if p.suffix.lower() in LISTED and not p.is_dir() and not p.name.startswith(".")
    ]
    names = photos or pictures_below(folder, LISTED)
    return [folder / name for name in sorted(names, key=natural_key)]


def exif_focal(image: Image.Image) -> float:
    """Focal length in pixels of the picture from its 35 mm equivalent (by the diagonal); 0 where it
    has none.
    """
    try:
        value = float(
            image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm, 0)
            or 0
        )
    except UNREADABLE:
        return 0.0
    return value * math.hypot(*image.size) / DIAGONAL_35MM if 2 < value < 2000 else 0.0


def _load(path: Path, is_upright: bool = True) -> tuple[Image.Image, float]:
    """The picture, upright or as stored, and its focal length in pixels."""
    with opened(path, "photo") as image:
        focal = exif_focal(image)
        loaded = ImageOps.exif_transpose(image) if is_upright else image.copy()
        loaded.load()
        return loaded, focal


@dataclass(frozen=True, kw_only=True)
class _Photo:
    """One that is used: how it is to lie, and how many quarters counter-clockwise that is from
    upright.
    """

    path: Path
    name: str  # in its folder
    is_upright: bool = True
    turns: int = 0


def _few(source: Path, count: int, told: list[str]) -> InputError:
    contents = "no photos" if not count else f"only {count} photo{'s' if count > 1 else ''}"
    return InputError(
        f"The folder {source.name} holds {contents} that can be used together; cameras need at "
        f"least {MIN_FRAMES}.{''.join(f' {text}' for text in told)}",
        "Choose a folder of JPEG, PNG or HEIC photos of one camera.",
    )


def _of_one_shape(source: Path, told: list[str]) -> tuple[list[_Photo], Shape | None]:
    """The photos that can be solved together, and the shape that they take."""
    paths, facts, unreadable = list_photos(source), {}, []
    for path in paths:
        try:
            facts[path] = picture_facts(path)
        except InputError:
            unreadable.append(path.name)
    if unreadable:
        told.append(
            f"{len(unreadable)} of {len(paths)} photos can't be read and were left out: "
            f"{listed(unreadable)}."
        )
    if not facts:
        return [], None
    shape = main_shape({p: f.upright for p, f in facts.items()})
    others = [p for p in facts if p not in shape.members]
    if others:
        sizes = Counter(facts[p].upright for p in others).most_common(3)
        said = ", ".join(f"{w} x {h}" for (w, h), _ in sizes)
        told.append(
            f"{len(others)} of {len(paths)} photos are of another shape or size ({said}) than most "
            f"({shape.size[0]} x {shape.size[1]}) and were left out: "
            f"{listed(p.name for p in others)}."
        )
    photos = []
    for path in (p for p in paths if p in shape.members):
        lies = shape.is_turned(facts[path].upright)
        turns = (3 if facts[path].orientation == 8 else 1) if lies else 0
        photos.append(_Photo(path=path, name=path.relative_to(source).as_posix(), turns=turns))
    return photos, shape


def gather(
    source: Path,
    folder: Path,
    count: int,
    max_side: int,
    progress: Progress = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Footage:
    """Copies at most `count` photos, evenly chosen, scaled into `folder`, all of one size: portrait
    photos among landscape ones are turned to lie with them (`Footage.turns`).
    """
    told: list[str] = []
    photos, shape = _of_one_shape(source, told)
    if len(photos) < MIN_FRAMES or shape is None:
        raise _few(source, len(photos), told)
    if len(photos) > count:
        photos = [photos[round(i * (len(photos) - 1) / (count - 1))] for i in range(count)]
    footage = _copy(photos, folder, fit_size(*shape.size, max_side), told, progress, keeper)
    if len(footage.names) < MIN_FRAMES:
        raise _few(source, len(footage.names), told)
    return footage


def gather_indices(
    source: Path, folder: Path, indices: list[int], max_side: int, camera: tuple[int, int]
) -> tuple[Footage, list[int]]:
    """The photos at these places from the first, 0; of numbered ones those with these numbers, so
    that gaps in a sequence stay gaps. Also which of the places have one.

    camera: the size (width, height) that the cameras of these places were solved for.
    """
    photos = list_photos(source)
    if not photos:
        raise InputError(f"The folder {source.name} holds no photos.", "Choose the clip's folder.")
    at = by_number([p.relative_to(source).as_posix() for p in photos])
    kept = [k for k, index in enumerate(indices) if index in at]
    if len(kept) < MIN_FRAMES:
        raise InputError(
            f"The folder {source.name} holds {len(photos)} pictures, fewer than the cameras ask "
            f"for.",
            "Choose the folder of the clip.",
        )
    chosen = [photos[at[indices[k]]] for k in kept]
    facts = [picture_facts(p) for p in chosen]
    fitted = fit_pictures(facts, [camera] * len(facts))
    sizes = {fitted.size(i, f) for i, f in enumerate(facts)}
    if "other" in fitted.fits or len(sizes) > 1:
        said = ", ".join(f"{w} x {h}" for w, h in sorted(sizes))
        raise InputError(
            f"The pictures in {source.name} have {said} pixels, their cameras {camera[0]} x "
            f"{camera[1]}.",
            "Choose the pictures that the cameras were solved from.",
        )
    told = []
    if len(kept) < len(indices):
        told.append(f"{len(indices) - len(kept)} of {len(indices)} cameras have no picture.")
    (size,) = sizes
    used = [
        _Photo(path=p, name=p.name, is_upright=fit == "upright")
        for p, fit in zip(chosen, fitted.fits, strict=True)
    ]
    footage = _copy(used, folder, fit_size(*size, max_side), told)
    if len(footage.names) < len(used):
        raise InputError(told[-1], "Replace them.")
    return footage, kept


def _store(photo: _Photo, target: Path, size: tuple[int, int]) -> tuple[str, float]:
    """Writes the photo at `size`; the file's name, and its focal length relative to the width."""
    image, focal = _load(photo.path, photo.is_upright)
    relative = focal / max(image.size) * max(size) / size[0]
    if photo.turns:
        image = image.rotate(90 * photo.turns, expand=True)
    alpha, ending = has_alpha(image), photo.path.suffix.lower()
    exact = alpha or (ending in LOSSLESS and ending not in PHONES and size == image.size)
    place = target.with_suffix(".png" if exact else ".jpg")
    plain = image if size == image.size else None
    if plain is None:
        eight = to_eight_bit(image).convert("RGBA" if alpha else "RGB")
        plain = eight.resize(size, Image.Resampling.LANCZOS)
    save_picture(plain, place)
    return place.name, relative


@dataclass(frozen=True)
class StoredPhoto:
    """The file that a photo lies in, empty where it can't be read, and its focal length relative to
    the width.
    """

    name: str
    focal: float


def _copy(
    photos: list[_Photo],
    folder: Path,
    size: tuple[int, int],
    told: list[str],
    progress: Progress = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Footage:
    folder.mkdir(parents=True, exist_ok=True)
    with keeper.rows("photos", StoredPhoto) as rows:
        if not all((folder / row.name).exists() for row in rows.values):
            rows.forget()
        there = sum(bool(row.name) for row in rows.values)
        for photo in photos[len(rows.values) :]:
            try:
                row = StoredPhoto(*_store(photo, folder / f"{there + 1:04d}", size))
            except InputError:
                row = StoredPhoto("", 0.0)
            there += bool(row.name)
            rows.add(row)
            progress(len(rows.values), len(photos))
    pairs = list(zip(photos, rows.values, strict=True))
    broken = [photo.name for photo, row in pairs if not row.name]
    used = [photo for photo, row in pairs if row.name]
    names = [row.name for row in rows.values if row.name]
    focals = [row.focal for row in rows.values if row.name]
    if broken:
        told.append(
            f"{len(broken)} of {len(photos)} photos can't be read, or are far too large, and were "
            f"left out: {listed(broken)}."
        )
    known = sorted(f for f in focals if f > 0)
    relative = (
        known[len(known) // 2] if known and known[-1] < 1.02 * known[0] else 0.0
    )  # a zoom used: no prior
    turns = [photo.turns for photo in used]
    return Footage(
        folder=folder,
        names=names,
        times=None,
        width=size[0],
        height=size[1],
        focal=relative * size[0],
        sources=[photo.name for photo in used],
        turns=turns if any(turns) else None,
        told=tuple(told),
    )
