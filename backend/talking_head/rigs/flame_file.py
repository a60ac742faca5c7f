"""Reads a FLAME model (Li et al. 2017) from the pickle that its site gives to those who sign up,
without running anything in it.

A pickle may call any function of any package. Here it may name a handful of constructors of arrays
(numpy's, scipy's, chumpy's), for all of which others stand in that only keep what they are given;
whatever else it names is refused before it is called (Python's manual, "Restricting Globals").
"""

import math
import pickle
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...formats.gate import opened
from ...protocol import InputError

KEYS = ("v_template", "f", "shapedirs", "J_regressor", "weights")
LARGEST = 1 << 30  # bytes
MOST_ROWS, MOST_AXES = 1_000_000, 8
NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")


class _Kept:
    """What stands for an object of another package: it only keeps what it is given."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Chumpy(_Kept):
    """What stands for chumpy's array."""


class _Sparse(_Kept):
    """What stands for scipy's compressed sparse columns."""


class _Dtype(_Kept):
    """What stands for a type of numpy's: numpy's own crashes on a state that is none."""


class _Ndarray(_Kept):
    """What stands for numpy's array: its state is (version, shape, type, Fortran order, bytes)."""


def _encode(text: object, _encoding: object = "", _errors: object = "") -> bytes:
    """Bytes that Python 2 and 3 pass to one another as text of Latin-1."""
    return text.encode("latin1") if isinstance(text, str) else b""


def _nothing(*_arguments: object) -> bytes:
    """Python 3's pickles for Python 2 call for bytes only where there are none."""
    return b""


_NAMED = {
    ("__builtin__", "bytes"): _nothing,
    ("numpy", "ndarray"): _Ndarray,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("scipy.sparse.csc", "csc_matrix"): _Sparse,
    ("scipy.sparse._csc", "csc_matrix"): _Sparse,
    **{
        (f"numpy.{core}.multiarray", name): stand_in
        for core in ("core", "_core")
        for name, stand_in in (("_reconstruct", _Ndarray), ("scalar", _Kept))
    },
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "chumpy":
            return _Chumpy
        if (module, name) in _NAMED:
            return _NAMED[module, name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of KEYS by name. InputError for anything that is not a FLAME model, or that asks
    for more than arrays.
    """
    wrong = InputError(
        f"{path.name} is not a FLAME model, or it is damaged.",
        "Choose generic_model.pkl or flame2023.pkl from FLAME's site.",
    )
    try:
        with opened(path, LARGEST) as file:
            entries = _Reader(file, encoding="latin1").load()
    except pickle.UnpicklingError as error:
        if "asks for" in str(error):
            raise InputError(
                f"{path.name} is not safe to read: {error}.",
                "Fetch the model again from FLAME's own site.",
            ) from error
        raise wrong from error
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        MemoryError,
        OverflowError,
        RecursionError,
        ImportError,
        LookupError,
    ) as error:
        raise wrong from error
    if not isinstance(entries, dict) or not all(key in entries for key in KEYS):
        raise wrong
    arrays = {key: _array(entries[key]) for key in KEYS}
    if any(array is None for array in arrays.values()):
        raise wrong
    return {key: array for key, array in arrays.items() if array is not None}


def _array(value: object) -> NDArray[np.generic] | None:
    if isinstance(value, _Sparse):
        return _dense(value.state)
    if isinstance(value, _Chumpy):
        value = value.state.get("x") if isinstance(value.state, dict) else None
    return _plain(value.state) if isinstance(value, _Ndarray) else None


def _plain(state: object) -> NDArray[np.generic] | None:
    """Of an array's state; None unless it is one of numbers, and has as many bytes as they take."""
    if not isinstance(state, tuple) or len(state) != 5:
        return None
    _, shape, kind, by_columns, content = state
    content = _encode(content) if isinstance(content, str) else content
    dtype = _number_type(kind)
    if dtype is None or not isinstance(content, bytes) or not isinstance(shape, tuple):
        return None
    if not all(isinstance(length, int) and 0 <= length <= LARGEST for length in shape):
        return None
    if math.prod(shape) * dtype.itemsize != len(content) or len(shape) > MOST_AXES:
        return None
    order: Literal["F", "C"] = "F" if by_columns else "C"
    return np.frombuffer(content, dtype).reshape(shape, order=order)


def _number_type(kind: object) -> np.dtype[np.generic] | None:
    """Of what stands for a type, whose state begins (version, byte order, …)."""
    if not isinstance(kind, _Dtype) or not kind.arguments:
        return None
    code = kind.arguments[0]
    if not isinstance(code, str) or code not in NUMBERS:
        return None
    swapped = isinstance(kind.state, tuple) and kind.state[1:2] == (">",)
    return np.dtype(f"{'>' if swapped else '<'}{code}")


def _dense(state: object) -> NDArray[np.generic] | None:
    """Of compressed columns: their data, rows and starts."""
    if not isinstance(state, dict):
        return None
    data, rows, starts = (_array(state.get(name)) for name in ("data", "indices", "indptr"))
    shape = state.get("_shape")
    if data is None or rows is None or starts is None or not isinstance(shape, tuple):
        return None
    if len(shape) != 2 or not all(isinstance(n, int) and 0 <= n < MOST_ROWS for n in shape):
        return None
    if "f" in (rows.dtype.kind, starts.dtype.kind) or {1} != {data.ndim, rows.ndim, starts.ndim}:
        return None
    columns = starts.astype(np.int64)
    counts = columns[1:] - columns[:-1]
    fits = len(starts) == shape[1] + 1 and bool((counts >= 0).all())
    if not fits or not counts.sum() == len(data) == len(rows):
        return None
    if len(rows) and not 0 <= rows.min() <= rows.max() < shape[0]:
        return None
    dense = np.zeros(shape)
    dense[rows, np.repeat(np.arange(shape[1]), counts)] = data
    return dense
