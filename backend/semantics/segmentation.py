"""A segmentation as a folder: the splats, whose each is, and what is known of the objects."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..formats import semantics_file, splat_ply
from ..formats.json_file import read_json
from ..formats.semantics_file import Semantics
from ..formats.splat_ply import SplatArrays
from ..geometry.arrays import Ints32
from ..protocol import InputError


@dataclass(frozen=True)
class Segmentation:
    """What `segment` left."""

    arrays: SplatArrays
    labels: Ints32  # (N,) the object of every splat, -1: none
    semantics: Semantics
    names: tuple[str, ...]  # of the K objects


def read_segmentation(folder: Path) -> Segmentation:
    """InputError for a folder that holds none."""
    if not (folder / semantics_file.NAME).is_file():
        raise InputError(f"{folder.name} is no segmentation.", "Give the folder that Segment left.")
    arrays = splat_ply.read(folder / "splats.ply")
    semantics = semantics_file.read(folder / semantics_file.NAME)
    if len(arrays) != len(semantics.objects) or semantics_file.LABEL not in arrays.extra:
        raise InputError(
            "splats.ply and semantics.npz are not of one segmentation.", "Run Segment again."
        )
    names = object_names(folder / semantics_file.OBJECTS, len(semantics.features))
    return Segmentation(arrays, labels_of(arrays), semantics, names)


def labels_of(arrays: SplatArrays) -> Ints32:
    """(N,) the object of every splat of a file, -1: none."""
    labels = arrays.extra[semantics_file.LABEL].astype(np.int64)
    return np.where(labels == semantics_file.NOTHING, -1, labels).astype(np.int32)


def object_names(path: Path, count: int) -> tuple[str, ...]:
    """Of objects.json; plain ones where that is not there, or says nothing."""
    names = {number: f"Object {number + 1}" for number in range(count)}
    if path.is_file():
        records = read_json(path)
        for record in records if isinstance(records, list) else []:
            if isinstance(record, dict) and record.get("id") in names:
                names[record["id"]] = str(record.get("name") or names[record["id"]])
    return tuple(names.values())
