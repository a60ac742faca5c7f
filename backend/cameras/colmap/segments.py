"""COLMAP's incremental mapper in segments, so that a mapper which is killed goes on in the segment
that it was in.

A segment ends when so many pictures more have their place. The model is written then and read back
by the next one, with the random numbers at the seed, in an unbroken run as in a resumed one: both
give the same bytes. Where several models are tried, the largest one is gone on with; smaller ones
are made in one go, and those from before a segment's end are forgotten.
"""

import contextlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pycolmap

from ...runtime import atomic

LEAST = 20  # pictures that a segment places
# A large model is adjusted as a whole when it has grown by this; its segments are as long, so that
# it is adjusted as often as in one go.
GROWTH = 0.1
FOLDER, NOTE = "segments", "note.json"


@dataclass(frozen=True)
class Segment:
    """The model at the end of a segment, none before the first, and what the mapper had done by
    then, in pictures placed.
    """

    folder: Path  # of all segments
    number: int = 0
    done: int = 0
    placed: int = 0

    @property
    def model(self) -> Path:
        """Where COLMAP's files lie."""
        return self.folder / f"{self.number:04d}"

    @property
    def half(self) -> Path:
        """Where COLMAP writes the next one."""
        return self.folder / ".next"

    @property
    def length(self) -> int:
        """Pictures that the next segment places."""
        return max(LEAST, math.ceil(GROWTH * self.placed))

    def begin(self) -> "Segment":
        """Clears the place for the next one."""
        shutil.rmtree(self.half, ignore_errors=True)
        self.half.mkdir(parents=True)
        return self

    def written(self) -> int:
        """How often COLMAP has written a model here; it does so before it says that the picture is
        placed which ends a segment.
        """
        return len(list(self.half.iterdir()))

    def next(self, done: int) -> "Segment":
        """The model that COLMAP has written last, whole or not at all; this one goes."""
        written = max(self.half.iterdir())  # their names are times
        placed = pycolmap.Reconstruction(written).num_reg_images()
        ended = Segment(self.folder, self.number + 1, done, placed)
        note = {"done": ended.done, "placed": ended.placed, "files": _sizes(written)}
        (written / NOTE).write_text(json.dumps(note), encoding="utf-8")
        atomic.sync_tree(written)
        os.replace(written, ended.model)
        atomic.sync_folder(self.folder)
        if self.number:
            shutil.rmtree(self.model)
        return ended


def _sizes(folder: Path) -> dict[str, int]:
    """Of COLMAP's files."""
    return {path.name: path.stat().st_size for path in sorted(folder.glob("*.bin"))}


def last(work: Path, goes_on: bool) -> Segment:
    """Where a stopped mapper is gone on with; the beginning where there is nothing to go on
    from.
    """
    folder = work / FOLDER
    if goes_on:
        for path in sorted(folder.glob("[0-9]*"), reverse=True):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                note = json.loads((path / NOTE).read_text(encoding="utf-8"))
                if note["files"] == _sizes(path):  # COLMAP reads a short file for ever
                    return Segment(folder, int(path.name), int(note["done"]), int(note["placed"]))
    shutil.rmtree(folder, ignore_errors=True)
    return Segment(folder)


@contextlib.contextmanager
def _mapper(database: Path, options: Any, model: Any) -> Iterator[Any]:
    cache = pycolmap.DatabaseCacheOptions()
    cache.min_num_matches = options.min_num_matches
    cache.ignore_watermarks = options.ignore_watermarks
    with pycolmap.Database.open(database) as opened:
        mapper = pycolmap.IncrementalMapper(pycolmap.DatabaseCache.create(opened, cache))
    mapper.begin_reconstruction(model)
    try:
        yield mapper
    finally:
        mapper.end_reconstruction(False)


def adjust(database: Path, options: Any, model: Any) -> None:
    """Adjusts the model as a whole, as the mapper does at its end: not if it has placed no picture
    since it began, which is so where the segment before had placed the last.
    """
    with _mapper(database, options, model) as mapper:
        given = options.get_mapper()
        mapper.iterative_global_refinement(
            options.ba_global_max_refinements,
            options.ba_global_max_refinement_change,
            given,
            options.get_global_bundle_adjustment(),
            options.get_triangulation(),
        )
        mapper.filter_frames(given)
    model.update_point_3d_errors()
