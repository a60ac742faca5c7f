"""Writes small .tflite files: a chain of operators on one picture, so that the reader has something
to read.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import tflite
from flatbuffers import flexbuffers

TYPES = {
    np.dtype(np.float32): tflite.TensorType.FLOAT32,
    np.dtype(np.int32): tflite.TensorType.INT32,
}


@dataclass
class Writer:
    """Tensors are given numbers as they are added; number 0 is the input."""

    shape: tuple[int, ...]
    tensors: list[tuple[tuple[int, ...], np.ndarray | None]] = field(default_factory=list)
    operators: list[
        tuple[str, list[int], int, tuple[str, dict[str, Any]] | dict[str, Any] | None]
    ] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tensors.append((self.shape, None))

    def constant(self, values: np.ndarray) -> int:
        self.tensors.append((values.shape, values))
        return len(self.tensors) - 1

    def step(
        self, kind: str, inputs: list[int], shape: tuple[int, ...], options: Any = None
    ) -> int:
        """`options`: (table, fields) of a builtin operator, or the dictionary of a custom one."""
        self.tensors.append((shape, None))
        self.operators.append((kind, inputs, len(self.tensors) - 1, options))
        return len(self.tensors) - 1

    def write(self, path: Path, outputs: dict[str, int]) -> Path:
        b = flatbuffers.Builder(1024)
        buffers = [_table(b, "Buffer", {"Data": _bytes(b, values)}) for _, values in self.tensors]
        names = {number: name for name, number in outputs.items()}
        tensors = []
        for number, (shape, values) in enumerate(self.tensors):
            name, dims = b.CreateString(names.get(number, f"t{number}")), _numbers(b, list(shape))
            kind = TYPES[values.dtype] if values is not None else tflite.TensorType.FLOAT32
            tensors.append(
                _table(b, "Tensor", {"Shape": dims, "Type": kind, "Buffer": number, "Name": name})
            )
        kinds = list(dict.fromkeys(kind for kind, *_ in self.operators))
        codes = [self._code(b, kind) for kind in kinds]
        operators = [self._operator(b, kinds, row) for row in self.operators]
        fields = {"Tensors": _vector(b, tensors), "Operators": _vector(b, operators)}
        fields |= {"Inputs": _numbers(b, [0]), "Outputs": _numbers(b, list(outputs.values()))}
        parts = _vector(b, [_table(b, "SubGraph", {"Name": b.CreateString("main")} | fields)])
        model = {
            "Version": 3,
            "Description": b.CreateString("test"),
            "OperatorCodes": _vector(b, codes),
            "Subgraphs": parts,
            "Buffers": _vector(b, buffers),
        }
        b.Finish(_table(b, "Model", model), b"TFL3")
        path.write_bytes(bytes(b.Output()))
        return path

    def _code(self, b: flatbuffers.Builder, kind: str) -> int:
        number = getattr(tflite.BuiltinOperator, kind, None)
        if number is None:
            return _table(
                b,
                "OperatorCode",
                {
                    "CustomCode": b.CreateString(kind),
                    "BuiltinCode": 32,
                    "DeprecatedBuiltinCode": 32,
                },
            )
        return _table(
            b, "OperatorCode", {"BuiltinCode": number, "DeprecatedBuiltinCode": min(number, 127)}
        )

    def _operator(self, b: flatbuffers.Builder, kinds: list[str], row: Any) -> int:
        kind, inputs, output, options = row
        fields: dict[str, Any] = {}
        if isinstance(options, dict):
            fields["CustomOptions"] = b.CreateByteVector(bytes(flexbuffers.Dumps(options)))
        elif options:
            fields["BuiltinOptions"] = _table(b, *options)
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, options[0])
        fields |= {"Inputs": _numbers(b, inputs), "Outputs": _numbers(b, [output])}
        return _table(b, "Operator", fields | {"OpcodeIndex": kinds.index(kind)})


def _bytes(b: flatbuffers.Builder, values: np.ndarray | None) -> int | None:
    return None if values is None else b.CreateByteVector(values.tobytes())


def _numbers(b: flatbuffers.Builder, values: list[int]) -> int:
    return b.CreateNumpyVector(np.array(values, np.int32))


def _vector(b: flatbuffers.Builder, places: list[int]) -> int:
    b.StartVector(4, len(places), 4)
    for place in reversed(places):
        b.PrependUOffsetTRelative(place)
    return b.EndVector()


def _table(b: flatbuffers.Builder, name: str, fields: dict[str, Any]) -> int:
    getattr(tflite, f"{name}Start")(b)
    for key, value in fields.items():
        if value is not None:
            getattr(tflite, f"{name}Add{key}")(b, value)
    return getattr(tflite, f"{name}End")(b)
