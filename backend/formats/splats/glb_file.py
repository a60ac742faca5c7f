"""glTF files as tables: the description, and accessors as arrays, each checked against the buffer
that it points into. Writing: a GLB of arrays.
"""

import base64
import binascii
import json
import struct
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Reals
from ...protocol import InputError
from ..json_file import parse_json
from .packing import bad_file, is_plain_name, read_bytes

KIND = "glTF"
GLB, JSON, BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
ARRAY_BUFFER = 34962


def bad(name: str, why: str) -> Exception:
    """The error that names the file."""
    return bad_file(name, KIND, why)


@dataclass(frozen=True, kw_only=True)
class Gltf:
    """A description and what it needs of buffers."""

    path: Path
    document: dict[str, Any]
    binary: bytes = b""  # of a GLB

    def rows(self, key: str) -> list[Any]:
        """A list of the description; empty where it is none."""
        rows = self.document.get(key, [])
        return rows if isinstance(rows, list) else []

    def listed(self, row: dict[str, Any], key: str) -> list[Any]:
        """What a row lists; nothing where it lists nothing."""
        values = row.get(key, [])
        if not isinstance(values, list):
            raise bad(self.path.name, f"{key} is no list")
        return values

    def row(self, key: str, index: object) -> dict[str, Any]:
        """One of them. Raises InputError where there is no such."""
        rows = self.rows(key)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(rows):
            raise bad(self.path.name, f"it points to a missing entry of {key}")
        if not isinstance(rows[index], dict):
            raise bad(self.path.name, f"an entry of {key} is damaged")
        return dict(rows[index])

    def number(self, row: dict[str, Any], key: str, default: int = 0) -> int:
        """A whole number that is not negative."""
        value = row.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise bad(self.path.name, f"{key} is no whole number")
        return value

    def view(self, index: object) -> tuple[memoryview, int]:
        """The bytes of a buffer view, and its stride, or 0."""
        row = self.row("bufferViews", index)
        data = self._buffer(row.get("buffer"))
        start, size = self.number(row, "byteOffset"), self.number(row, "byteLength")
        if start + size > len(data):
            raise bad(self.path.name, "a part of it reaches beyond its buffer")
        return memoryview(data)[start : start + size], self.number(row, "byteStride")

    def array(self, index: object) -> Reals:
        """(count, width) of an accessor; whole numbers that stand for shares come as such."""
        row = self.row("accessors", index)
        kind = TYPES.get(self.number(row, "componentType"))
        width = WIDTHS.get(str(row.get("type")))
        if kind is None or width is None or "sparse" in row:
            raise bad(self.path.name, "an accessor is of a kind that splats don't have")
        count, item = self.number(row, "count"), np.dtype(kind).itemsize * width
        data, stride = self.view(row.get("bufferView"))
        data, stride = data[self.number(row, "byteOffset") :], stride or item
        if stride < item or (count and (count - 1) * stride + item > len(data)):
            raise bad(self.path.name, f"it promises {count} splats, more than it holds")
        raw = np.ndarray(
            (count, width), kind, data, strides=(stride, np.dtype(kind).itemsize)
        )  # a view
        if row.get("normalized") and raw.dtype.kind in "iu":
            full = np.float32(np.iinfo(raw.dtype).max)
            return np.asarray(np.maximum(raw.astype(np.float32) / full, np.float32(-1)))
        return np.asarray(raw)

    def _buffer(self, index: object) -> bytes:
        uri = self.row("buffers", index).get("uri")
        if uri is None and index == 0:
            return self.binary
        if isinstance(uri, str) and uri.startswith("data:"):
            try:
                return base64.b64decode(uri.split(",", 1)[-1], validate=True)
            except (binascii.Error, ValueError) as error:
                raise bad(self.path.name, "a buffer in it is damaged") from error
        name = urllib.parse.unquote(uri) if isinstance(uri, str) else ""
        if not is_plain_name(name):
            raise bad(self.path.name, f"it names a buffer {name[:40]!a}, which it may not")
        return read_bytes(self.path.with_name(name), KIND)


def read_gltf(path: Path) -> Gltf:
    """A .glb or .gltf. Raises InputError for anything else."""
    data = read_bytes(path, KIND)
    if data[:4] != b"glTF":
        return Gltf(path=path, document=_document(data, path.name))
    if len(data) < 20 or struct.unpack_from("<I", data, 4)[0] != 2:
        raise bad(path.name, "it is not of version 2")
    chunks: dict[int, bytes] = {}
    place = 12
    while place + 8 <= len(data):
        size, kind = struct.unpack_from("<II", data, place)
        if place + 8 + size > len(data):
            raise bad(path.name, "it is cut off")
        chunks.setdefault(kind, data[place + 8 : place + 8 + size])
        place += 8 + size
    document = _document(chunks.get(JSON, b""), path.name)
    return Gltf(path=path, document=document, binary=chunks.get(BIN, b""))


def _document(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = parse_json(data, name)
    except InputError as error:
        raise bad(name, "it holds no description in JSON") from error
    if not isinstance(document, dict):
        raise bad(name, "it holds no description in JSON")
    return document


@dataclass(kw_only=True)
class GlbWriter:
    """Accessors and their bytes, one after the other."""

    accessors: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    blobs: list[NDArray[Any]] = field(default_factory=list)
    size: int = 0

    def add(self, values: NDArray[Any], *, bounds: bool = False, share: bool = False) -> int:
        """Values (N,) or (N, 3 or 4) of float32, or of bytes (N, 4); the accessor's number."""
        values = np.ascontiguousarray(values)
        kind = 5121 if values.dtype == np.uint8 else 5126
        width = values.shape[1] if values.ndim > 1 else 1
        accessor: dict[str, Any] = {
            "bufferView": len(self.views),
            "componentType": kind,
            "count": len(values),
            "type": {1: "SCALAR", 3: "VEC3", 4: "VEC4"}[width],
        }
        if bounds:
            accessor |= {"min": values.min(0).tolist(), "max": values.max(0).tolist()}
        if share:
            accessor["normalized"] = True
        self.accessors.append(accessor)
        view = {"buffer": 0, "byteOffset": self.size, "byteLength": values.nbytes}
        self.views.append(view | {"target": ARRAY_BUFFER})
        self.blobs.append(values)
        self.size += values.nbytes
        return len(self.accessors) - 1

    def write(self, path: Path, document: dict[str, Any]) -> None:
        """The file, with the accessors added to the document."""
        whole = document | {
            "buffers": [{"byteLength": self.size}],
            "bufferViews": self.views,
            "accessors": self.accessors,
        }
        text = json.dumps(whole, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        with open(path, "wb") as file:
            file.write(struct.pack("<III", GLB, 2, 12 + 8 + len(text) + 8 + self.size))
            file.write(struct.pack("<II", len(text), JSON) + text)
            file.write(struct.pack("<II", self.size, BIN))
            for blob in self.blobs:
                file.write(blob.data)
