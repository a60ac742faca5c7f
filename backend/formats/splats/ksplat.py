"""The .ksplat of GaussianSplats3D (mkkellogg): sections of buckets, in three strengths of
compression. Written without any, whose places and sizes are whole and whose buckets are none.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats, Ints
from ..splat_arrays import SplatArrays, joined, opacities_of, sound
from .packing import (
    bad_file,
    clipped_colors,
    coefficients_of,
    color_bytes,
    logits_of_bytes,
    read_bytes,
    to_bytes,
)

KIND = "ksplat"
HEADER, SECTION = 4096, 1024  # bytes
HARMONICS = (0, 9, 24, 45)  # values a splat, by degree
BANDS = ((0, 3), (9, 5), (24, 7))  # where each begins among them, and its coefficients a channel
WRITTEN_DEGREE = 2  # beyond which its viewer draws none


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a section's header says of it."""

    count: int
    room: int  # splats that there is space for
    capacity: int  # splats of a full bucket
    buckets: int
    block: float  # edge of a bucket's box
    bucket_bytes: int
    full: int  # half of the whole numbers that places are stored in
    full_buckets: int
    partial_buckets: int
    degree: int


def read(path: Path) -> SplatArrays:
    """Raises InputError for other versions, and where sizes don't fit the file."""
    data = read_bytes(path, KIND)
    if len(data) < HEADER or data[0] != 0 or data[1] < 1:
        raise bad_file(path.name, KIND, "it is not of version 0.1")
    (sections,) = struct.unpack_from("<I", data, 4)
    count, level = struct.unpack_from("<IH", data, 16)
    low, high = struct.unpack_from("<ff", data, 36)
    bounds = (low or -1.5, high or 1.5)
    place = HEADER + SECTION * sections
    if level > 2 or place > len(data):
        raise bad_file(path.name, KIND, "it is cut off, or compressed in an unknown way")
    parts = []
    for number in range(sections):
        section = _section(data, HEADER + SECTION * number, level)
        size = _size(path, section, level)
        if place + size > len(data):
            raise bad_file(path.name, KIND, "it is cut off")
        if section.count:
            parts.append(_splats(path, data, place, section, level, bounds))
        place += size
    if not parts or sum(len(part) for part in parts) != count:
        raise bad_file(path.name, KIND, "it holds another number of splats than it says")
    return sound(joined(parts), path.name)


def _section(data: bytes, place: int, level: int) -> Section:
    count, room, capacity, buckets = struct.unpack_from("<4I", data, place)
    block, bucket_bytes = struct.unpack_from("<fH", data, place + 16)
    (full,) = struct.unpack_from("<I", data, place + 24)
    full_buckets, partial_buckets, degree = struct.unpack_from("<IIH", data, place + 32)
    return Section(
        count=count,
        room=room,
        capacity=capacity,
        buckets=buckets,
        block=block,
        bucket_bytes=bucket_bytes,
        full=full or (32767 if level else 1),
        full_buckets=full_buckets,
        partial_buckets=partial_buckets,
        degree=degree,
    )


def _size(path: Path, s: Section, level: int) -> int:
    """Bytes of a section's buckets and splats."""
    if s.degree > 3 or s.count > s.room or (s.buckets and s.bucket_bytes < 12):
        raise bad_file(path.name, KIND, "a section contradicts itself")
    if s.full_buckets + s.partial_buckets > s.buckets and level:
        raise bad_file(path.name, KIND, "a section contradicts itself")
    row = _row(level, s.degree).itemsize
    return 4 * s.partial_buckets + s.bucket_bytes * s.buckets + row * s.room


def _row(level: int, degree: int) -> np.dtype:
    place, other, rest = (("<f4", "<f4", "<f4"), ("<u2", "<f2", "<f2"), ("<u2", "<f2", "u1"))[level]
    fields = [("mean", place, (3,)), ("scale", other, (3,)), ("quat", other, (4,))]
    return np.dtype([*fields, ("rgba", "u1", (4,)), ("rest", rest, (HARMONICS[degree],))])


def _splats(
    path: Path, data: bytes, place: int, s: Section, level: int, bounds: tuple[float, float]
) -> SplatArrays:
    start = place + 4 * s.partial_buckets + s.bucket_bytes * s.buckets
    rows = np.frombuffer(data, _row(level, s.degree), s.count, start)
    means: Floats = rows["mean"].astype(np.float32)
    if level:
        at = _buckets(path, data, place, s)
        table = np.frombuffer(
            data, np.uint8, s.bucket_bytes * s.buckets, place + 4 * s.partial_buckets
        )
        corners = table.reshape(s.buckets, -1)[:, :12].copy().view("<f4")
        step = np.float32(s.block / 2 / s.full)
        means = np.asarray((means - np.float32(s.full)) * step + corners[at], np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_scales = np.log(rows["scale"].astype(np.float32))
    rest = rows["rest"].astype(np.float32)
    if level == 2:
        rest = np.float32(bounds[0]) + rest * np.float32((bounds[1] - bounds[0]) / 255)
    base = coefficients_of(rows["rgba"][:, None, :3] / np.float32(255))
    return SplatArrays(
        means=means,
        quats=rows["quat"].astype(np.float32),
        log_scales=log_scales,
        opacity_logits=logits_of_bytes(rows["rgba"][:, 3]),
        sh=np.concatenate([base, _harmonics(rest)], 1),
    )


def _buckets(path: Path, data: bytes, place: int, s: Section) -> Ints:
    """(count,) the bucket of every splat: full ones first, then those that say how full."""
    partial = np.frombuffer(data, "<u4", s.partial_buckets, place).astype(np.int64)
    whole = np.full(min(s.full_buckets, s.buckets), s.capacity, np.int64)
    ends = np.cumsum(np.minimum(np.concatenate([whole, partial]), s.count))
    if not len(ends) or ends[-1] < s.count:
        raise bad_file(path.name, KIND, "its buckets don't fit its splats")
    return np.searchsorted(ends, np.arange(s.count), side="right")


def _harmonics(rest: NDArray[np.float32]) -> Floats:
    """(N, K - 1, 3) of values that stand degree by degree, in each channel by channel."""
    parts = [
        rest[:, first : first + 3 * width].reshape(-1, 3, width).transpose(0, 2, 1)
        for first, width in BANDS
        if rest.shape[1] > first
    ]
    return np.concatenate([np.empty((len(rest), 0, 3), np.float32), *parts], 1)


def write(path: Path, a: SplatArrays) -> tuple[str, ...]:
    """Writes places, sizes, turns and harmonics up to degree 2 as they are, colours and opacities
    in a byte each: one section, without buckets. Says how many colours were clipped.
    """
    rows = np.empty(len(a), _row(0, a.sh_degree))
    rows["mean"], rows["scale"], rows["quat"] = a.means, np.exp(a.log_scales), a.quats
    rows["rgba"][:, :3] = color_bytes(a)
    rows["rgba"][:, 3] = to_bytes(opacities_of(a))
    for first, width in BANDS[: a.sh_degree]:
        band = a.sh[:, 1 + first // 3 : 1 + first // 3 + width]
        rows["rest"][:, first : first + 3 * width] = band.transpose(0, 2, 1).reshape(len(a), -1)
    head, section = bytearray(HEADER), bytearray(SECTION)
    middle = a.means.mean(0, dtype=np.float64)
    struct.pack_into("<BBxxIIIIHxx3f", head, 0, 0, 1, 1, 1, len(a), len(a), 0, *middle)
    struct.pack_into("<II", section, 0, len(a), len(a))
    struct.pack_into("<I", section, 28, min(rows.nbytes, 2**32 - 1))
    struct.pack_into("<H", section, 40, a.sh_degree)
    with open(path, "wb") as file:
        file.write(head + section)
        file.write(rows.data)
    return clipped_colors(a)
