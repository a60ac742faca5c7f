"""The gate that pictures of given cameras pass: each is held against its camera, turned upright
where the camera saw it so, copied under a number, and its mask beside it. What can't pass is
counted and named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...formats.name_pairing import listed
from ...media.picture_files import PictureFacts, picture_facts, place_picture
from ...media.picture_fit import fit_pictures
from ...protocol import InputError
from .mask_files import two_tone, write_mask


@dataclass(frozen=True, kw_only=True)
class GivenPicture:
    """A picture that somebody else's camera saw, and how many pixels it had for it."""

    name: str  # that it is known by
    path: Path
    camera_size: tuple[int, int]  # width and height
    mask: Path | None = None
    principal_point: tuple[float, float] | None = None  # pixels of the camera's picture
    is_size_told: bool = True  # by the camera, not by the picture itself


@dataclass(frozen=True, kw_only=True)
class PlacedPicture:
    """One that passed: its number among those that were handed in, its copy, its size."""

    index: int
    name: str
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class PlacedPictures:
    """Those that passed, in their order, and sentences about those that did not."""

    pictures: list[PlacedPicture]
    told: list[str]
    masked: int


def _facts(given: Sequence[GivenPicture]) -> tuple[dict[int, PictureFacts], list[str]]:
    facts, unreadable = {}, []
    for index, picture in enumerate(given):
        try:
            facts[index] = picture_facts(picture.path)
        except InputError:
            unreadable.append(picture.name)
    return facts, unreadable


def _mismatch(picture: GivenPicture, facts: PictureFacts) -> str:
    w, h = facts.upright
    return (
        f"{picture.name} ({w} x {h} pixels, its camera {' x '.join(map(str, picture.camera_size))})"
    )


def place_pictures(given: Sequence[GivenPicture], images: Path, masks: Path) -> PlacedPictures:
    """Copies pictures into the folder `images` as 00001.jpg …, masks into `masks`.

    Raises:
        InputError: not one picture can be used.
    """
    facts, unreadable = _facts(given)
    order = list(facts)
    fitted = fit_pictures(
        [facts[i] for i in order],
        [given[i].camera_size for i in order],
        [given[i].is_size_told for i in order],
    )
    placed: list[PlacedPicture] = []
    others: list[str] = []
    bad_masks: list[str] = []
    turned = masked = 0
    for at, index in enumerate(order):
        picture, fit = given[index], fitted.fits[at]
        if fit == "other":
            others.append(_mismatch(picture, facts[index]))
            continue
        target = images / f"{len(placed) + 1:05d}"
        try:
            copy = place_picture(picture.path, facts[index], fit == "upright", target)
        except InputError:
            unreadable.append(picture.name)
            continue
        turned += fit == "upright" and facts[index].orientation != 1
        size = fitted.size(at, facts[index])
        if picture.mask is not None:
            try:
                write_mask(two_tone(picture.mask, size, facts[index]), masks, copy.name)
                masked += 1
            except (InputError, OSError):
                bad_masks.append(picture.mask.name)
        placed.append(PlacedPicture(index=index, name=copy.name, size=size))
    unsure = [given[order[i]].name for i in fitted.unsure]
    told = _sentences(len(given), unreadable, others, turned, unsure, bad_masks)
    told += _off_middle(given)
    if not placed:
        raise InputError(
            f"None of the pictures fits its camera. {' '.join(told)}",
            "Put the pictures beside the cameras that were solved for them.",
        )
    return PlacedPictures(pictures=placed, told=told, masked=masked)


def _off_middle(given: Sequence[GivenPicture]) -> list[str]:
    """A sentence about cameras that look past their own pictures: as where the numbers of the lens
    are for pictures of another size.
    """
    past = [
        p
        for p in given
        if p.principal_point is not None
        and not all(0 <= c <= s for c, s in zip(p.principal_point, p.camera_size, strict=True))
    ]
    if not past:
        return []
    x, y = past[0].principal_point or (0.0, 0.0)
    w, h = past[0].camera_size
    return [
        f"{len(past)} of {len(given)} cameras have their principal point outside their picture, "
        f"the first at ({x:g}, {y:g}) of {w} x {h} pixels: unless the pictures are crops, the lens "
        f"is that of pictures of another size: {listed(p.name for p in past)}."
    ]


def _sentences(
    count: int,
    unreadable: list[str],
    others: list[str],
    turned: int,
    unsure: list[str],
    bad_masks: list[str],
) -> list[str]:
    said = []
    if unreadable:
        said.append(
            f"{len(unreadable)} of {count} pictures can't be read and were left out: "
            f"{listed(unreadable)}."
        )
    if others:
        said.append(
            f"{len(others)} of {count} pictures are not of their camera's shape and were left "
            f"out: {listed(others, 3)}."
        )
    if turned:
        said.append(f"{turned} of {count} pictures were turned upright, as their cameras saw them.")
    if unsure:
        said.append(
            f"{len(unsure)} of {count} pictures have an EXIF turn that their cameras say nothing "
            f"of; they were taken as stored: {listed(unsure)}."
        )
    if bad_masks:
        said.append(
            f"{len(bad_masks)} masks can't be read or are of another shape than their pictures: "
            f"{listed(bad_masks)}."
        )
    return said
