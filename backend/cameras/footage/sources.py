"""What kind of input a path is, so that the verb `cameras` can take anything that a person might
hand it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...formats.name_pairing import listed
from ...formats.transforms_json import find_transforms
from ...media.photos import list_photos
from ...protocol import InputError
from .layouts import choose_model, images_of

Kind = Literal["video", "photos", "transforms", "colmap"]
MASK_FOLDERS = ("masks", "mask")


@dataclass(frozen=True, kw_only=True)
class Source:
    """`path` is the video, the photos' folder, the transforms.json, or the folder of the COLMAP
    model.
    """

    kind: Kind
    path: Path
    images: Path | None = None  # of a COLMAP model: where its pictures lie
    masks: Path | None = None  # a folder of masks beside the pictures
    told: tuple[str, ...] = ()  # what else was there, as sentences


def _masks_beside(*folders: Path | None) -> Path | None:
    for folder in folders:
        for name in MASK_FOLDERS:
            if folder is not None and (folder / name).is_dir() and list_photos(folder / name):
                return folder / name
    return None


def _photos_in(path: Path) -> Source | None:
    inner = next((p for n in ("images", "photos", "input") if (p := path / n).is_dir()), None)
    for folder in (path, inner):
        if folder is not None and list_photos(folder):
            return Source(kind="photos", path=folder, masks=_masks_beside(path))
    return None


def identify(path: Path) -> Source:
    """Looks at a file or folder; InputError when it is nothing that cameras can come from."""
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.", "Check the path.")
    if path.is_file() and path.suffix.lower() != ".json":
        return Source(kind="video", path=path)
    if (transforms := find_transforms(path)) is not None:
        return Source(kind="transforms", path=transforms, masks=_masks_beside(transforms.parent))
    if (choice := choose_model(path)) is not None:
        images = images_of(choice.model, path)
        told = (
            (
                f"The model {choice.name} was read, of {choice.images} pictures; there are others: "
                f"{listed(choice.others)}.",
            )
            if choice.others
            else ()
        )
        masks = _masks_beside(images.parent, path, images)
        return Source(kind="colmap", path=choice.model, images=images, masks=masks, told=told)
    if (photos := _photos_in(path)) is not None:
        return photos
    raise InputError(
        f"The folder {path.name} holds no photos, no transforms.json and no COLMAP model.",
        "Choose a folder of JPEG, PNG or HEIC photos.",
    )
