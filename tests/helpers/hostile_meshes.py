"""Damaged mesh files of every kind that Blender reads, made from sound ones: cut, overwritten,
with impossible counts and indices. The same seed makes the same files.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

HUGE = (-1, 2**31 - 1, 2**32 - 1, 10**12, 2**60)
WORDS = (2**64 - 1, 2**31, 2**40, 7)
OBJ = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\nf 1/1/1 2/1/1 3/1/1\n"


def ply(vertices: object = 3, faces: object = 1, indices: str = "0 1 2", corners: int = 3) -> bytes:
    """A triangle in text, with whatever counts and indices."""
    head = f"ply\nformat ascii 1.0\nelement vertex {vertices}\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += f"element face {faces}\nproperty list uchar int vertex_indices\nend_header\n"
    return f"{head}0 0 0\n1 0 0\n0 1 0\n{corners} {indices}\n".encode()


def binary_ply(corners: int = 3, indices: tuple[int, ...] = (0, 1, 2)) -> bytes:
    """The same in bytes."""
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 3\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += "element face 1\nproperty list uint int vertex_indices\nend_header\n"
    places = np.eye(3, dtype="<f4").tobytes()
    return head.encode() + places + struct.pack("<I3i", corners, *indices)


def stl(count: int = 2) -> bytes:
    """Two triangles that say they are `count`."""
    body = np.arange(24, dtype="<f4").tobytes()[:48] + b"\0\0"
    return b"\0" * 80 + struct.pack("<I", count & 0xFFFFFFFF) + body * 2


def gltf(count: int = 3, view: int = 0, offset: int = 0, length: int = 36, index: int = 0) -> bytes:
    """A triangle as .glb."""
    record = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": index}}]}],
        "accessors": [{"bufferView": view, "componentType": 5126, "count": count, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteOffset": offset, "byteLength": length}],
        "buffers": [{"byteLength": 36}],
    }
    text = json.dumps(record).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text
    body += struct.pack("<II", 36, 0x004E4942) + np.eye(3, dtype="<f4").tobytes()
    return struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body


def written() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of files that lie."""
    for number, count in enumerate(HUGE):
        yield f"vertices{number}.ply", ply(vertices=count)
        yield f"faces{number}.ply", ply(faces=count)
        yield f"index{number}.ply", ply(indices=f"0 1 {count}")
        yield f"index{number}.obj", OBJ + f"f 1 2 {count}\nf -{count} 1 2\n".encode()
        yield f"normal{number}.obj", OBJ + f"f 1/{count}/{count} 2/1/1 3/1/1\n".encode()
        yield f"count{number}.stl", stl(count)
        yield f"count{number}.glb", gltf(count=count)
        yield f"view{number}.glb", gltf(view=count)
        yield f"offset{number}.glb", gltf(offset=count)
        yield f"length{number}.glb", gltf(length=count)
        yield f"accessor{number}.glb", gltf(index=count)
    for number, index in enumerate((-1, 3, 2**31 - 1, -(2**31))):
        yield f"binary{number}.ply", binary_ply(indices=(0, 1, index))
    yield "corners.ply", binary_ply(corners=2**31)
    yield "none.ply", ply(corners=0, indices="")
    yield "line.ply", ply(indices="0 1 2" + " 7" * 200_000)
    yield "line.obj", OBJ + b"f" + b" 1" * 300_000 + b"\n"
    yield "group.obj", OBJ + b"g " + b"x" * 100_000 + b"\nusemtl " + b"y" * 100_000 + b"\n"


def damaged(name: str, data: bytes, many: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """A sound file, empty, cut, and with some of its bytes or words overwritten."""
    generator, (stem, _, kind) = np.random.default_rng(seed), name.rpartition(".")
    yield f"{stem}_empty.{kind}", b""
    yield f"{stem}_noise.{kind}", generator.bytes(4096)
    for number in range(max(1, many // 4)):
        yield f"{stem}_cut{number}.{kind}", data[: int(generator.integers(1, len(data)))]
    for number in range(many):
        changed = bytearray(data)
        for place in generator.integers(0, len(data), 1 + number % 8):
            if number % 2:
                changed[place] = int(generator.integers(0, 256))
            else:
                word = struct.pack("<Q", WORDS[int(generator.integers(len(WORDS)))])
                changed[place : place + 8] = word[: len(data) - place]
        yield f"{stem}_hit{number}.{kind}", bytes(changed)


def write(folder: Path, files: Iterator[tuple[str, bytes]]) -> list[Path]:
    """Into the folder; where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, data in files:
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    return paths
