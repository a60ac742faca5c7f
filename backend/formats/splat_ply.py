"""The 3DGS PLY that every splat viewer reads (Kerbl et al. 2023), with extra vertex properties
carried through.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Doubles, Floats
from ..geometry.far_origin import offset_of
from ..protocol import InputError
from . import ply
from .splat_arrays import (
    SH_C0,
    SplatArrays as SplatArrays,
    joined as joined,
    sound,
    take as take,
)
from .splat_notes import comments_of, notes_of, notes_of_near, said_of

FILE = "splats.ply"  # what jobs call theirs

DC = ("f_dc_0", "f_dc_1", "f_dc_2")
RGB = ("red", "green", "blue")  # instead of DC, as nerfstudio writes on demand
REQUIRED = (
    *("x", "y", "z", "opacity", "scale_0", "scale_1", "scale_2"),
    *("rot_0", "rot_1", "rot_2", "rot_3", *DC),
)
NORMALS = ("nx", "ny", "nz")  # zeros, which mean nothing


def read(path: Path) -> SplatArrays:
    """Raises InputError for anything that is not a splat PLY. Splats that are not finite are left
    out and counted.
    """
    header = ply.read_header(path)
    element = header.find("vertex")
    kinds = dict(header.fields)
    _demand(path, kinds)
    rest = sorted((n for n in kinds if re.fullmatch("f_rest_[0-9]{1,3}", n)), key=_number)
    if len(rest) not in (0, 9, 24, 45, 72):
        raise InputError(
            f"{path.name} has {len(rest)} colour coefficients, which fit no degree from 0 to 4.",
            "Export it again.",
        )
    colored = not set(DC) <= set(kinds)
    base = RGB if colored else DC
    known = {*REQUIRED, *base, *rest, *NORMALS}
    extra = {n: np.dtype(kind) for n, kind in kinds.items() if n not in known}
    count = element.count if element else 0
    arrays = _empty(count, len(rest) // 3 + 1, extra)
    first, offset = 0, None
    for block in ply.read_blocks(path, header, "vertex"):
        if first == 0:
            offset = _far_offset(block)
        _fill(arrays, slice(first, first + len(block)), block, rest, base, offset)
        first += len(block)
    if colored:
        arrays.sh[:, 0] = (_unit_colors(arrays.sh[:, 0], kinds["red"]) - 0.5) / SH_C0
    arrays.notes = notes_of(list(header.comments))
    if offset is not None:
        arrays.notes = notes_of_near(arrays.notes, offset)
        arrays.told = (said_of(offset),)
    if element and element.lists:
        arrays.left_out = (f"the list {', '.join(element.lists)}",)
    return sound(arrays, path.name)


def _far_offset(block: NDArray[np.void]) -> Doubles | None:
    """(3,) what brings splats of double precision, of which these are some, near the origin; None
    where they are near enough, or are rounded to single precision already.
    """
    if not any(block.dtype[axis] == np.float64 for axis in "xyz"):
        return None
    places = np.stack([block[axis] for axis in "xyz"], 1).astype(np.float64)
    places = places[np.isfinite(places).all(1)]
    return offset_of(places) if len(places) else None


def _number(name: str) -> int:
    return int(name[len("f_rest_") :])


def _demand(path: Path, kinds: dict[str, str]) -> None:
    """Raises InputError where a property that splats have is missing."""
    names = set(kinds)
    if set(RGB) <= names:
        names |= set(DC)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        kind = (
            "It looks like SuperSplat's compressed PLY; export it as a plain PLY."
            if "packed_position" in names
            else "Choose a 3DGS PLY."
        )
        raise InputError(
            f"{path.name} holds no Gaussian splats: the property {missing[0]!r} is missing.", kind
        )


def _empty(count: int, coefficients: int, extra: dict[str, np.dtype]) -> SplatArrays:
    f = np.float32
    return SplatArrays(
        means=np.empty((count, 3), f),
        quats=np.empty((count, 4), f),
        log_scales=np.empty((count, 3), f),
        opacity_logits=np.empty(count, f),
        sh=np.empty((count, coefficients, 3), f),
        extra={name: np.empty(count, kind) for name, kind in extra.items()},
    )


def _fill(
    a: SplatArrays,
    rows: slice,
    block: NDArray[np.void],
    rest: list[str],
    base: tuple[str, ...],
    offset: Doubles | None,
) -> None:
    """A block of the file's rows into their place, less the offset (3,)."""
    with np.errstate(over="ignore"):  # of doubles that no float32 can hold: they are left out
        for i in range(3):
            places = block["xyz"[i]]
            a.means[rows, i] = places if offset is None else places - offset[i]
            a.log_scales[rows, i] = block[f"scale_{i}"]
            a.sh[rows, 0, i] = block[base[i]]
        for i in range(4):
            a.quats[rows, i] = block[f"rot_{i}"]
        a.opacity_logits[rows] = block["opacity"]
        width = len(rest) // 3
        for i, name in enumerate(rest):  # channel by channel: all of red, then green, then blue
            a.sh[rows, 1 + i % width, i // width] = block[name]
    for name, values in a.extra.items():
        values[rows] = block[name]


def _unit_colors(colors: Floats, kind: str) -> Floats:
    """In 0..1: whole numbers by their type's largest, floats by 255 where any is above 1."""
    if kind[0] in "iu":
        return colors / np.float32(np.iinfo(kind).max)
    return colors / np.float32(255) if colors.size and np.nanmax(colors) > 1 else colors


def write(path: Path, a: SplatArrays, comments: tuple[str, ...] = ()) -> None:
    """Writes the layout that the original implementation writes, normals included."""
    width = a.sh.shape[1] - 1
    rest = [f"f_rest_{i}" for i in range(3 * width)]
    names = [*"xyz", *NORMALS, *DC, *rest, *(n for n in REQUIRED[3:] if n not in DC)]
    fields = [(n, "f4") for n in names if n not in a.extra]
    fields += [(n, v.dtype.str[1:]) for n, v in a.extra.items()]
    dtype = np.dtype(fields).newbyteorder("<")
    with open(path, "wb") as file:
        lines = (*comments, *comments_of(a.notes))
        file.write(ply.header_of({"vertex": (len(a), dtype)}, lines))
        for first in range(0, len(a), ply.BLOCK):
            file.write(_rows(a, slice(first, first + ply.BLOCK), dtype).data)


def _rows(a: SplatArrays, rows: slice, dtype: np.dtype) -> NDArray[np.void]:
    """A block of the file."""
    block = np.zeros(len(a.means[rows]), dtype)
    width = a.sh.shape[1] - 1
    for i in range(3):
        block["xyz"[i]] = a.means[rows, i]
        block[f"scale_{i}"] = a.log_scales[rows, i]
        block[DC[i]] = a.sh[rows, 0, i]
    for i in range(4):
        block[f"rot_{i}"] = a.quats[rows, i]
    block["opacity"] = a.opacity_logits[rows]
    for i in range(3 * width):
        block[f"f_rest_{i}"] = a.sh[rows, 1 + i % width, i // width]
    for name, values in a.extra.items():
        block[name] = values[rows]
    return block
