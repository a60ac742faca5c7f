"""Splats of every format, and the checks that mesh files go through before Blender sees them."""

import base64
import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np
from helpers import random_splats

from backend.formats import declared_sizes, mesh_numbers, points_ply
from backend.formats.splats import files
from backend.formats.splats.files import BY_NAME, Tools

from .target import Target

NAMES = {
    "compressed-ply": "a.compressed.ply",
    "ply": "a.ply",
    "spz": "a.spz",
    "sog": "a.sog",
    "splat": "a.splat",
    "ksplat": "a.ksplat",
    "gltf": "a.glb",
    "usd": "a.usda",
}


def _write(path: Path, name: str, version: int = 3) -> None:
    arrays = random_splats.make(6, 4)
    arrays = dataclasses.replace(arrays, notes=dataclasses.replace(arrays.notes, antialiased=True))
    files.write(path, arrays, BY_NAME[name], Tools(spz_version=version))


def _gltf(folder: Path) -> None:
    """As others write it: JSON with the data in it, which is only read."""
    _write(folder / "a.glb", "gltf")
    data = (folder / "a.glb").read_bytes()
    size = int.from_bytes(data[12:16], "little")
    record = json.loads(data[20 : 20 + size])
    packed = base64.b64encode(data[28 + size :]).decode()
    record["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{packed}"
    (folder / "a.gltf").write_text(json.dumps(record))


def _sog_folder(folder: Path) -> None:
    """Its parts as files of their own."""
    _write(folder / "a.sog", "sog")
    with zipfile.ZipFile(folder / "a.sog") as archive:
        archive.extractall(folder)


def _splats(name: str, file: str, version: int = 3, share: float = 1.0) -> Target:
    return Target(
        name=f"splats-{file.removeprefix('a.')}{'' if version == 3 else version}",
        file=file,
        make=lambda folder: _write(folder / file, name, version),
        read=files.read,
        share=share,
    )


def _points(folder: Path) -> None:
    points_ply.write(folder / "p.ply", np.zeros((4, 3), np.float32), np.zeros((4, 3), np.uint8))


def _mesh(folder: Path, kind: str) -> None:
    texts = {
        "ply": "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        "property float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
        "0 0 0\n1 0 0\n0 1 nan\n3 0 1 2\n",
        "obj": "o a\nv 0 0 0\nv 1 0 0\nv 0 1 nan\nvn 0 0 1\nf 1//1 2//1 3//1\n",
        "stl": "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 nan\n"
        "vertex 0 1 0\nendloop\nendfacet\nendsolid a\n",
        "gltf": '{"asset": {"version": "2.0"}, "buffers": [{"byteLength": 12}], '
        '"accessors": [{"count": 3, "componentType": 5126, "type": "VEC3"}]}',
    }
    (folder / f"m.{kind}").write_text(texts[kind])


def _check_mesh(path: Path) -> None:
    declared_sizes.is_empty(path)
    mesh_numbers.has_no_places(path)
    mesh_numbers.is_misread(path)


TARGETS = (
    *(_splats(name, file, share=0.5 if name == "usd" else 1.0) for name, file in NAMES.items()),
    _splats("spz", "a.spz", version=4),
    Target(name="splats-sog-meta", file="meta.json", make=_sog_folder, read=files.read),
    Target(name="splats-gltf", file="a.gltf", make=_gltf, read=files.read),
    Target(name="points-ply", file="p.ply", make=_points, read=points_ply.read),
    *(
        Target(
            name=f"mesh-{kind}",
            file=f"m.{kind}",
            make=lambda folder, kind=kind: _mesh(folder, kind),  # type: ignore[misc]
            read=_check_mesh,
            share=0.5,
        )
        for kind in ("ply", "obj", "stl", "gltf")
    ),
)
