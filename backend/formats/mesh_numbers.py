"""Numbers in files of meshes that are none: Blender's importers read them as 0, or leave their
triangles out; and places so far away that single precision rounds them. numpy alone.
"""

import codecs
import re
from pathlib import Path

import numpy as np

from ..geometry.arrays import Floats
from ..geometry.far_origin import offset_of
from . import gate

NONE = rb"[-+]?(?:nan|inf(?:inity)?)(?:\(\w*\))?"
IN_OBJ = re.compile(rb"^v[ \t][^\n]*?[ \t]" + NONE + rb"(?=[ \t\r\n]|$)", re.I | re.M)
IN_PLY = re.compile(rb"(?:^|[ \t])" + NONE + rb"(?=[ \t\r\n]|$)", re.I | re.M)
IN_STL = re.compile(rb"^\s*vertex[ \t][^\n]*?" + NONE + rb"(?=[ \t\r\n]|$)", re.I | re.M)
HINT = re.compile(rb"[nN][aA][nN]|[iI][nN][fF]")  # is soon looked for in a large file
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", 9), ("attribute", "<u2")])
STL_HEAD = 84


def has_no_places(path: Path) -> bool:
    """Whether a vertex of an OBJ, an STL or a PLY in text lies at no finite place."""
    kind = path.suffix.lower()
    if kind not in (".obj", ".ply", ".stl"):
        return False
    data = gate.read_bytes(path)
    if HINT.search(data) is None and kind != ".stl":
        return False
    if kind == ".obj":
        return IN_OBJ.search(data) is not None
    if kind == ".stl":
        return _in_stl(data)
    end = data.find(b"end_header")
    is_text = re.search(rb"^format[ \t]+ascii", data[: max(end, 0)], re.M) is not None
    return is_text and IN_PLY.search(data, end + 10) is not None


def is_misread(path: Path) -> bool:
    """Whether a mesh file is text of which Blender's importers lose the first line, or all: UTF-16,
    or UTF-8 with a byte order mark before what is no comment.
    """
    if path.suffix.lower() not in (".obj", ".ply", ".stl"):
        return False
    with gate.opened(path) as file:
        start = file.read(8)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return path.suffix.lower() == ".obj" or b"\0" in start
    rest = start.removeprefix(codecs.BOM_UTF8)
    return rest != start and not rest.startswith((b"#", b"\r", b"\n"))


def _in_stl(data: bytes) -> bool:
    count, left = divmod(len(data) - STL_HEAD, TRIANGLE.itemsize)
    if left or count < 0 or count != int.from_bytes(data[80:84], "little"):
        return IN_STL.search(data) is not None
    return not np.isfinite(np.frombuffer(data, TRIANGLE, count, STL_HEAD)["corners"]).all()


def far_note(vertices: Floats) -> str:
    """What to say of a mesh (V, 3) that lies so far from its origin that its places are coarse; ""
    of others.
    """
    finite = vertices[np.isfinite(vertices).all(1)].astype(np.float64)
    offset = offset_of(finite) if len(finite) else None
    if offset is None:
        return ""
    place = ", ".join(f"{v:.6g}" for v in offset)
    step = float(np.spacing(np.float32(np.abs(offset).max())))
    return (
        f"it lies far from the origin, at ({place}), where Blender rounds places to {step:.2g} "
        "units: export it nearer to the origin"
    )
