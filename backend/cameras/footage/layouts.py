"""Where COLMAP models and their pictures lie in the folders that other programs make."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...formats.colmap_names import image_names, is_model
from ...formats.name_pairing import pair_names
from ...formats.named_files import pictures_below
from ...formats.natural_order import natural_key
from ...media.photos import list_photos
from ...media.picture_files import LISTED
from ...protocol import InputError

IMAGE_FOLDERS = ("images", "image", "imgs", "rgb", "photos", "input")
DEEPEST = 4  # folders down in which models are looked for
FIRST = ("sparse", "0", "colmap", "dense")  # folders of models, before whatever others are called
LAST = "distorted"  # of 3DGS' convert.py: the model before its pictures were undistorted
UP = 4  # folders above a model that its pictures may lie in


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A COLMAP model, its name in the folder, and what other models were there."""

    model: Path
    name: str
    images: int  # that it lists
    others: tuple[str, ...]


def _models_below(folder: Path) -> Iterator[Path]:
    base = len(folder.parts)
    for place, folders, _ in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and f.lower() not in IMAGE_FOLDERS
        )
        if len(here.parts) - base >= DEEPEST:
            folders.clear()
        if is_model(here):
            yield here


def _tier(model: Path, folder: Path) -> int:
    """Models of one tier are rivals; those of a lower one are older, or somebody else's."""
    parts = [p.lower() for p in model.relative_to(folder).parts]
    if LAST in parts:
        return 3
    if not parts or parts[0] in ("sparse", "0") or (len(parts) == 1 and parts[0].isdecimal()):
        return 0
    return 1 if parts[0] in FIRST else 2


def choose_model(folder: Path) -> ModelChoice | None:
    """The model with the most pictures of those in the usual places; None where there is none.
    A damaged one is chosen only where there is no other.
    """
    ranked = []
    for model in _models_below(folder):
        try:
            count = len(image_names(model))
        except InputError:
            count = -1
        name = model.relative_to(folder).as_posix()
        ranked.append(((count < 0, _tier(model, folder), -count, natural_key(name)), name, model))
    if not ranked:
        return None
    ranked.sort(key=lambda r: r[0])
    _, name, model = ranked[0]
    others = tuple(f"{n} ({max(-k[2], 0)} pictures)" for k, n, _ in ranked[1:])
    return ModelChoice(
        model=model, name=name or folder.name, images=max(-ranked[0][0][2], 0), others=others
    )


def images_of(model: Path, top: Path) -> Path:
    """The folder whose pictures fit the model's names best; InputError where there is none."""
    bases = dict.fromkeys([*model.parents[:UP], model, top])
    is_inner = top.name.lower() in FIRST  # handed in by itself, its pictures beside it
    if top in model.parents and not is_inner:  # nothing above what was handed in
        bases = {b: None for b in bases if b == top or top in b.parents}
    order = IMAGE_FOLDERS[::-1] if LAST in model.parts else IMAGE_FOLDERS
    folders = [b / n for b in bases for n in order if (b / n).is_dir()]
    folders += [b for b in bases if list_photos(b)]
    if not folders:
        raise InputError(
            f"The pictures of the COLMAP model in {top.name} were not found.",
            "Put them into a folder named images beside it.",
        )
    try:
        names = list(image_names(model).values())
    except InputError:  # COLMAP's reader will tell
        return folders[0]
    fits = [len(pair_names(names, pictures_below(f, LISTED))) for f in folders]
    return folders[fits.index(max(fits))]
