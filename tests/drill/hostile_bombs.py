"""What is small and wants to be large: archives, pictures, JSON and headers that claim or inflate
to gigabytes; names that lead elsewhere; numbers that are none.
"""

import functools
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Spoil = Callable[[Path], object]


def _write(data: bytes | str | Callable[[], bytes]) -> Spoil:
    def spoil(path: Path) -> None:
        made = data() if callable(data) else data
        path.write_bytes(made.encode() if isinstance(made, str) else made)

    return spoil


def npy(description: str, shape: str, data: bytes = b"") -> bytes:
    """An array's file with any header."""
    text = f"{{'descr': {description}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def npz(**members: bytes) -> bytes:
    """An archive of such files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return buffer.getvalue()


def npz_bomb(name: str, shape: tuple[int, ...], dtype: str = "<f4") -> bytes:
    """An array of zeros, packed a thousandfold without ever lying in memory whole."""
    buffer, left = io.BytesIO(), int(np.prod(shape)) * np.dtype(dtype).itemsize
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{name}.npy", "w", force_zip64=True) as part,
    ):
        part.write(npy(repr(dtype), repr(shape)))
        while left:
            part.write(bytes(min(left, 1 << 24)))
            left -= min(left, 1 << 24)
    return buffer.getvalue()


def png(width: int, height: int, rows: int) -> bytes:
    """A grey picture that claims a size and holds so many rows of black."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(width + 1)) for _ in range(rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", packed), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def ply(
    count: object, rest: str = "", data: bytes = b"", form: str = "binary_little_endian"
) -> bytes:
    """A table of places with any header."""
    places = "".join(f"property float {n}\n" for n in "xyz")
    head = f"ply\nformat {form} 1.0\nelement vertex {count}\n{rest}{places}end_header\n"
    return head.encode() + data


def _frames(**changes: Any) -> bytes:
    frames = [
        {"file_path": f"{i}.png", "transform_matrix": np.eye(4).tolist(), **changes}
        for i in range(4)
    ]
    return json.dumps({"w": 9, "h": 9, "fl_x": 5.0, "frames": frames}).encode()


def _safetensors(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


def _exr(corner: int) -> Spoil:
    def spoil(path: Path) -> None:
        data, key = path.read_bytes(), b"dataWindow\0box2i\0"
        at = data.index(key) + len(key) + 4
        path.write_bytes(data[:at] + struct.pack("<4i", 0, 0, corner, corner) + data[at + 16 :])

    return spoil


SPZ = zlib.compressobj(9, wbits=31)
HUGE = ("-1", "9" * 18, "2147483647", "1e9", "0x10", str(2**60), "9" * 400, "")
JSONS: dict[str, bytes | Callable[[], bytes]] = {
    "nested": b'{"frames":' * 100_000,
    "a number of a million digits": b'{"frames": [' + b"9" * 1_000_000 + b"]}",
    "200 MB of lists": lambda: b'{"frames": [' + b"[]," * 70_000_000 + b"[]]}",
    "200 MB of text": lambda: b'{"frames": "' + b"a" * 200_000_000 + b'"}',
    "a million frames": lambda: b'{"frames": [' + b"{}," * 1_000_000 + b"{}]}",
    "UTF-16": '{"frames": [1]}'.encode("utf-16"),
    "letters that are none": b'{"frames": ["\xff\xfe"]}',
    "half a letter": b'{"frames": [{"file_path": "\\ud800.png"}]}',
    "no record": b"[1, 2]",
    "null": b"null",
    "1e999": b'{"frames": [{"file_path": "a", "w": 1e999, "h": NaN, "fl_x": -Infinity}]}',
}
NAMES: tuple[Any, ...] = (
    "/etc/passwd",
    "../../../../etc/passwd",
    "C:\\x.png",
    "a" * 5000,
    "a\0b",
    "\n",
    "🙂.png",
    "\ud800",
    "..",
    ".",
    "con",
    "images/../../../x.ply",
    "//host/share/a.png",
    7,
    None,
    [],
    {},
)
VALUES: tuple[Any, ...] = (
    10**40,
    -(10**40),
    1e308,
    float("nan"),
    float("inf"),
    "x",
    None,
    [],
    True,
    2**63,
)
BOMBS: tuple[tuple[str, str, Spoil], ...] = (
    ("tracks.npz", "1 GB of zeros", _write(lambda: npz_bomb("rows", (64_000_000, 4)))),
    (
        "semantics.npz",
        "600 MB of zeros",
        _write(lambda: npz_bomb("objects", (100_000_000, 3), "<u2")),
    ),
    *(
        ("tracks.npz", f"a shape {shape}", _write(npz(rows=npy("'<f4'", shape, bytes(64)))))
        for shape in (
            "(35184372088832, 4)",
            "(-1, 4)",
            "(4,)",
            "()",
            "('a', 4)",
            "(4, 4.0)",
            "[4, 4]",
            "(1152921504606846976, 4)",
            "(True, 4)",
            "(" * 500,
            "(0, 4)",
            "(4, 0)",
        )
    ),
    *(
        ("tracks.npz", f"a type {kind}", _write(npz(rows=npy(kind, "(4, 4)", bytes(128)))))
        for kind in (
            "'|O'",
            "'<c8'",
            "'|V8'",
            "[('a', '<f4')]",
            "'<U999999999'",
            "'M8[s]'",
            "7",
            "'x'",
            "'<f4' if 1 else 2",
            "'|S4'",
        )
    ),
    ("tracks.npz", "other members", _write(npz(other=npy("'<f4'", "(4, 4)", bytes(64))))),
    ("tracks.npz", "a pickle in it", _write(npz(rows=b"cos\nsystem\n(S'touch hacked'\ntR."))),
    (
        "tracks.npz",
        "100,000 members",
        _write(lambda: npz(**{f"m{i}": b"" for i in range(100_000)})),
    ),
    ("tracks.npz", "an archive in an archive", _write(npz(rows=npz(rows=npz(rows=b""))))),
    (
        "motion.npz",
        "letters that are none",
        _write(
            npz(names=npy("'<U1'", "(1,)", b"\xff" * 4), layers=npy("'<U1'", "(1,)", b"\xff" * 4))
        ),
    ),
    *(
        (
            "a.png",
            f"{w} x {h} pixels, {rows} rows",
            _write(functools.partial(png, w, h, rows)),
        )
        for w, h, rows in (
            (13_000, 13_000, 13_000),
            (40_000, 40_000, 9),
            (2**31 - 1, 2**31 - 1, 0),
            (1, 2**31 - 1, 1),
            (0, 0, 0),
            (11_000, 11_000, 11_000),
        )
    ),
    ("label.png", "13000 x 13000", _write(lambda: png(13_000, 13_000, 13_000))),
    ("depth.exr", "a side of 2,000,000,000", _exr(2_000_000_000)),
    ("depth.exr", "a side of 40,000", _exr(40_000)),
    ("depth.exr", "a side of -9", _exr(-9)),
    *(("transforms.json", what, _write(data)) for what, data in JSONS.items()),
    *(("posed.json", what, _write(data)) for what, data in JSONS.items()),
    *(
        ("transforms.json", f"named {name!r:.40}", _write(_frames(file_path=name)))
        for name in NAMES
    ),
    *(
        ("transforms.json", f"{key} {value!r:.30}", _write(_frames(**{key: value})))
        for key in (
            "w",
            "fl_x",
            "cx",
            "k1",
            "time",
            "transform_matrix",
            "mask_path",
            "depth_file_path",
        )
        for value in VALUES
    ),
    *(
        (name, f"{count} splats", _write(ply(count, data=bytes(240))))
        for name in ("a.ply", "points3D.ply")
        for count in HUGE
    ),
    *(
        ("a.ply", f"{count} in text", _write(ply(count, data=b"1 2 3\n" * 9, form="ascii")))
        for count in HUGE
    ),
    (
        "points3D.ply",
        "lists without end",
        _write(ply(4, "property list uint float l\n", b"\xff" * 999)),
    ),
    (
        "points3D.ply",
        "another table of 2^50",
        _write(
            ply(4, data=bytes(64)).replace(
                b"element vertex", b"element x 1125899906842624\nproperty char c\nelement vertex"
            )
        ),
    ),
    (
        "a.spz",
        "1 GB of zeros",
        _write(lambda: b"".join([*(SPZ.compress(bytes(1 << 24)) for _ in range(64)), SPZ.flush()])),
    ),
    *(
        ("speaker.safetensors", what, _write(_safetensors(header, length)))
        for what, header, length in (
            ("a header of 2^60 bytes", b"{}", 1 << 60),
            ("no header", b"", None),
            ("a header that is no JSON", b"{]", None),
            ("nested", b"[" * 100_000, None),
            ("no notes", b"{}", None),
            (
                "a huge shape",
                b'{"a":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,0]}}',
                None,
            ),
            (
                "a network of 10^9",
                json.dumps(
                    {
                        "__metadata__": {
                            "names": "[]",
                            "config": json.dumps({"hidden": 10**9, "dilations": [1]}),
                        }
                    }
                ).encode(),
                None,
            ),
            (
                "layers without end",
                json.dumps(
                    {
                        "__metadata__": {
                            "names": "[]",
                            "config": json.dumps({"dilations": [1] * 100_000}),
                        }
                    }
                ).encode(),
                None,
            ),
        )
    ),
    *(
        (
            f"{part}.bin",
            f"{count} rows",
            lambda path, c=count: (
                path.write_bytes(  # type: ignore[misc]
                    struct.pack("<Q", c) + path.read_bytes()[8:]
                )
                and None
            ),
        )
        for part in ("cameras", "images", "points3D")
        for count in (2**60, 2**32, 2**64 - 1, 10**7)
    ),
)
