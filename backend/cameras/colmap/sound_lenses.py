"""Cameras whose lens can't be one, left out by name where enough others stay."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import pycolmap

from ...formats.capture_frames import ENOUGH
from ...formats.name_pairing import listed
from ...protocol import InputError
from .colmap_command import ColmapTask
from .lens_check import check_lens


def sound_indices(
    names: Sequence[str],
    lens_of: Sequence[Hashable],
    lenses: Mapping[Hashable, pycolmap.Camera],
) -> tuple[list[int], list[str]]:
    """Which of the named pictures have a lens that can be one, and a sentence about the others.

    Raises:
        InputError: too few have; it is that of the first bad lens.
    """
    bad: dict[Hashable, InputError] = {}
    for key in dict.fromkeys(lens_of):
        try:
            check_lens(lenses[key])
        except InputError as error:
            bad[key] = error
    kept = [index for index, key in enumerate(lens_of) if key not in bad]
    if not bad:
        return kept, []
    first = next(iter(bad.values()))
    if len(kept) < ENOUGH:
        raise first
    gone = [name for name, key in zip(names, lens_of, strict=True) if key in bad]
    return kept, [
        f"{len(gone)} of {len(names)} cameras have no usable lens and were left out: "
        f"{listed(gone)}. Of the first: {first.what}"
    ]


def with_sound_lenses(task: ColmapTask) -> tuple[ColmapTask, list[str]]:
    """The task of known cameras without those whose lens can't be one, and what to tell of it.

    Raises:
        InputError: as `sound_indices` does.
    """
    by_name = {camera.name: camera for camera in task.known}
    lens_of = [by_name[name].lens for name in task.names]
    lenses: dict[Hashable, pycolmap.Camera] = {
        camera.lens: pycolmap.Camera(
            model=camera.model, width=camera.size[0], height=camera.size[1], params=camera.params
        )
        for camera in task.known
    }
    kept, told = sound_indices(task.sources or task.names, lens_of, lenses)
    if not told:
        return task, []
    names = [task.names[i] for i in kept]
    return replace(
        task,
        names=names,
        times=[task.times[i] for i in kept] if task.times else task.times,
        sources=[task.sources[i] for i in kept] if task.sources else task.sources,
        known=[by_name[name] for name in names],
    ), told
