"""Checkpoints: named tensors in one safetensors file with a JSON note in its header. No pickle,
whole or not there. What they belong to, kept_work.py knows.
"""

import contextlib
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..protocol import CheckpointError, InputError
from . import disk
from .atomic import atomic_path
from .keeping import FORMAT, present

# what torch, numpy and our own constructors raise for tensors that are not what they were
UNFIT = (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError)


def save(path: Path, tensors: dict[str, Tensor], note: dict[str, Any]) -> None:
    """Writes `tensors` and the JSON-able `note`; an older file at `path` stays until the new one is
    complete. Within a job a disk that does not take it is a warning and no error.
    """
    keeping = present()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, tensors, note)
    except (OSError, SafetensorError) as error:
        if keeping is None or (isinstance(error, SafetensorError) and not _is_of_disk(error)):
            raise
        kind = getattr(error, "errno", None) or disk.is_full(error)
        keeping.failed(kind, _refused(error, path, tensors))
        return
    if keeping is not None:
        keeping.saved += 1


def _write(path: Path, tensors: dict[str, Tensor], note: dict[str, Any]) -> None:
    with atomic_path(path) as part:
        save_file(
            {name: t.detach().cpu().contiguous() for name, t in tensors.items()},
            part,
            {"note": json.dumps(note), "format": str(FORMAT)},
        )


def _is_of_disk(error: SafetensorError) -> bool:
    text = str(error).lower()
    return "os error" in text or "i/o error" in text


def _refused(error: Exception, path: Path, tensors: dict[str, Tensor]) -> str:
    """Why a checkpoint was not written, in words."""
    kind = getattr(error, "errno", None)
    if kind in (errno.EACCES, errno.EPERM, errno.EROFS):
        why = "its folder can't be written to"
    elif disk.is_full(error) or disk.is_brimful(path.parent):
        needed = sum(t.numel() * t.element_size() for t in tensors.values())
        free = disk.in_words(max(0, disk.free_bytes(path.parent)))
        why = f"it needs {disk.in_words(needed)}, and {free} are free"
    else:
        why = str(getattr(error, "strerror", None) or error)[:200]
    older = " The one before it stays." if path.is_file() else ""
    return f"A checkpoint can't be written: {why}. The work goes on without.{older}"


def load(path: Path, *, finite: bool = False) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save` wrote; CheckpointError for a damaged file, another version's, and, if asked for,
    one with numbers that are not finite.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        note = json.loads(header["note"])
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"The checkpoint {path.name} is damaged.", "Start the job anew."
        ) from error
    if header.get("format", "1") != str(FORMAT) or not isinstance(note, dict):
        raise CheckpointError(
            f"The checkpoint {path.name} is of another version.", "Start the job anew."
        )
    if finite:
        require_finite(tensors)
    return tensors, note


def require_finite(tensors: dict[str, Tensor]) -> None:
    """Raises CheckpointError where a number is NaN or infinite."""
    for name, values in tensors.items():
        if values.is_floating_point() and not bool(torch.isfinite(values).all()):
            raise CheckpointError(
                f"The checkpoint's {name} holds numbers that are not finite.",
                "Start the job anew.",
            )


def require_like(values: Tensor, example: Tensor, name: str, rows: int | None = None) -> None:
    """Raises CheckpointError unless `values` are of the example's type and shape; with as many
    `rows` instead of the example's, if given.
    """
    shape = tuple(example.shape) if rows is None else (rows, *example.shape[1:])
    if values.dtype != example.dtype or tuple(values.shape) != shape:
        raise CheckpointError(
            f"The checkpoint's {name} is {values.dtype} of {tuple(values.shape)}, not "
            f"{example.dtype} of {shape}.",
            "Start the job anew.",
        )


@contextlib.contextmanager
def restoring() -> Iterator[None]:
    """Around whatever makes a state of loaded tensors: what is missing or does not fit becomes a
    CheckpointError, upon which the job starts anew.
    """
    try:
        yield
    except CheckpointError:
        raise
    except (InputError, *UNFIT) as error:
        if "out of memory" in str(error).lower():
            raise
        raise CheckpointError(
            f"The checkpoint does not fit ({type(error).__name__}: {str(error)[:150]}).",
            "Start the job anew.",
        ) from error


def adam_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What Adam remembers of its parameters, numbered in the order of its groups."""
    leaves = [p for group in optimizer.param_groups for p in group["params"]]
    return {
        f"adam/{i}/{key}": value
        for i, leaf in enumerate(leaves)
        for key, value in optimizer.state.get(leaf, {}).items()
    }


def restore_adam(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Into an optimiser of as many parameters, in the same order. Raises CheckpointError for
    moments of another shape.
    """
    for index, leaf in enumerate(p for group in optimizer.param_groups for p in group["params"]):
        prefix = f"adam/{index}/"
        state = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        optimizer.state[leaf] = adam_state(leaf, state, prefix)


def adam_state(leaf: Tensor, saved: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """What Adam remembers of a parameter, on its device; nothing, or its step and two moments."""
    if saved and saved.keys() != {"step", "exp_avg", "exp_avg_sq"}:
        raise CheckpointError(f"The checkpoint's {name} is not complete.", "Start the job anew.")
    for key, values in saved.items():
        require_like(values, leaf if key != "step" else torch.zeros(()), f"{name}{key}")
    return {k: t if k == "step" else t.to(leaf.device) for k, t in saved.items()}
