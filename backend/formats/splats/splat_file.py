"""The .splat of antimatter15's viewer: 32 bytes a splat, no header, no harmonics."""

from pathlib import Path

import numpy as np

from ..splat_arrays import SplatArrays, opacities_of, sound
from .packing import (
    bad_file,
    clipped_colors,
    coefficients_of,
    color_bytes,
    logits_of_bytes,
    read_bytes,
    to_bytes,
)

KIND = "splat"
ROW = np.dtype([("mean", "<f4", 3), ("scale", "<f4", 3), ("rgba", "u1", 4), ("quat", "u1", 4)])


def read(path: Path) -> SplatArrays:
    """Raises InputError for anything that is no whole number of splats."""
    data = read_bytes(path, KIND)
    if len(data) % ROW.itemsize:
        raise bad_file(path.name, KIND, "it is cut off, or something else")
    rows = np.frombuffer(data, ROW)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_scales = np.log(rows["scale"])
    arrays = SplatArrays(
        means=rows["mean"].copy(),
        quats=(rows["quat"].astype(np.float32) - np.float32(128)) / np.float32(128),
        log_scales=log_scales,
        opacity_logits=logits_of_bytes(rows["rgba"][:, 3]),
        sh=coefficients_of(rows["rgba"][:, None, :3] / np.float32(255)),
    )
    return sound(arrays, path.name)


def write(path: Path, a: SplatArrays) -> tuple[str, ...]:
    """Writes places and sizes as they are, colours, opacities and turns in a byte each.

    Says how many colours were clipped.
    """
    rows = np.empty(len(a), ROW)
    rows["mean"], rows["scale"] = a.means, np.exp(a.log_scales)
    rows["rgba"][:, :3] = color_bytes(a)
    rows["rgba"][:, 3] = to_bytes(opacities_of(a))
    rows["quat"] = np.clip(np.rint(a.quats * 128) + 128, 0, 255)
    with open(path, "wb") as file:
        file.write(rows.data)
    return clipped_colors(a)
