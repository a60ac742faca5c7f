"""Objects taken out of a segmentation: cut clean, one file each, the hole closed."""

from pathlib import Path

import numpy as np

from ..cutting.clean_cut import clean_cut
from ..cutting.filling import fill_behind
from ..formats import capture, semantics_file, splat_ply
from ..formats.splat_ply import SplatArrays, joined, take
from ..geometry.arrays import Flags, Floats
from ..protocol import VERSION
from .segmentation import Segmentation

MADE_BY = (f"Splatsmith {VERSION}",)


def cut_chosen(scene: Segmentation, chosen: Flags) -> tuple[SplatArrays, list[str]]:
    """The chosen splats (N,) object by object, each clean, and a line about each; splats that are
    of no object are left behind.
    """
    others, parts, told = (scene.labels >= 0) & ~chosen, [], []
    for number in np.unique(scene.labels[chosen & (scene.labels >= 0)]):
        cut = clean_cut(scene.arrays, chosen & (scene.labels == number), others)
        parts.append(cut.arrays)
        told.append(f"{scene.names[number]}: {cut.told()}")
    loose = int((chosen & (scene.labels < 0)).sum())
    told += [f"{loose:,} splats of no object were left behind"] if loose else []
    return joined(parts) if parts else take(scene.arrays, np.zeros(0, np.int64)), told


def filled(scene: Segmentation, away: Flags, folder: str) -> tuple[SplatArrays, str]:
    """All splats but those (N,), with what they hid, and a line about that."""
    eyes: Floats | None = None
    if folder:
        frames = capture.read(Path(folder)).frames
        eyes = np.array([f.camera_to_world[:3, 3] for f in frames], np.float32)
    rest = take(scene.arrays, ~away)
    filling = fill_behind(scene.arrays, away, scene.labels, eyes)
    if filling.arrays is None:
        return rest, "nothing behind had to be closed"
    filling.arrays.extra[semantics_file.LABEL] = filling.objects.astype(np.uint16)
    names = ", ".join(scene.names[n] for n in np.unique(filling.objects))
    return joined([rest, filling.arrays]), f"{len(filling.objects):,} splats continue {names}"


def write_each(
    scene: Segmentation, numbers: list[int], folder: Path, clean: bool, plain: bool
) -> list[str]:
    """A PLY an object; a line about each. Objects without splats have none."""
    folder.mkdir(parents=True, exist_ok=True)
    told = []
    for number in numbers:
        mine = scene.labels == number
        if not mine.any():
            told.append(f"{scene.names[number]} has no splats")
            continue
        if clean:
            own, lines = cut_chosen(scene, mine)
            told += lines
        else:
            own = take(scene.arrays, mine)
        if plain:
            own.extra.clear()
        splat_ply.write(
            folder / f"{semantics_file.safe_name(number, scene.names[number])}.ply", own, MADE_BY
        )
    return told
