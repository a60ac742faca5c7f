"""ONNX networks that tests make: of each kind that the product uses the smallest that does
something.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

F, I64, U8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8
Port = tuple[str, int, Sequence[int | str | None]]


class Graph:
    """Nodes and constants as they are named."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def const(self, value: ArrayLike, kind: Any = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def op(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        name = out or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def model(self, inputs: Sequence[Port], outputs: Sequence[Port]) -> onnx.ModelProto:
        def ports(told: Sequence[Port]) -> list[Any]:
            return [helper.make_tensor_value_info(*port) for port in told]

        graph = helper.make_graph(
            self.nodes, "g", ports(inputs), ports(outputs), initializer=self.constants
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model

    def save(self, path: Path, inputs: Sequence[Port], outputs: Sequence[Port]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(self.model(inputs, outputs), str(path))
        return path


def doubling(path: Path) -> Path:
    """y = 2 x + w, of (1, 3)."""
    g = Graph()
    g.op("Add", g.op("Mul", "x", g.const(2.0)), g.const([1, 2, 3]), out="y")
    return g.save(path, [("x", F, [1, 3])], [("y", F, [1, 3])])


def segmenter(path: Path, classes: int = 3) -> Path:
    """Scores (1, C, h, w) of half the size: class 0 where it is dark, 1 where red, 2 where green is
    brightest; takes ImageNet's normalisation off first.
    """
    g = Graph()
    mean = g.const(np.reshape([0.485, 0.456, 0.406], (1, 3, 1, 1)))
    deviation = g.const(np.reshape([0.229, 0.224, 0.225], (1, 3, 1, 1)))
    shown = g.op("Add", g.op("Mul", "pixel_values", deviation), mean)
    half = g.op("AveragePool", shown, kernel_shape=[2, 2], strides=[2, 2])
    weights = np.zeros((classes, 3, 1, 1))
    weights[1, 0], weights[2, 1] = 1, 1
    bias = np.zeros(classes)
    bias[0] = 0.4
    g.op("Conv", half, g.const(weights), g.const(bias), out="logits")
    return g.save(
        path,
        [("pixel_values", F, [1, 3, "H", "W"])],
        [("logits", F, [1, classes, "h", "w"])],
    )


def clip(folder: Path, table: np.ndarray, batch: int | str = "b", masked: bool = False) -> Path:
    """Both halves of a CLIP of three dimensions: the mean color of a picture (less CLIP's own mean
    gray, as it is handed in), and the mean row of `table` (V, 3) over a text's tokens.
    """
    g = Graph()
    g.op("ReduceMean", "pixel_values", axes=[2, 3], keepdims=0, out="image_embeds")
    g.save(
        folder / "vision_model.onnx",
        [("pixel_values", F, [batch, 3, 8, 8])],
        [("image_embeds", F, [batch, 3])],
    )
    g = Graph()
    rows = g.op("Gather", g.const(table), "input_ids")
    ports: list[Port] = [("input_ids", I64, [batch, "length"])]
    if masked:
        weight = g.op("Cast", "attention_mask", to=F)
        rows = g.op("Mul", rows, g.op("Unsqueeze", weight, g.const([2], np.int64)))
        ports.append(("attention_mask", I64, [batch, "length"]))
    g.op("ReduceSum", rows, g.const([1], np.int64), keepdims=0, out="text_embeds")
    g.op("Identity", rows, out="last_hidden_state")
    g.save(
        folder / "text_model.onnx",
        ports,
        [("last_hidden_state", F, [batch, "length", 3]), ("text_embeds", F, [batch, 3])],
    )
    return folder


def matte(path: Path, chance: bool) -> Path:
    """(1, 1, H, W): whether it is red, as a chance or as its logit."""
    g = Graph()
    red = g.op("Slice", "image", *[g.const([v], np.int64) for v in (0, 1, 1)])
    logit = g.op("Mul", red, g.const(9.0), out="" if chance else "alpha")
    if chance:
        g.op("Sigmoid", logit, out="alpha")
    return g.save(path, [("image", F, [1, 3, "H", "W"])], [("alpha", F, [1, 1, "H", "W"])])


def bytes_segmenter(path: Path, side: int = 16) -> Path:
    """Classes (1, h, w) of bytes (1, h, w, 3): 1 where red is above 127."""
    g = Graph()
    red = g.op("Slice", "image", *[g.const([v], np.int64) for v in (0, 1, 3)])
    big = g.op("Greater", g.op("Cast", red, to=F), g.const(127))
    g.op("Squeeze", g.op("Cast", big, to=I64), g.const([3], np.int64), out="classes")
    return g.save(path, [("image", U8, [1, side, side, 3])], [("classes", I64, [1, side, side])])


def depth(path: Path) -> Path:
    """Disparity (1, H, W): how bright the picture is."""
    g = Graph()
    mean = g.op("ReduceMean", "pixel_values", axes=[1], keepdims=0)
    g.op("Add", mean, g.const(3.0), out="predicted_depth")
    return g.save(
        path,
        [("pixel_values", F, ["batch_size", 3, "H", "W"])],
        [("predicted_depth", F, ["batch_size", "h", "w"])],
    )


def sam(folder: Path, plain: bool = True, masks: int = 4, free: bool = False) -> Path:
    """A SAM whose embedding is the picture at 64 x 64, and whose masks are what has the colour of
    the first point: three readings, from strict to loose.
    """
    g, side = Graph(), 1024
    if plain:  # (H, W, 3) of 0..255, padded by the network itself
        shown = g.op("Unsqueeze", g.op("Transpose", "input_image", perm=[2, 0, 1]),
                     g.const([0], np.int64))  # fmt: skip
        sizes = g.op("Shape", shown)
        missing = g.op("Sub", g.const([1, 3, side, side], np.int64), sizes)
        pads = g.op("Concat", g.const([0, 0, 0, 0], np.int64), missing, axis=0)
        shown = g.op("Div", g.op("Pad", shown, pads), g.const(255.0))
        ports: list[Port] = [("input_image", F, ["H", "W", 3])]
    else:
        mean = g.const(np.reshape([0.485, 0.456, 0.406], (1, 3, 1, 1)))
        deviation = g.const(np.reshape([0.229, 0.224, 0.225], (1, 3, 1, 1)))
        shown = g.op("Add", g.op("Mul", "images", deviation), mean)
        ports = [("images", F, [1, 3, side, side])]
    g.op("AveragePool", shown, kernel_shape=[16, 16], strides=[16, 16], out="image_embeddings")
    g.save(folder / "tiny_encoder.onnx", ports, [("image_embeddings", F, [1, 3, 64, 64])])
    _decoder(folder / "tiny_decoder_multi.onnx", masks, "B" if free else 1)
    return folder


def _decoder(path: Path, masks: int, batch: int | str) -> None:
    g = Graph()
    first = [g.const([v], np.int64) for v in (0, 1, 1)]
    point = g.op("Squeeze", g.op("Slice", "point_coords", *first), g.const([1], np.int64))
    place = g.op("Cast", g.op("Div", point, g.const(16.0)), to=I64)  # (B, 2) x, y
    x, y = (g.op("Slice", place, *[g.const([v], np.int64) for v in (k, k + 1, 1)]) for k in (0, 1))
    rows = g.op("Squeeze", g.op("Transpose", "image_embeddings", perm=[0, 2, 3, 1]),
                g.const([0], np.int64))  # fmt: skip
    color = g.op("GatherND", rows, g.op("Concat", y, x, axis=1))  # (B, 3)
    color = g.op("Unsqueeze", color, g.const([2, 3], np.int64))
    apart = g.op("Abs", g.op("Sub", "image_embeddings", color))
    miss = g.op("ReduceMax", apart, axes=[1], keepdims=1)  # (B, 1, 64, 64)
    loose = g.const(np.reshape([0.3, 0.1, 0.3, 0.6][-masks:] if masks < 4 else
                               [0.3, 0.1, 0.3, 0.6], (1, masks, 1, 1)))  # fmt: skip
    logits = g.op("Mul", g.op("Sub", loose, miss), g.const(40.0))
    g.op("Resize", logits, "", g.const([1, 1, 4, 4]), mode="nearest", out="low_res_masks")
    used = [
        g.op("Mul", g.op("ReduceSum", name, keepdims=0), g.const(0.0))
        for name in ("mask_input", "has_mask_input", "orig_im_size", "point_labels")
    ]
    scores = g.const(np.reshape([0.5, 0.88, 0.97, 0.9][-masks:] if masks < 4 else
                                [0.5, 0.88, 0.97, 0.9], (1, masks)))  # fmt: skip
    flat = g.op("ReduceMean", miss, axes=[2, 3], keepdims=0)
    scores = g.op("Add", scores, g.op("Mul", flat, g.const(0.0)))
    g.op("Add", scores, g.op("Sum", *used), out="iou_predictions")
    g.save(
        path,
        [
            ("image_embeddings", F, [1, 3, 64, 64]),
            ("point_coords", F, [batch, "N", 2]),
            ("point_labels", F, [batch, "N"]),
            ("mask_input", F, [1, 1, 256, 256]),
            ("has_mask_input", F, [1]),
            ("orig_im_size", F, [2]),
        ],
        [
            ("low_res_masks", F, [batch, masks, 256, 256]),
            ("iou_predictions", F, [batch, masks]),
        ],
    )


def external(path: Path, location: str) -> Path:
    """A network whose weights are said to lie in another file; None of it is written."""
    g = Graph()
    g.op("Add", "x", "w", out="y")
    model = g.model([("x", F, [1, 3]), ("w", F, [1, 3])], [("y", F, [1, 3])])
    del model.graph.input[1]
    weights = model.graph.initializer.add()
    weights.name, weights.data_type, weights.data_location = "w", F, TensorProto.EXTERNAL
    weights.dims.extend([1, 3])
    entry = weights.external_data.add()
    entry.key, entry.value = "location", location
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def flow(
    path: Path, size: tuple[int | str, int | str] = ("H", "W"), batch: int | str = "b"
) -> Path:
    """Everything moves two pixels to the left; refined twice, as RAFT does."""
    g = Graph()
    nothing = g.op("ReduceSum", g.op("Mul", g.op("Add", "a", "b"), g.const(0.0)),
                   g.const([1], np.int64), keepdims=1)  # fmt: skip
    g.op("Add", nothing, g.const(np.reshape([-1.0, 0.0], (1, 2, 1, 1))), out="rough")
    g.op("Add", nothing, g.const(np.reshape([-2.0, 0.0], (1, 2, 1, 1))), out="fine")
    pictures, fields = [batch, 3, *size], [batch, 2, *size]
    return g.save(
        path, [("a", F, pictures), ("b", F, pictures)], [("rough", F, fields), ("fine", F, fields)]
    )


def inverse_depth(path: Path, size: tuple[int | str, int | str] = ("H", "W")) -> Path:
    """(b, H, W): a hundred times e to the sum of the colours."""
    g = Graph()
    total = g.op("ReduceSum", "images", g.const([1], np.int64), keepdims=0)
    g.op("Mul", g.op("Exp", g.op("Mul", total, g.const(0.2))), g.const(100.0), out="inverse")
    return g.save(path, [("images", F, ["b", 3, *size])], [("inverse", F, ["b", *size])])


def tracker(path: Path) -> Path:
    """Follows every query by two pixels a frame to the left."""
    g = Graph()

    def column(k: int) -> str:  # (1, 1, m) of the queries
        part = g.op("Slice", "queries", *[g.const([v], np.int64) for v in (k, k + 1, 2)])
        return g.op("Transpose", part, perm=[0, 2, 1])

    count = g.op("Gather", g.op("Shape", "video"), g.const(1, np.int64), axis=0)
    frames = g.op("Range", g.const(0, np.int64), count, g.const(1, np.int64))
    frames = g.op("Unsqueeze", g.op("Cast", frames, to=F), g.const([0, 2], np.int64))  # (1, t, 1)
    since = g.op("Sub", frames, column(0))
    still = g.op("Mul", since, g.const(0.0))
    places = [
        g.op("Unsqueeze", value, g.const([3], np.int64))
        for value in (
            g.op("Sub", column(1), g.op("Mul", since, g.const(2.0))),
            g.op("Add", column(2), still),
        )
    ]
    g.op("Concat", *places, axis=3, out="tracks")
    g.op("Add", still, g.const(1.0), out="visible")
    return g.save(
        path,
        [("video", F, [1, "t", 3, "H", "W"]), ("queries", F, [1, "m", 3])],
        [("tracks", F, [1, "t", "m", 2]), ("visible", F, [1, "t", "m"])],
    )


def loudness(path: Path) -> Path:
    """Stands for a wav2vec: fifty moments a second, of which the first channel says how loud each
    is.
    """
    g = Graph()
    sound = g.op("Unsqueeze", g.op("Abs", "sound"), g.const([1], np.int64))
    loud = g.op("AveragePool", sound, kernel_shape=[320], strides=[320])  # (1, 1, T)
    ones = g.op("Add", g.op("Mul", loud, g.const(0.0)), g.const(1.0))
    g.op("Transpose", g.op("Concat", loud, ones, axis=1), perm=[0, 2, 1], out="heard")
    return g.save(path, [("sound", F, [1, "S"])], [("heard", F, [1, "T", 2])])


def voice(path: Path, sr: Sequence[int] = ()) -> Path:
    """Silero VAD's interface: speech is whatever is loud; the state counts the blocks."""
    g = Graph()
    loud = g.op("ReduceMean", g.op("Abs", "input"), axes=[1], keepdims=1)
    told = g.op("Mul", g.op("Cast", g.op("ReduceSum", "sr", keepdims=0), to=F), g.const(0.0))
    logit = g.op("Mul", g.op("Sub", loud, g.const(0.05)), g.const(200.0))
    g.op("Sigmoid", g.op("Add", logit, told), out="output")
    g.op("Add", "state", g.const(1.0), out="stateN")
    return g.save(
        path,
        [("input", F, ["N", "S"]), ("state", F, [2, "N", 128]), ("sr", I64, list(sr))],
        [("output", F, ["N", 1]), ("stateN", F, [2, "N", 128])],
    )


def recogniser(path: Path, signs: Sequence[str] = ("<pad>", "|", "m")) -> Path:
    """Stands for a wav2vec with a CTC head and its vocab.json: hears the last sign wherever it is
    loud.
    """
    g = Graph()
    sound = g.op("Unsqueeze", g.op("Abs", "sound"), g.const([1], np.int64))
    loud = g.op("AveragePool", sound, kernel_shape=[320], strides=[320])  # (1, 1, T)
    none = g.op("Mul", loud, g.const(0.0))
    quiet = [g.op("Sub", none, g.const(9.0)) for _ in signs[1:-1]]
    last = g.op("Sub", loud, g.const(0.3))
    g.op("Transpose", g.op("Concat", none, *quiet, last, axis=1), perm=[0, 2, 1], out="heard")
    saved = g.save(path, [("sound", F, [1, "S"])], [("heard", F, [1, "T", len(signs)])])
    numbers = {sign: number for number, sign in enumerate(signs)}
    saved.with_name("vocab.json").write_text(json.dumps(numbers), encoding="utf-8")
    return saved
