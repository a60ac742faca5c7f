"""SOG (PlayCanvas), writing version 2: a bundle, or a meta.json with its pictures beside it."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...geometry.arrays import Floats, Pixels
from ..splat_arrays import SplatArrays, opacities_of, take
from ..splat_notes import comments_of
from .codebook import codebook, nearest
from .packing import along_a_curve, to_bytes, without_largest
from .palette import palette, palette_size
from .sog import ROW
from .sog_files import META, write_parts
from .webp import PILLOW, WebP


def write(path: Path, a: SplatArrays, webp: WebP = PILLOW) -> tuple[str, ...]:
    """Writes the splats along a curve through space, so that neighbours' pixels are alike."""
    a = take(a, along_a_curve(a.means))
    meta: dict[str, Any] = {"version": 2, "asset": {"generator": "Splatsmith"}, "count": len(a)}
    if a.notes.antialiased:
        meta["antialias"] = True
    if comments_of(a.notes):
        meta["extras"] = {"splatsmith": list(comments_of(a.notes))}
    pictures = _means(a.means, meta) | {"quats.webp": _quats(a.quats)}
    meta["quats"] = {"files": ["quats.webp"]}
    pictures["scales.webp"] = _coded(a.log_scales, "scales", meta)
    pictures["sh0.webp"] = np.concatenate(
        [_coded(a.sh[:, 0], "sh0", meta), to_bytes(opacities_of(a))[:, None]], 1
    )
    parts = {name: webp.encode(_picture(pixels)) for name, pixels in pictures.items()}
    if a.sh_degree:
        parts |= {name: webp.encode(p) for name, p in _harmonics(a, meta).items()}
    write_parts(path, {META: json.dumps(meta).encode(), **parts})
    return ()


def _picture(pixels: Pixels) -> Pixels:
    """(N, 3 or 4) as a picture (H, W, 4), its edges multiples of four; 255 for no fourth."""
    width = max(4, 4 * int(np.ceil(np.sqrt(len(pixels)) / 4)))
    height = max(4, 4 * int(np.ceil(len(pixels) / width / 4)))
    image = np.zeros((height * width, 4), np.uint8)
    image[:, 3] = 255
    image[: len(pixels), : pixels.shape[1]] = pixels
    return image.reshape(height, width, 4)


def _means(means: Floats, meta: dict[str, Any]) -> dict[str, Pixels]:
    """Sixteen bits an axis of the logarithm of one more than the distance from 0."""
    logs = np.sign(means) * np.log1p(np.abs(means.astype(np.float64)))
    low, high = logs.min(0), logs.max(0)
    whole = np.rint((logs - low) / np.maximum(high - low, 1e-12) * 65535).astype(np.uint16)
    files = ["means_l.webp", "means_u.webp"]
    meta["means"] = {"mins": low.tolist(), "maxs": high.tolist(), "files": files}
    return {files[0]: (whole & 255).astype(np.uint8), files[1]: (whole >> 8).astype(np.uint8)}


def _quats(quats: Floats) -> Pixels:
    largest, others = without_largest(quats)
    parts = to_bytes(others * np.float32(2**-0.5) + 0.5)
    return np.concatenate([parts, (252 + largest).astype(np.uint8)[:, None]], 1)


def _coded(values: Floats, part: str, meta: dict[str, Any]) -> Pixels:
    entries = codebook(values)
    meta[part] = {"codebook": entries.tolist(), "files": [f"{part}.webp"]}
    return nearest(values, entries)


def _harmonics(a: SplatArrays, meta: dict[str, Any]) -> dict[str, Pixels]:
    """The palette's picture, and the pixels that point into it."""
    width = a.sh.shape[1] - 1
    vectors = a.sh[:, 1:].reshape(len(a), -1)  # a copy, since the first ones stand between
    entries, labels = palette(vectors, palette_size(len(a)))
    book = codebook(entries)
    files = ["shN_centroids.webp", "shN_labels.webp"]
    meta["shN"] = {
        "count": len(entries),
        "bands": a.sh_degree,
        "codebook": book.tolist(),
        "files": files,
    }
    rows = -(-len(entries) // ROW)
    image = np.zeros((rows * ROW * width, 4), np.uint8)
    image[:, 3] = 255
    image[: len(entries) * width, :3] = nearest(entries, book).reshape(-1, 3)
    pointers = np.stack([labels & 255, labels >> 8, np.zeros_like(labels)], 1).astype(np.uint8)
    return {files[0]: image.reshape(rows, ROW * width, 4), files[1]: _picture(pointers)}
