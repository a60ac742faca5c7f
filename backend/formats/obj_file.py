"""Wavefront OBJ of one textured mesh, with its material beside it: every program reads it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats

NAME, MATERIAL = "mesh.obj", "mesh.mtl"


def write(
    path: Path, vertices: Floats, faces: NDArray[np.integer], uvs: Floats, texture: str
) -> None:
    """Vertices (V, 3), faces (F, 3), uvs (F, 3, 2) of their corners from the lower left; `texture`
    is a picture beside it. Axes as they are: Z up stays Z up, which importers ask about.
    """
    corners, index = np.unique(uvs.reshape(-1, 2), axis=0, return_inverse=True)
    numbers = np.stack([faces.reshape(-1), index.reshape(-1)], 1) + 1
    material = path.with_suffix(".mtl")
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"# Splatsmith\nmtllib {material.name}\nusemtl surface\n")
        np.savetxt(file, vertices, "v %.7g %.7g %.7g")
        np.savetxt(file, corners, "vt %.6f %.6f")
        np.savetxt(file, numbers.reshape(-1, 6), "f %d/%d %d/%d %d/%d")
    material.write_text(
        f"newmtl surface\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nmap_Kd {texture}\n", encoding="ascii"
    )
