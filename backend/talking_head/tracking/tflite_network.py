"""Runs a network of a .tflite file in torch: the operators that networks of faces are made of, on
one picture at a time.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tflite
import torch
import torch.nn.functional as F
from torch import Tensor

from ...protocol import InputError
from .landmark_operators import landmarks_to_transform, sample_through, transform_landmarks
from .tflite_file import Operator, TFLiteGraph, read_tflite

Values = dict[int, Tensor]
Step = Callable[[Values], Tensor]


class TfliteNetwork:
    """picture (1, 3, H, W) -> its outputs by name. Pictures within are channels first, all else as
    the file has it.
    """

    def __init__(self, path: Path) -> None:
        self.graph = read_tflite(path)
        self.height, self.width = self.graph.shapes[self.graph.input][1:3]
        unknown = {o.kind for o in self.graph.operators} - set(BUILDERS)
        if unknown:
            raise InputError(
                f"{path.name} needs {', '.join(sorted(unknown))}, which is unknown here.",
                "Choose mediapipe's own files.",
            )
        self._steps = [
            (o.outputs[0], BUILDERS[o.kind](self.graph, o)) for o in self.graph.operators
        ]

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        values: Values = {self.graph.input: image}
        for output, step in self._steps:
            values[output] = step(values)
        return {name: values[number] for name, number in self.graph.outputs.items()}


def _channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2) if x.dim() == 4 else x


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def _activation(number: int) -> Callable[[Tensor], Tensor]:
    kinds: dict[int, Callable[[Tensor], Tensor]] = {
        tflite.ActivationFunctionType.NONE: lambda x: x,
        tflite.ActivationFunctionType.RELU: F.relu,
        tflite.ActivationFunctionType.RELU6: lambda x: x.clamp(0, 6),
    }
    return kinds[number]


def _same(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], fill: float = 0.0) -> Tensor:
    """Padded so that every stride of the picture gets its value (TensorFlow's SAME)."""
    across = [
        max((math.ceil(n / s) - 1) * s + k - n, 0)
        for n, s, k in zip(x.shape[2:], stride, kernel, strict=True)
    ]
    top, left = across[0] // 2, across[1] // 2
    return (
        F.pad(x, (left, across[1] - left, top, across[0] - top), value=fill) if any(across) else x
    )


def _convolution(graph: TFLiteGraph, o: Operator) -> Step:
    deep = o.kind == "DEPTHWISE_CONV_2D"
    weight = (
        graph.constants[o.inputs[1]].permute(*((3, 0, 1, 2) if deep else (0, 3, 1, 2))).contiguous()
    )
    bias = graph.constants.get(o.inputs[2]) if len(o.inputs) > 2 else None
    stride, kernel = (o.options.StrideH(), o.options.StrideW()), (weight.shape[2], weight.shape[3])
    same, activation = (
        o.options.Padding() == tflite.Padding.SAME,
        _activation(o.options.FusedActivationFunction()),
    )
    groups, source = weight.shape[0] if deep else 1, o.inputs[0]

    def step(values: Values) -> Tensor:
        x = _same(values[source], kernel, stride) if same else values[source]
        return activation(F.conv2d(x, weight, bias, stride, groups=groups))

    return step


def _max_pool(graph: TFLiteGraph, o: Operator) -> Step:
    kernel, stride = (
        (o.options.FilterHeight(), o.options.FilterWidth()),
        (o.options.StrideH(), o.options.StrideW()),
    )
    same, source = o.options.Padding() == tflite.Padding.SAME, o.inputs[0]

    def step(values: Values) -> Tensor:
        x = values[source]
        return F.max_pool2d(_same(x, kernel, stride, -torch.inf) if same else x, kernel, stride)

    return step


def _two(graph: TFLiteGraph, o: Operator) -> Step:
    """Sum or product of two, one of which may be a constant."""
    apply: Callable[[Tensor, Tensor], Tensor] = torch.add if o.kind == "ADD" else torch.mul
    activation = _activation(o.options.FusedActivationFunction())
    fixed = {i: _channels_first(graph.constants[i]) for i in o.inputs if i in graph.constants}

    def step(values: Values) -> Tensor:
        first, second = (fixed[i] if i in fixed else values[i] for i in o.inputs)
        return activation(apply(first, second))

    return step


def _prelu(graph: TFLiteGraph, o: Operator) -> Step:
    slope = graph.constants[o.inputs[1]].reshape(-1)
    return lambda values: F.prelu(values[o.inputs[0]], slope)


def _pad(graph: TFLiteGraph, o: Operator) -> Step:
    rows = graph.constants[o.inputs[1]].tolist()
    widths = [int(n) for n in (*rows[2], *rows[1], *rows[3])]
    return lambda values: F.pad(values[o.inputs[0]], widths)


def _reshape(graph: TFLiteGraph, o: Operator) -> Step:
    shape = graph.shapes[o.outputs[0]]
    return lambda values: _channels_first(_channels_last(values[o.inputs[0]]).reshape(shape))


def _concatenate(graph: TFLiteGraph, o: Operator) -> Step:
    axis = o.options.Axis()
    return lambda values: _channels_first(
        torch.cat([_channels_last(values[i]) for i in o.inputs], axis)
    )


def _slice(graph: TFLiteGraph, o: Operator) -> Step:
    begin, end, strides = (graph.constants[i].tolist() for i in o.inputs[1:4])
    no_begin, no_end = o.options.BeginMask(), o.options.EndMask()
    cut = tuple(
        slice(
            None if no_begin >> k & 1 else begin[k], None if no_end >> k & 1 else end[k], strides[k]
        )
        for k in range(len(begin))
    )
    return lambda values: _channels_first(_channels_last(values[o.inputs[0]])[cut])


def _resize(graph: TFLiteGraph, o: Operator) -> Step:
    size = graph.shapes[o.outputs[0]][1:3]
    if not o.options.HalfPixelCenters():
        raise InputError(
            "A network of faces resizes in a way that is unknown here.",
            "Choose mediapipe's own files.",
        )
    return lambda values: F.interpolate(
        values[o.inputs[0]], size, mode="bilinear", align_corners=False
    )


def _depth_to_space(graph: TFLiteGraph, o: Operator) -> Step:
    """Channels into blocks; within a block TensorFlow counts channels last, torch first."""
    block = o.options.BlockSize()

    def step(values: Values) -> Tensor:
        batch, channels, height, width = values[o.inputs[0]].shape
        parts = values[o.inputs[0]].reshape(
            batch, block, block, channels // block**2, height, width
        )
        return parts.permute(0, 3, 4, 1, 5, 2).reshape(
            batch, channels // block**2, height * block, width * block
        )

    return step


def _custom(function: Callable[..., Tensor]) -> Callable[[TFLiteGraph, Operator], Step]:
    def build(graph: TFLiteGraph, o: Operator) -> Step:
        options: dict[str, Any] = o.options or {}
        return lambda values: function(*(values[i] for i in o.inputs), **options)

    return build


BUILDERS: dict[str, Callable[[TFLiteGraph, Operator], Step]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "MAX_POOL_2D": _max_pool,
    "ADD": _two,
    "MUL": _two,
    "PRELU": _prelu,
    "RELU": lambda graph, o: lambda values: F.relu(values[o.inputs[0]]),
    "PAD": _pad,
    "RESHAPE": _reshape,
    "CONCATENATION": _concatenate,
    "STRIDED_SLICE": _slice,
    "RESIZE_BILINEAR": _resize,
    "DEPTH_TO_SPACE": _depth_to_space,
    "Landmarks2TransformMatrix": _custom(landmarks_to_transform),
    "TransformTensorBilinear": _custom(sample_through),
    "TransformLandmarks": _custom(transform_landmarks),
}
