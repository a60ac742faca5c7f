"""Reads a FLAME model (Li et al. 2017) from the pickle that its site gives to those who sign up,
without running anything in it.

A pickle may call any function of any package. Here it may name a handful of constructors of numpy
and scipy arrays and one placeholder for chumpy's, and whatever else it names is refused before it
is called (Python's manual, "Restricting Globals").
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...formats.gate import opened
from ...protocol import InputError

KEYS = ("v_template", "f", "shapedirs", "J_regressor", "weights")
LARGEST = 1 << 30  # bytes


class _Chumpy:
    """What stands for chumpy's array: it only keeps its state."""

    def __init__(self, *_arguments: object) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state


class _Sparse(_Chumpy):
    """What stands for scipy's compressed sparse columns."""


_NUMPY = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"), ("numpy", "dtype"),
          ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"), ("_codecs",
          "encode")}  # fmt: skip


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NUMPY:
            return super().find_class(module, name)
        if module.split(".")[0] == "chumpy":
            return _Chumpy
        if module.startswith("scipy.sparse") and name == "csc_matrix":
            return _Sparse
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
        IndexError,
        KeyError,
        MemoryError,
        OverflowError,
        RecursionError,
        ImportError,
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
        value = value.state.get("x")
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" else None


def _dense(state: dict[str, Any]) -> NDArray[np.generic] | None:
    """Of compressed columns: their data, rows and starts."""
    data, rows, starts = (state.get(name) for name in ("data", "indices", "indptr"))
    shape = state.get("_shape")
    if (
        not all(isinstance(part, np.ndarray) for part in (data, rows, starts))
        or not isinstance(shape, tuple)
        or len(shape) != 2
    ):
        return None
    assert (
        isinstance(data, np.ndarray)
        and isinstance(rows, np.ndarray)
        and isinstance(starts, np.ndarray)
    )
    counts = np.diff(starts)
    fits = (
        len(starts) == shape[1] + 1
        and (counts >= 0).all()
        and counts.sum() == len(data) == len(rows)
        and max(shape) < 1_000_000
    )
    if not fits or (len(rows) and not 0 <= rows.min() <= rows.max() < shape[0]):
        return None
    dense = np.zeros(shape)
    dense[rows, np.repeat(np.arange(shape[1]), counts)] = data
    return dense
