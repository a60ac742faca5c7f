"""Values of dataclasses, lists and arrays as named tensors and a JSON-able shape, and back. Of a
file nothing can be made but the type that is asked for.
"""

import dataclasses
import functools
import types
import typing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from ..protocol import InputError

Tensors = dict[str, Tensor]
SPARSE = ("data", "indices", "indptr")


def pack(value: Any, tensors: Tensors, name: str = "value") -> Any:
    """Puts the arrays of `value` into `tensors`; what remains, as plain values. Raises TypeError
    for what is none of dataclass, list, tuple, dict, array, path, string or number.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, csr_matrix):
        arrays = {part: getattr(value, part) for part in SPARSE}
        return {**pack(arrays, tensors, name), "size": list(value.shape)}
    if isinstance(value, Tensor | np.ndarray):
        tensor = torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value
        tensors[name] = tensor.detach().cpu().contiguous()
        return name
    if dataclasses.is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: pack(part, tensors, f"{name}/{key}") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [pack(part, tensors, f"{name}/{i}") for i, part in enumerate(value)]
    raise TypeError(f"{name} is a {type(value).__name__}, which can't be kept.")


def unpack(kind: Any, shape: Any, tensors: Tensors) -> Any:
    """A value of the type `kind` from what `pack` made of one; InputError for anything else."""
    try:
        return _made(kind, shape, tensors)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"What was kept is not a {kind}: {error}.", "It is made anew.") from error


def repacked(kind: Any, value: Any) -> Any:
    """The value as `unpack` would give it back: arrays contiguous and in order, as a sum of them
    depends on how they lie.
    """
    tensors: Tensors = {}
    shape = pack(value, tensors)
    return unpack(kind, shape, tensors)


@functools.cache
def _fields(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def _made(kind: Any, shape: Any, tensors: Tensors) -> Any:
    origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if kind is Any:  # plain values only
        return shape
    if origin in (typing.Union, types.UnionType):
        (wanted,) = (part for part in parts if part is not types.NoneType)
        return None if shape is None else _made(wanted, shape, tensors)
    if origin is Tensor:
        return tensors[shape].clone()
    if origin is np.ndarray:
        return _array(kind, tensors[shape])
    if origin is csr_matrix:
        arrays = tuple(tensors[shape[part]].numpy().copy() for part in SPARSE)
        return csr_matrix(arrays, shape=tuple(shape["size"]))
    if dataclasses.is_dataclass(origin):
        values = {n: _made(k, shape[n], tensors) for n, k in _fields(origin).items()}  # type: ignore[arg-type]
        return origin(**values)  # type: ignore[operator]
    if origin in (list, tuple, dict):
        return _group(origin, parts, shape, tensors)
    return _plain(origin, parts, shape)


def _array(kind: Any, tensor: Tensor) -> Any:
    """numpy's, of the width that the type names, if it names one."""
    array = tensor.numpy().copy()
    inner = [d for a in typing.get_args(kind) for d in typing.get_args(a)]
    named = [d for d in inner if isinstance(d, type) and issubclass(d, np.generic)]
    if named and not np.issubdtype(array.dtype, named[0]):
        raise TypeError(f"{array.dtype} instead of {named[0].__name__}")
    return array


def _group(origin: Any, parts: tuple[Any, ...], shape: Any, tensors: Tensors) -> Any:
    if origin is dict:
        return {key: _made(parts[1], part, tensors) for key, part in shape.items()}
    if not isinstance(shape, list):
        raise TypeError(f"{shape!r} is not a list")
    kinds = [parts[0]] * len(shape) if origin is list or parts[-1] is ... else list(parts)
    return origin(_made(k, part, tensors) for k, part in zip(kinds, shape, strict=True))


def _plain(origin: Any, parts: tuple[Any, ...], shape: Any) -> Any:
    if origin is Path:
        return Path(shape)
    allowed = shape in parts if origin is typing.Literal else type(shape) is origin
    if not allowed and not (origin is float and type(shape) is int):
        raise TypeError(f"{shape!r} is not a {origin}")
    return shape
