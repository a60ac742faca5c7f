"""Masks that a user hands in with footage: photos' by name, a video's by its frames."""

from pathlib import Path
from typing import Any

import numpy as np

from ...formats.name_pairing import listed
from ...formats.named_files import pictures_below
from ...formats.natural_order import natural_key
from ...geometry.arrays import Pixels
from ...media.decoding import frame_times
from ...media.frames import Footage
from ...media.picture_files import picture_facts
from ...media.sequence_numbers import by_number
from ...protocol import InputError
from ...runtime.job import Job
from .mask_files import PairedMasks, paired_masks, two_tone, write_mask
from .sources import Source


def _of_frames(given: Path, footage: Footage, gathered: int, source: Source) -> list[Path]:
    """One for each of the `gathered` pictures, which are numbered, or for each of the video's
    frames. Frames have no names: numbers and natural order count.
    """
    names = sorted(pictures_below(given, masks=True), key=natural_key)
    at, files = by_number(names), [given / name for name in names]
    if names and max(at) >= len(names):
        raise InputError(
            f"The masks in {given.name} have gaps in their numbers ({listed(names, 3)}): which "
            f"frame each is of can't be told.",
            "Give one for every frame, numbered without gaps.",
        )
    if len(files) == gathered:
        return [files[int(Path(name).stem) - 1] for name in footage.names]
    shown = np.array(frame_times(source.path))  # uneven where the frame rate varies
    if abs(len(files) - len(shown)) <= 1:
        return [
            files[min(int(np.abs(shown - t).argmin()), len(files) - 1)] for t in footage.times or ()
        ]
    raise InputError(
        f"{given.name} holds {len(files)} masks for {gathered} pictures and {len(shown)} frames.",
        "Give one for every picture, or for every frame.",
    )


def pair_masks(given: Path, footage: Footage, gathered: int, source: Source) -> PairedMasks:
    """The mask of every picture of the footage; InputError where names or numbers don't fit."""
    if not given.is_dir():
        raise InputError(f"There is no folder of masks {given}.", "Check the path.")
    if footage.sources is not None:
        return paired_masks(given, footage.sources)
    return PairedMasks(masks=[*_of_frames(given, footage, gathered, source)], told="")


def _mask(path: Path | None, footage: Footage, index: int, source: Source) -> Pixels:
    """(H, W) as the picture lies; all white where there is none."""
    size, turns = (footage.width, footage.height), footage.turns[index] if footage.turns else 0
    if path is None:
        return np.full(size[::-1], 255, np.uint8)
    upright = size[::-1] if turns % 2 else size
    facts = picture_facts(source.path / footage.sources[index]) if footage.sources else None
    return np.ascontiguousarray(np.rot90(two_tone(path, upright, facts), turns))


def write_masks(
    job: Job[Any], given: Path, footage: Footage, gathered: int, source: Source, folder: Path
) -> Path:
    """Masks for the pictures, in COLMAP's naming: NAME.png beside a picture called NAME."""
    paired = pair_masks(given, footage, gathered, source)
    if paired.told:
        job.warn("INPUT", paired.told)
    for index, (image, path) in enumerate(zip(footage.names, paired.masks, strict=True)):
        write_mask(_mask(path, footage, index, source), folder, image)
    return folder
