"""Numpy archives that are changed a little, to see whether a reader notices."""

from pathlib import Path
from typing import Any

import numpy as np


def change(path: Path, **arrays: Any) -> None:
    """Puts other arrays into a file; None leaves one out."""
    with np.load(path, allow_pickle=False) as data:
        found = {name: data[name] for name in data.files}
    np.savez(
        path, **{name: value for name, value in {**found, **arrays}.items() if value is not None}
    )


def with_value(array: np.ndarray, index: Any, value: float) -> np.ndarray:
    """A copy that holds another value at one place."""
    changed = array.copy()
    changed[index] = value
    return changed


def label(arrays: dict[str, Any]) -> str:
    """What a test with such arrays is called."""
    return " ".join(f"{name} {np.asarray(a).tolist()}" for name, a in arrays.items())[:50]
