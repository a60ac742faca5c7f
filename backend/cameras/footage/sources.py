"""What kind of input a path is, so that the verb `cameras` can take anything that a person might
hand it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...formats.archives import refuse_archive
from ...formats.name_pairing import listed
from ...formats.natural_order import natural_key
from ...formats.transforms_json import find_transforms
from ...media.photos import list_photos
from ...protocol import InputError
from .layouts import IMAGE_FOLDERS, choose_model, images_of

Kind = Literal["video", "photos", "transforms", "colmap"]
MASK_FOLDERS = ("masks", "mask")
# cameras of Bundler, VisualSfM, OpenMVG, OpenMVS, Meshroom, RealityScan, Metashape, LLFF, 3DGS
UNREAD_ENDINGS = (".nvm", ".rzi", ".rcproj", ".psx", ".mvs", ".sfm", ".xmp")
UNREAD_NAMES = ("bundle.out", "bundle.rd.out", "sfm_data.json", "cameras.sfm", "cameras.json",
                "cameras.xml", "poses_bounds.npy", "internal_external.csv",
                "reconstruction.json")  # fmt: skip


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
        if folder is None:
            continue
        below = {p.name.lower(): p for p in sorted(folder.iterdir(), reverse=True) if p.is_dir()}
        for name in MASK_FOLDERS:
            if name in below and list_photos(below[name]):
                return below[name]
    return None


def _photos_in(path: Path) -> Source | None:
    inner = next((p for n in ("images", "photos", "input") if (p := path / n).is_dir()), None)
    for folder in (path, inner):
        if folder is not None and list_photos(folder):
            above = path.parent if path.name.lower() in IMAGE_FOLDERS else None
            return Source(kind="photos", path=folder, masks=_masks_beside(path, above))
    return None


def _capture_below(path: Path) -> Source | None:
    """A capture one folder down, where there is none at the top; InputError where there are
    several.
    """
    folders = [p for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")]
    lists = [
        file
        for folder in sorted(folders, key=lambda p: natural_key(p.name))
        if (file := find_transforms(folder)) is not None
    ]
    if len(lists) > 1:
        raise InputError(
            f"The folder {path.name} holds several captures: "
            f"{listed(f.parent.name for f in lists)}.",
            "Choose one of them.",
        )
    if not lists:
        return None
    parent = lists[0].parent
    return Source(
        kind="transforms",
        path=lists[0],
        masks=_masks_beside(parent, path),
        told=(f"The cameras of {parent.name}/{lists[0].name} were read.",),
    )


def _unread_solves(path: Path) -> tuple[str, ...]:
    """A sentence about cameras beside the photos, of kinds that are not read."""
    names = [
        p.name
        for folder in (path, path.parent if path.name.lower() in IMAGE_FOLDERS else path)
        for p in folder.iterdir()
        if p.suffix.lower() in UNREAD_ENDINGS or p.name.lower() in UNREAD_NAMES
    ]
    if path.name.lower() in IMAGE_FOLDERS:
        above = path.parent
        solved = [
            above / "transforms.json",
            *(above / f / "0" for f in ("sparse", "colmap/sparse")),
        ]
        names += [s.relative_to(above).as_posix() for s in solved if s.exists()]
    if not names:
        return ()
    return (
        f"Cameras of other programs lie here and were not read: {listed(dict.fromkeys(names))}. "
        "The photos are solved anew. To keep those cameras, give the folder of a COLMAP model or a "
        "transforms.json, or export them so.",
    )


def identify(path: Path) -> Source:
    """Looks at a file or folder; InputError when it is nothing that cameras can come from."""
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.", "Check the path.")
    refuse_archive(path)
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
    if (inner := _capture_below(path)) is not None:
        return inner
    if (photos := _photos_in(path)) is not None:
        return replace(photos, told=_unread_solves(path))
    raise InputError(
        f"The folder {path.name} holds no photos, no transforms.json and no COLMAP model.",
        "Choose a folder of JPEG, PNG or HEIC photos.",
    )
