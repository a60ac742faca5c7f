"""SuperSplat's compressed PLY: chunks of 256 splats with their bounds, each splat four packed
words, harmonics in a byte a coefficient.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats, Ints, Pixels
from .. import ply
from ..ply_header import Header
from ..splat_arrays import SplatArrays, logits_of, opacities_of, sound, take
from ..splat_notes import comments_of, notes_of
from .packing import (
    along_a_curve,
    bad_file,
    coefficients_of,
    colors_of,
    with_largest,
    without_largest,
)

KIND = "compressed PLY"
CHUNK = 256
SORTED = 1.25  # times the size of its chunks' boxes along the curve that a file's may have
BOUNDS = tuple(f"{end}_{axis}" for end in ("min", "max") for axis in "xyz")
SCALE_BOUNDS = tuple(f"{end}_scale_{axis}" for end in ("min", "max") for axis in "xyz")
COLOR_BOUNDS = tuple(f"{end}_{axis}" for end in ("min", "max") for axis in "rgb")
PACKED = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
Words = NDArray[np.uint32]


def is_compressed(header: Header) -> bool:
    """Whether a PLY with this header is one of these."""
    return {*PACKED} <= {name for name, _ in header.fields}


def read(path: Path) -> SplatArrays:
    """Raises InputError for a file whose tables don't fit together."""
    header = ply.read_header(path)
    vertices, chunks = header.find("vertex"), header.find("chunk")
    if not is_compressed(header) or vertices is None or chunks is None:
        raise bad_file(path.name, KIND, "it has no chunks of packed splats")
    names = {name for name, _ in chunks.fields}
    if not {*BOUNDS, *SCALE_BOUNDS} <= names or chunks.count * CHUNK < vertices.count:
        raise bad_file(path.name, KIND, "its chunks don't fit its splats")
    if any(dict(header.fields)[name] != "u4" for name in PACKED):
        raise bad_file(path.name, KIND, "its packed words are of a wrong type")
    rows = ply.read_element(path, header, "vertex")
    table = ply.read_element(path, header, "chunk")
    at = np.arange(len(rows)) // CHUNK
    colors = _bytes_of(rows["packed_color"])
    rgb = colors[:, :3]
    if {*COLOR_BOUNDS} <= names:
        rgb = _between(table, COLOR_BOUNDS, at, rgb)
    arrays = SplatArrays(
        means=_between(table, BOUNDS, at, _unpacked(rows["packed_position"])),
        quats=_turns(rows["packed_rotation"]),
        log_scales=_between(table, SCALE_BOUNDS, at, _unpacked(rows["packed_scale"])),
        opacity_logits=logits_of(colors[:, 3].astype(np.float64)),
        sh=np.concatenate([coefficients_of(rgb)[:, None], _harmonics(path, header)], 1),
        notes=notes_of(list(header.comments)),
    )
    return sound(arrays, path.name)


def _between(table: NDArray[np.void], names: tuple[str, ...], at: Ints, shares: Floats) -> Floats:
    """(N, 3) of the shares of each chunk's bounds."""
    bounds = np.stack([table[name] for name in names], 1).astype(np.float32)
    low, high = bounds[at, :3], bounds[at, 3:]
    with np.errstate(invalid="ignore", over="ignore"):
        return low * (1 - shares) + high * shares


def _unpacked(words: Words) -> Floats:
    """(N, 3) shares of 11, 10 and 11 bits."""
    parts = [(words >> 21) / np.float32(2047), (words >> 11 & 1023) / np.float32(1023)]
    return np.stack([*parts, (words & 2047) / np.float32(2047)], 1, dtype=np.float32)


def _bytes_of(words: Words) -> Floats:
    """(N, 4) shares of 8 bits each."""
    parts = [(words >> shift & 255) / np.float32(255) for shift in (24, 16, 8, 0)]
    return np.stack(parts, 1, dtype=np.float32)


def _turns(words: Words) -> Floats:
    parts = [(words >> shift & 1023) / np.float32(1023) - 0.5 for shift in (20, 10, 0)]
    return with_largest(words >> 30, np.stack(parts, 1) * np.float32(2**0.5))


def _harmonics(path: Path, header: Header) -> Floats:
    """(N, K - 1, 3) of the table of harmonics, where there is one."""
    element, count = header.find("sh"), len_of(header)
    if element is None:
        return np.empty((count, 0, 3), np.float32)
    width = len(element.properties)
    names = [f"f_rest_{i}" for i in range(width)]
    if (
        width not in (9, 24, 45)
        or element.count != count
        or dict(element.fields) != dict.fromkeys(names, "u1")
    ):
        raise bad_file(path.name, KIND, "its harmonics fit no degree, or not its splats")
    sh = np.empty((count, width // 3, 3), np.float32)
    first = 0
    ends = np.concatenate([[0], (np.arange(1, 255) + 0.5) / 256, [1]])
    values = ((ends - 0.5) * 8).astype(np.float32)
    for block in ply.read_blocks(path, header, "sh"):
        rows = slice(first, first + len(block))
        for i, name in enumerate(names):
            sh[rows, i % (width // 3), i // (width // 3)] = values[block[name]]
        first += len(block)
    return sh


def len_of(header: Header) -> int:
    """How many splats the file has."""
    vertices = header.find("vertex")
    return vertices.count if vertices else 0


def write(path: Path, a: SplatArrays) -> tuple[str, ...]:
    """Writes the splats along a curve through space, so that chunks are small boxes; where they
    are that already, they stay in their order, and what was compressed comes out as it was.
    """
    order = along_a_curve(a.means)
    if _size_of_boxes(a.means) > SORTED * _size_of_boxes(a.means[order]):
        a = take(a, order)
    chunks = np.zeros(
        -(-len(a) // CHUNK), [(n, "<f4") for n in (*BOUNDS, *SCALE_BOUNDS, *COLOR_BOUNDS)]
    )
    rows = np.empty(len(a), [(n, "<u4") for n in PACKED])
    scales = np.clip(a.log_scales, -20, 20)
    rows["packed_position"] = _packed(_shares(chunks, BOUNDS, a.means))
    rows["packed_scale"] = _packed(_shares(chunks, SCALE_BOUNDS, scales))
    colors = _shares(chunks, COLOR_BOUNDS, colors_of(a.sh[:, 0]))
    channels = [colors[:, 0], colors[:, 1], colors[:, 2], opacities_of(a)]
    rows["packed_color"] = _joined([_whole(c, 255) for c in channels], (24, 16, 8, 0))
    largest, others = without_largest(a.quats)
    parts = [_whole(others[:, i] * 2**-0.5 + 0.5, 1023) for i in range(3)]
    rows["packed_rotation"] = _joined([largest.astype(np.uint32), *parts], (30, 20, 10, 0))
    tables = {"chunk": chunks, "vertex": rows}
    if a.sh_degree:
        tables["sh"] = _harmonics_table(a.sh[:, 1:])
    ply.write_elements(path, tables, ("Generated by Splatsmith", *comments_of(a.notes)))
    return ()


def _size_of_boxes(means: Floats) -> float:
    """Of all chunks, edge by edge."""
    starts = np.arange(0, len(means), CHUNK)
    spans = np.maximum.reduceat(means, starts) - np.minimum.reduceat(means, starts)
    return float(spans.astype(np.float64).sum())


def _shares(chunks: NDArray[np.void], names: tuple[str, ...], values: Floats) -> Floats:
    """(N, 3) where the values lie between the bounds of their chunks, which are written down."""
    starts = np.arange(0, len(values), CHUNK)
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    for i in range(3):
        chunks[names[i]], chunks[names[3 + i]] = low[:, i], high[:, i]
    span = high - low
    span[span < 1e-5] = np.inf  # all alike: the lower bound is the value
    at = np.arange(len(values)) // CHUNK
    return np.asarray((values - low[at]) / span[at], np.float32)


def _whole(shares: Floats, full: int) -> Words:
    return np.asarray(np.clip(np.rint(shares * np.float32(full)), 0, full), np.uint32)


def _joined(parts: list[Words], shifts: tuple[int, ...]) -> Words:
    words = np.zeros(len(parts[0]), np.uint32)
    for part, shift in zip(parts, shifts, strict=True):
        words |= part << np.uint32(shift)
    return words


def _packed(shares: Floats) -> Words:
    parts = [_whole(shares[:, i], (2047, 1023, 2047)[i]) for i in range(3)]
    return _joined(parts, (21, 11, 0))


def _harmonics_table(rest: Floats) -> NDArray[np.void]:
    """Channel by channel, a byte each: a 256th of -4..4."""
    width = rest.shape[1]
    table: Pixels = np.empty((len(rest), 3, width), np.uint8)
    for i in range(width):
        table[:, :, i] = np.clip((rest[:, i] / 8 + 0.5) * 256, 0, 255)
    dtype = np.dtype([(f"f_rest_{i}", "u1") for i in range(3 * width)])
    return table.reshape(len(rest), -1).view(dtype)[:, 0]
