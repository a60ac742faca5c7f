"""Reads a network out of a .tflite file: its operators in order, and its weights as tensors. Runs
nothing.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite
import torch
from flatbuffers import flexbuffers
from numpy.typing import NDArray
from torch import Tensor

from ...formats.gate import read_bytes
from ...protocol import InputError

LARGEST = 64 * 2**20  # bytes; the networks of faces have 3 MB
DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
OPTION_TABLES = (
    tflite.Conv2DOptions, tflite.DepthwiseConv2DOptions, tflite.Pool2DOptions, tflite.AddOptions,
    tflite.MulOptions,
    tflite.ResizeBilinearOptions, tflite.DepthToSpaceOptions, tflite.StridedSliceOptions,
    tflite.ConcatenationOptions,
)  # fmt: skip
TABLES = {getattr(tflite.BuiltinOptions, table.__name__): table for table in OPTION_TABLES}
BUILTIN_NAMES = {
    number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)
}
BROKEN = (
    struct.error,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RuntimeError,
)


@dataclass(frozen=True)
class Operator:
    """One step: tensors by their numbers; `options` is the format's own table, or the dictionary of
    a custom operator.
    """

    kind: str
    inputs: list[int]
    outputs: list[int]
    options: Any


@dataclass(frozen=True, kw_only=True)
class TFLiteGraph:
    """Shapes are the file's: batch, height, width, channels."""

    operators: list[Operator]
    constants: dict[int, Tensor]
    shapes: list[list[int]]
    input: int
    outputs: dict[str, int]  # by name


def read_tflite(path: Path) -> TFLiteGraph:
    """InputError for anything that is not a whole .tflite file."""
    data = read_bytes(path, LARGEST)
    if data[4:8] != b"TFL3":
        raise InputError(
            f"{path.name} is not a .tflite file.", "Choose the folder with mediapipe's files."
        )
    try:
        model = tflite.Model.GetRootAsModel(data, 0)
        return _graph(model, model.Subgraphs(0))
    except BROKEN as error:
        raise InputError(f"{path.name} is damaged.", "Fetch the face tracker again.") from error


def _graph(model: Any, part: Any) -> TFLiteGraph:
    shapes = [
        [int(n) for n in np.atleast_1d(part.Tensors(i).ShapeAsNumpy())]
        for i in range(part.TensorsLength())
    ]
    constants = {
        i: c
        for i in range(part.TensorsLength())
        if (c := _constant(model, part.Tensors(i), shapes[i])) is not None
    }
    operators = []
    for operator in (_operator(model, part.Operators(i)) for i in range(part.OperatorsLength())):
        if (
            operator.kind in ("DEQUANTIZE", "DENSIFY") and operator.inputs[0] in constants
        ):  # how weights are stored, not a step
            constants[operator.outputs[0]] = constants[operator.inputs[0]]
        else:
            operators.append(operator)
    outputs = {part.Tensors(i).Name().decode(): int(i) for i in part.OutputsAsNumpy()}
    return TFLiteGraph(
        operators=operators,
        constants=constants,
        shapes=shapes,
        input=int(part.Inputs(0)),
        outputs=outputs,
    )


def _operator(model: Any, row: Any) -> Operator:
    code = model.OperatorCodes(row.OpcodeIndex())
    kind = BUILTIN_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    options: Any = None
    if kind == "CUSTOM":
        kind = code.CustomCode().decode()
        options = (
            flexbuffers.Loads(row.CustomOptionsAsNumpy().tobytes())
            if row.CustomOptionsLength()
            else {}
        )
    elif table := TABLES.get(row.BuiltinOptionsType()):
        options, place = table(), row.BuiltinOptions()
        options.Init(place.Bytes, place.Pos)
    return Operator(
        kind, [int(i) for i in row.InputsAsNumpy()], [int(i) for i in row.OutputsAsNumpy()], options
    )


def _constant(model: Any, tensor: Any, shape: list[int]) -> Tensor | None:
    """Whole numbers as int64, all else as float32; None where a step computes it."""
    data = model.Buffers(tensor.Buffer()).DataAsNumpy()
    if isinstance(data, int) or not len(data):
        return None
    values = np.frombuffer(data.tobytes(), DTYPES[tensor.Type()])
    if tensor.Sparsity() is not None:
        values = _dense(values, tensor.Sparsity(), shape)
    return torch.from_numpy(
        values.astype(np.int64 if values.dtype == np.int32 else np.float32).reshape(shape)
    )


def _dense(values: NDArray[Any], sparsity: Any, shape: list[int]) -> NDArray[Any]:
    """Of rows along the last axis, of which only what is not zero was stored (CSR)."""
    last = sparsity.DimMetadata(len(shape) - 1)
    formats = [sparsity.DimMetadata(k).Format() for k in range(sparsity.DimMetadataLength())]
    if formats != [tflite.DimensionType.DENSE] * (len(shape) - 1) + [
        tflite.DimensionType.SPARSE_CSR
    ]:
        raise ValueError(f"sparse layout {formats}")
    starts, columns = (_numbers(last, name) for name in ("ArraySegments", "ArrayIndices"))
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    full = np.zeros((int(np.prod(shape[:-1])), shape[-1]), values.dtype)
    full[rows, columns] = values[: len(columns)]
    return full


def _numbers(metadata: Any, name: str) -> NDArray[np.int64]:
    """A list of whole numbers, which the format stores in the smallest type that holds them."""
    kind = getattr(metadata, f"{name}Type")()
    tables = {
        getattr(tflite.SparseIndexVector, t.__name__): t
        for t in (tflite.Int32Vector, tflite.Uint16Vector, tflite.Uint8Vector)
    }
    table, place = tables[kind](), getattr(metadata, name)()
    table.Init(place.Bytes, place.Pos)
    return np.asarray(table.ValuesAsNumpy(), np.int64)
