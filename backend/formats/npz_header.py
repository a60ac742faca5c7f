"""What a numpy array in a file says of itself, before one number of it is read. No object that
would have to be unpickled, no structure, no size that is none.
"""

import ast
import math
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

MAGIC = b"\x93NUMPY"
LONGEST = 4096  # bytes of a header
LONGEST_WORD = 16_384  # bytes of a text in a table of texts
KEYS = {"descr", "fortran_order", "shape"}


@dataclass(frozen=True)
class ArrayHeader:
    """How an array lies in its file."""

    dtype: np.dtype
    shape: tuple[int, ...]
    is_fortran: bool
    size: int  # bytes of the header

    @property
    def nbytes(self) -> int:
        """Of the numbers alone."""
        return self.dtype.itemsize * math.prod(self.shape)


def read_array_header(file: BinaryIO) -> ArrayHeader:
    """ValueError for anything that is no .npy of plain numbers or texts."""
    start = file.read(8)
    if not start.startswith(MAGIC) or len(start) < 8 or start[6] not in (1, 2, 3):
        raise ValueError("it is no array")
    width = 2 if start[6] == 1 else 4
    (length,) = struct.unpack("<H" if width == 2 else "<I", _exactly(file, width))
    if length > LONGEST:
        raise ValueError("its header is too long")
    text = _exactly(file, length).decode("utf-8" if start[6] == 3 else "latin1")
    try:
        said = ast.literal_eval(text.strip())
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError("its header can't be read") from error
    if not isinstance(said, dict) or set(said) != KEYS or not isinstance(said["descr"], str):
        raise ValueError("it is no plain array")
    return ArrayHeader(
        _plain(said["descr"]),
        _shape(said["shape"]),
        bool(said["fortran_order"]),
        8 + width + length,
    )


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise ValueError("it is cut off")
    return data


def _plain(description: str) -> np.dtype:
    try:
        dtype = np.dtype(description)
    except (TypeError, SyntaxError, ValueError) as error:
        raise ValueError("its type is unknown") from error
    if dtype.kind not in "biufSU" or dtype.itemsize > LONGEST_WORD or not dtype.itemsize:
        raise ValueError("it holds neither numbers nor texts")
    return dtype


def _shape(said: object) -> tuple[int, ...]:
    if not isinstance(said, tuple) or len(said) > 8:
        raise ValueError("its shape is impossible")
    if not all(type(n) is int and 0 <= n < 2**48 for n in said):
        raise ValueError("its shape is impossible")
    return said
