"""Vertex-animation textures: every vertex's way as a 16-bit picture that a shader looks up, with a
small JSON beside it. numpy alone.

A row block a frame, a texel a vertex, in the order of the mesh; red, green and blue are x, y and z
of the way from the first frame, 0..65535 between `low` and `high`. A mesh that comes along names
its texels in its second set of uvs. Normals lie beside it in the same order, of eight bits: -1..1
as 0..255; and a text says how shaders play both.
"""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats
from ..protocol import InputError
from .gate import read_bytes
from .json_file import read_record
from .limits import MIB

WIDEST = 4096
HIGHEST = 16384
MOST_NOTE, MOST_TEXTURE = MIB, 512 * MIB  # bytes
README = """{mesh} moves by {texture}: {frames} frames, {fps} a second, {seconds} s.

Import {texture} and {normals} WITHOUT compression, mipmaps, sRGB or filtering
(Unity: sRGB off, Compression None, Filter Point, Non-Power of 2 None;
Unreal: VectorDisplacementmap or HDR, sRGB off, Filter Nearest, NoMipmaps;
Godot: Lossless, Filter off, Mipmaps off). Import {mesh} without mesh compression,
so that its second set of UVs (UV1 in Unity and Godot counted from 0, TexCoord[1] in Unreal)
stays exact: it names each vertex's texel in the first frame.

In the vertex shader, for the frame f = floor(time * {fps}) mod {frames}:

    uv     = UV1 + vec2(0, f * {step}.0 / {height}.0)     // V from above; from below: subtract
    moved  = VERTEX + texture({texture}, uv).rgb * ({high} - {low}) + {low}
    normal = texture({normals}, uv).rgb * 2 - 1

Blend two frames for smooth motion. Axes are glTF's: Y up, metres as in Blender.
Unreal, Z up in centimetres: (x, y, z) becomes 100 * (x, z, y) there, for offset and normal.
Unity, left-handed: negate x of both. Widen the mesh's bounds by {high} on every side,
or it vanishes when its first frame would leave the picture.
All of this stands in {note}, too.
"""


def sidecar(path: Path) -> Path:
    """The file beside the texture that says what an engine's material needs to play it."""
    return path.with_suffix(".json")


def write(path: Path, positions: Floats, fps: float = 24.0) -> float:
    """(T, V, 3) at `fps` frames a second -> the picture and its JSON; the largest error of what can
    be read back, in shares of the box.
    """
    frames, count = positions.shape[:2]
    width = min(count, WIDEST)
    rows = -(-count // width)
    if rows * frames > HIGHEST:
        what = (
            f"{count:,} vertices in {frames} frames do not fit into a texture of {WIDEST} x "
            f"{HIGHEST}."
        )
        raise InputError(what, "Take fewer frames, or decimate the mesh.")
    offsets = positions - positions[0]
    low, high = float(offsets.min()), float(max(offsets.max(), offsets.min() + 1e-9))
    levels = np.round((offsets - low) / (high - low) * 65535).astype(">u2")
    pixels = np.zeros((frames, rows * width, 3), ">u2")
    pixels[:, :count] = levels
    path.write_bytes(_png(pixels.reshape(frames * rows, width, 3)))
    note = {
        "frames": frames,
        "frames_per_second": fps,
        "seconds": (frames - 1) / fps,
        "vertices": count,
        "width": width,
        "rows_per_frame": rows,
        "low": low,
        "high": high,
        "axes": "as given; Blender bakes glTF's, y up",
        "uv_set": 1,
    }
    sidecar(path).write_text(json.dumps(note, indent=1), encoding="utf-8")
    return float(
        np.abs(read(path, positions[0]) - positions).max()
        / max(np.ptp(positions, axis=(0, 1)).max(), 1e-12)
    )


def normals_file(path: Path) -> Path:
    """The picture of the normals beside the texture."""
    return path.with_name(f"{path.stem}_normals.png")


def readme_file(path: Path) -> Path:
    """What to do with all of them, beside the texture."""
    return path.with_name(f"{path.stem}_README.txt")


def write_normals(path: Path, normals: Floats, called: str) -> None:
    """(T, V, 3) of length 1, in the order of the texture at `path`, which is there already and will
    be called so in the end; and the text.
    """
    note = read_record(sidecar(path), MOST_NOTE)
    width, rows = int(note["width"]), int(note["rows_per_frame"])
    pixels = np.full((len(normals), rows * width, 3), 128, np.uint8)
    pixels[:, : normals.shape[1]] = np.round((normals * 0.5 + 0.5) * 255).clip(0, 255)
    normals_file(path).write_bytes(_png(pixels.reshape(-1, width, 3)))
    note["normals"] = normals_file(Path(called)).name
    sidecar(path).write_text(json.dumps(note, indent=1), encoding="utf-8")
    readme_file(path).write_text(_readme(Path(called), note), encoding="utf-8")


def _readme(path: Path, note: dict[str, Any]) -> str:
    return README.format(
        texture=path.name,
        normals=note["normals"],
        mesh=f"{path.stem}_vat.glb",
        note=sidecar(path).name,
        frames=note["frames"],
        fps=f"{note['frames_per_second']:g}",
        seconds=f"{note['seconds']:.3f}",
        height=int(note["rows_per_frame"]) * int(note["frames"]),
        step=int(note["rows_per_frame"]),
        low=f"{note['low']:.7g}",
        high=f"{note['high']:.7g}",
    )


def seconds(path: Path) -> float:
    """How long the animation lasts, from its first frame to its last."""
    note = read_record(sidecar(path), MOST_NOTE)
    return (int(note["frames"]) - 1) / float(note["frames_per_second"])


def texels(path: Path) -> NDArray[np.float64]:
    """(V, 2) where each vertex's texel of the first frame is, in shares of the picture from its
    upper left; a frame later, it is lower by rows_per_frame / (rows_per_frame * frames).
    """
    note = read_record(sidecar(path), MOST_NOTE)
    number = np.arange(int(note["vertices"]))
    column, row = number % int(note["width"]), number // int(note["width"])
    return np.stack(
        [
            (column + 0.5) / int(note["width"]),
            (row + 0.5) / (int(note["rows_per_frame"]) * int(note["frames"])),
        ],
        1,
    )


def read(path: Path, first: Floats) -> Floats:
    """(T, V, 3) from the picture and the mesh (V, 3) at its first frame."""
    try:
        note = read_record(sidecar(path), MOST_NOTE)
        frames, count, width, rows = (
            int(note[k]) for k in ("frames", "vertices", "width", "rows_per_frame")
        )
        low, high = float(note["low"]), float(note["high"])
        if not (0 < width <= WIDEST and 0 < frames * rows <= HIGHEST and 0 < count <= rows * width):
            raise ValueError("no such picture is written")
        levels = _pixels(read_bytes(path, MOST_TEXTURE), width, frames * rows).reshape(
            frames, rows * width, 3
        )[:, :count]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        OverflowError,
        zlib.error,
        struct.error,
    ) as error:
        raise InputError(
            f"{path.name} is no vertex-animation texture.", "Bake it again."
        ) from error
    if count != len(first):
        raise InputError(
            f"{path.name} is of a mesh with {count:,} vertices.",
            "Choose the mesh that it was baked from.",
        )
    return np.asarray(first + levels / 65535.0 * (high - low) + low, np.float32)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(pixels: NDArray[np.unsignedinteger]) -> bytes:
    """(H, W, 3) of 8 bits, or of big-endian 16; Pillow can't write such colours."""
    height, width = pixels.shape[:2]
    lines = np.concatenate(
        [np.zeros((height, 1), np.uint8), pixels.reshape(height, -1).view(np.uint8)], 1
    )
    head = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6))
        + _chunk(b"IEND", b"")
    )


def _pixels(data: bytes, width: int, height: int) -> NDArray[np.uint16]:
    """Of a PNG that `_png` wrote."""
    length, size = struct.unpack(">I", data[33:37])[0], height * (1 + width * 6)
    unpacked = zlib.decompressobj().decompress(data[41 : 41 + length], size)
    lines = np.frombuffer(unpacked, np.uint8).reshape(height, 1 + width * 6)
    return np.asarray(np.ascontiguousarray(lines[:, 1:]).view(">u2").reshape(height, width, 3))
