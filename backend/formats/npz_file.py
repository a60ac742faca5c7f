"""Numpy archives from outside, the one reader of all kinds of them: sizes, types and shapes are
held against each other and against the file before one number is unpacked.
"""

import math
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError
from . import gate
from .limits import INFLATED_ANYWAY, INFLATION, MOST_MEMBERS, MOST_MEMORY_FILE
from .npz_header import ArrayHeader, read_array_header

NUMBERS, WHOLE, TEXT = "biuf", "iu", "U"
ANY_TEXT = "SU"  # bytes, too
BLOCK = 1 << 20  # bytes at a time
END, END64, END64_PLACE = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
LONGEST_COMMENT = 65_535
MOST_DIRECTORY = 1 << 20  # bytes of the list of members
BROKEN = (
    *(OSError, ValueError, KeyError, EOFError, TypeError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error, IndexError, OverflowError, MemoryError),
)
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Array:
    """A member: letters of numpy's kinds that it may be of, and its sizes. Sizes of one name are
    equal throughout the file.
    """

    kinds: str
    shape: tuple[int | str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class _Member:
    info: zipfile.ZipInfo
    header: ArrayHeader


def read_npz(path: Path, wanted: Mapping[str, Array], what: str, advice: str) -> Arrays:
    """The members that are wanted, others unread; optional ones where they are there.

    what: the file in words, as in "a head".

    Raises:
        InputError: the file is none, is damaged, claims to hold more than is believed, or a member
            is missing, or not of the type and shape that is wanted.
    """
    with gate.opened(path, MOST_MEMORY_FILE) as file:
        try:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                members = _members(archive, wanted)
                _check_together(members, wanted)
                _check_growth(members, os.fstat(file.fileno()).st_size)
                return {name: _unpacked(archive, m, name) for name, m in members.items()}
        except BROKEN as error:
            why = str(error) if type(error) is ValueError else "it can't be read"
            text = f"{path.name} is not {what}, or it is damaged: {why}."
            raise InputError(text, advice) from error


def _check_directory(file: BinaryIO) -> None:
    """The list of members is read whole, whatever its size: not where that is no archive's of
    arrays.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LONGEST_COMMENT - 98))
    tail = file.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) < at + 22:
        raise ValueError("it is no whole archive")
    count, length = struct.unpack_from("<HI", tail, at + 10)
    if at >= 76 and tail[at - 20 : at - 16] == END64_PLACE and tail[at - 76 : at - 72] == END64:
        count, length = struct.unpack_from("<QQ", tail, at - 76 + 32)
    if count > MOST_MEMBERS or length > MOST_DIRECTORY:
        raise ValueError("it holds too many members")
    file.seek(0)


def _members(archive: zipfile.ZipFile, wanted: Mapping[str, Array]) -> dict[str, _Member]:
    names = [info.filename for info in archive.infolist()]
    if len(names) > MOST_MEMBERS or len(set(names)) < len(names):
        raise ValueError("it names a member twice")
    members = {}
    for name, array in wanted.items():
        info = archive.NameToInfo.get(f"{name}.npy")
        if info is None and array.optional:
            continue
        if info is None:
            raise ValueError(f"{name!r} is missing")
        plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not plain or info.flag_bits & 1:
            raise ValueError(f"{name!r} is packed in a way that is unknown")
        with archive.open(info) as part:
            try:
                header = read_array_header(part)  # type: ignore[arg-type]
            except ValueError as error:
                raise ValueError(f"{name!r}: {error}") from error
        if header.nbytes + header.size != info.file_size:
            raise ValueError(f"{name!r} is not as large as it says")
        members[name] = _Member(info, header)
    return members


def _check_together(members: Mapping[str, _Member], wanted: Mapping[str, Array]) -> None:
    """Types, dimensions, and sizes of one name."""
    sizes: dict[str, int] = {}
    for name, member in members.items():
        header, array = member.header, wanted[name]
        if header.dtype.kind not in array.kinds:
            raise ValueError(f"{name!r} is of another type")
        fits = len(header.shape) == len(array.shape)
        for size, right in zip(header.shape, array.shape, strict=False):
            fits &= size == (sizes.setdefault(right, size) if isinstance(right, str) else right)
        if not fits:
            raise ValueError(f"its parts do not fit together ({name!r})")


def _check_growth(members: Mapping[str, _Member], packed: int) -> None:
    whole = sum(member.header.nbytes for member in members.values())
    if whole > max(INFLATED_ANYWAY, INFLATION * packed):
        raise ValueError(f"it claims to hold {whole / 1e9:.1f} GB, more than it can")


def _unpacked(archive: zipfile.ZipFile, member: _Member, name: str) -> NDArray[Any]:
    header, at = member.header, 0
    data = np.empty(header.nbytes, np.uint8)
    room = data.data
    with archive.open(member.info) as part:
        part.read(header.size)
        while at < len(room):
            block = part.read(min(BLOCK, len(room) - at))
            if not block:
                raise ValueError(f"{name!r} is cut off")
            room[at : at + len(block)] = block
            at += len(block)
        if part.read(1):  # reads the checksum, too
            raise ValueError(f"{name!r} is not as large as it says")
    flat = data.view(header.dtype) if len(data) else np.empty(math.prod(header.shape), header.dtype)
    values = flat.reshape(header.shape, order="F" if header.is_fortran else "C")
    if header.dtype.kind == "U":
        _check_letters(flat, name)
    return values.astype(header.dtype.newbyteorder("="), copy=False)


def _check_letters(texts: NDArray[Any], name: str) -> None:
    """Numbers that are no letters can't even be shown."""
    order = "<" if texts.dtype.newbyteorder("<") == texts.dtype else ">"
    codes = texts.view(f"{order}u4")
    if ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any():
        raise ValueError(f"{name!r} holds letters that are none")
