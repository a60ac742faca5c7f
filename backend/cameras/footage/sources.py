"""What kind of input a path is, so that the verb `cameras` can take anything that a person might
hand it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...formats.transforms_json import find_transforms
from ...media.photos import list_photos
from ...protocol import InputError

Kind = Literal["video", "photos", "transforms", "colmap"]
MODEL_FILES = ("cameras.bin", "cameras.txt")
IMAGE_FOLDERS = ("images", "image", "imgs", "rgb", "photos", "input")


@dataclass(frozen=True)
class Source:
    """`path` is the video, the photos' folder, the transforms.json, or the folder of the COLMAP
    model.
    """

    kind: Kind
    path: Path
    images: Path | None = None  # of a COLMAP model: where its pictures lie


def _colmap_model(folder: Path) -> Path | None:
    for candidate in (folder, folder / "sparse" / "0", folder / "sparse", folder / "0"):
        if any((candidate / name).is_file() for name in MODEL_FILES):
            return candidate
    return next(
        (p.parent for p in sorted(folder.glob("*/cameras.*")) if p.name in MODEL_FILES), None
    )


def _images_of(model: Path, top: Path) -> Path:
    for base in (top, model, model.parent, model.parent.parent):
        for name in IMAGE_FOLDERS:
            if (base / name).is_dir():
                return base / name
    for base in (top, model.parent):
        if list_photos(base):
            return base
    raise InputError(
        f"The pictures of the COLMAP model in {top.name} were not found.",
        "Put them into a folder named images beside it.",
    )


def identify(path: Path) -> Source:
    """Looks at a file or folder; InputError when it is nothing that cameras can come from."""
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.", "Check the path.")
    if path.is_file():
        return (
            Source("transforms", path) if path.suffix.lower() == ".json" else Source("video", path)
        )
    if (transforms := find_transforms(path)) is not None:
        return Source("transforms", transforms)
    if (model := _colmap_model(path)) is not None:
        return Source("colmap", model, _images_of(model, path))
    if list_photos(path):
        return Source("photos", path)
    inner = path / "images"
    if inner.is_dir() and list_photos(inner):
        return Source("photos", inner)
    raise InputError(
        f"The folder {path.name} holds no photos, no transforms.json and no COLMAP model.",
        "Choose a folder of JPEG or PNG photos.",
    )
