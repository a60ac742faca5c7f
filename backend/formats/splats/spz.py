"""SPZ (Niantic), versions 1 to 4: places in fixed point, all else in bytes, y up and z back."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...geometry.arrays import Floats, Pixels
from .. import splat_moves
from ..splat_arrays import SplatArrays, opacities_of, sound
from ..splat_notes import SplatNotes
from .axes import SIGNS, half_turned
from .packing import (
    bad_file,
    logits_of_bytes,
    read_bytes,
    to_bytes,
    with_largest,
    without_largest,
)
from .spz_streams import KIND, NAMES, STORED_AXES, SpzHeader, SpzStreams, pack, unpack

ANTIALIASED = 1  # flag
COLOR = 0.15  # share of a byte a unit of the first coefficient
BLOCK = 1 << 15  # splats at a time
LIMIT = (1 << 23) - 1  # of places
FINEST = 0.05  # of a small splat's size that places may be off by
FEWEST_BITS = 5  # of the harmonics' 8
FAITHFUL = 42.0  # dB that their colours are true to, at least
LARGEST = 5.9375  # logarithm of size
TURN = np.array([1, -1, -1], np.float32)  # half a turn about x
WXYZ, XYZW = [3, 0, 1, 2], [1, 2, 3, 0]
# Adobe's numbers of axes: which way x, y and z point, L/R D/U B/F …; then with y and z exchanged
AXES = ("LDB", "RDB", "LUB", "RUB", "LDF", "RDF", "LUF", "RUF",
        "LFD", "RFD", "LFU", "RFU", "LBD", "RBD", "LBU", "RBU")  # fmt: skip
DIRECTIONS = {"R": (1, 0, 0), "L": (-1, 0, 0), "D": (0, 1, 0), "U": (0, -1, 0),
              "F": (0, 0, 1), "B": (0, 0, -1)}  # fmt: skip


def read(path: Path) -> SplatArrays:
    """Raises InputError for anything that is no SPZ."""
    packed = unpack(read_bytes(path, KIND), path.name)
    a = unpacked(packed, path.name)
    number = int.from_bytes(packed.extensions.get(STORED_AXES, b"")[:4], "little")
    if not number:
        return half_turned(a)
    if number > len(AXES):
        raise bad_file(path.name, KIND, "its axes are unknown")
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([DIRECTIONS[letter] for letter in AXES[number - 1]]).T
    return splat_moves.moved(a, matrix)


def unpacked(packed: SpzStreams, name: str) -> SplatArrays:
    """The splats in the file's own axes, where nothing else is said: x right, y up, z back."""
    header, streams = packed.header, packed.streams
    if not header.count:
        raise bad_file(name, KIND, "it holds no splats")
    columns = {key: np.frombuffer(streams[key], np.uint8) for key in NAMES}
    base = (columns["colors"].reshape(-1, 1, 3) / np.float32(255) - 0.5) / COLOR
    rest = (columns["sh"].reshape(header.count, -1, 3).astype(np.float32) - 128) / 128
    arrays = SplatArrays(
        means=_places(columns["positions"], header),
        quats=_turns(columns["rotations"], header),
        log_scales=(columns["scales"].reshape(-1, 3) / 16 - 10).astype(np.float32),
        opacity_logits=logits_of_bytes(columns["alphas"]),
        sh=np.concatenate([base.astype(np.float32), rest], 1),
        notes=SplatNotes(antialiased=bool(header.flags & ANTIALIASED)),
    )
    return sound(arrays, name)


def _places(data: Pixels, header: SpzHeader) -> Floats:
    if header.version == 1:
        return data.view("<f2").astype(np.float32).reshape(-1, 3)
    wide = np.zeros((3 * header.count, 4), np.uint8)
    wide[:, 1:] = data.reshape(-1, 3)
    whole = wide.view("<i4")[:, 0] >> 8  # keeps the sign
    return (whole / np.float64(1 << header.fractional_bits)).astype(np.float32).reshape(-1, 3)


def _turns(data: Pixels, header: SpzHeader) -> Floats:
    """(N, 4) wxyz."""
    if header.version < 3:
        xyz = data.reshape(-1, 3) / np.float32(127.5) - 1
        w = np.sqrt(np.maximum(1 - np.einsum("nk,nk->n", xyz, xyz), 0))
        return np.concatenate([w[:, None], xyz], 1).astype(np.float32)
    words = data.view("<u4")
    parts = [words >> np.uint32(shift) & 1023 for shift in (20, 10, 0)]
    signed = [np.where(p & 512, -1, 1) * (p & 511).astype(np.float32) for p in parts]
    others = np.stack(signed, 1) * np.float32(2**-0.5 / 511)
    return with_largest(words >> np.uint32(30), others.astype(np.float32))[:, WXYZ]


def write(path: Path, a: SplatArrays, version: int = 3) -> tuple[str, ...]:
    """Writes a version from 2 to 4; what of places and sizes it can't say."""
    a = replace(a, means=a.means * TURN, quats=a.quats * np.append(np.float32(1), TURN))
    packed, lost = _packed_streams(a, version)
    path.write_bytes(pack(packed))
    return lost


def _packed_streams(a: SplatArrays, version: int) -> tuple[SpzStreams, tuple[str, ...]]:
    """The attributes' bytes, and what is lost of them. All but the harmonics are in the file's
    axes already.
    """
    bits = fractional_bits(a)
    fixed = np.rint(a.means.astype(np.float64) * (1 << bits))
    away = int((np.abs(fixed) > LIMIT).any(1).sum())
    whole = np.clip(fixed, -LIMIT, LIMIT).astype("<i4")
    large = int((a.log_scales > LARGEST + 0.1).any(1).sum())
    streams = {
        "positions": whole.reshape(-1, 1).view(np.uint8)[:, :3].tobytes(),
        "alphas": to_bytes(opacities_of(a)).tobytes(),
        "colors": to_bytes(a.sh[:, 0] * np.float32(COLOR) + 0.5).tobytes(),
        "scales": to_bytes((a.log_scales + 10) * np.float32(16 / 255)).tobytes(),
        "rotations": _packed_turns(a.quats, version),
        "sh": _packed_harmonics(a.sh[:, 1:]),
    }
    header = SpzHeader(
        version=version,
        count=len(a),
        degree=a.sh_degree,
        fractional_bits=bits,
        flags=ANTIALIASED * a.notes.antialiased,
    )
    lost = [f"the places of {away:,} splats, too far away"] if away else []
    lost += [f"the size of {large:,} splats, too large"] if large else []
    if len(a) and 2.0**-bits > 2 * np.exp(np.median(a.log_scales)):
        lost.append(f"places finer than {2.0**-bits:g} units, so far away are some")
    return SpzStreams(header=header, streams=streams, extensions={}), tuple(lost)


def fractional_bits(a: SplatArrays) -> int:
    """Of places: 12, as everyone writes, more for small splats, fewer where some are far away."""
    if not len(a):
        return 12
    small = float(np.exp(np.quantile(a.log_scales.max(1), 0.1)))
    wanted = int(np.ceil(-np.log2(max(FINEST * small, 1e-9))))
    room = int(np.floor(np.log2(LIMIT / max(float(np.abs(a.means).max()), 1e-9))))
    return max(0, min(max(12, wanted), room, 22))


def _packed_turns(quats: Floats, version: int) -> bytes:
    xyzw = quats[:, XYZW]
    if version < 3:
        xyz = xyzw[:, :3] * np.where(xyzw[:, 3:] < 0, -1, 1)
        return bytes(np.clip(np.rint(xyz * 127.5 + 127.5), 0, 255).astype(np.uint8).tobytes())
    largest, others = without_largest(xyzw)
    size = np.rint(np.abs(others) * np.float32(511 * 2**0.5)).clip(0, 511).astype(np.uint32)
    parts = size | np.where(others < 0, np.uint32(512), np.uint32(0))
    words = largest.astype(np.uint32) << np.uint32(30)
    for i, shift in enumerate((20, 10, 0)):
        words |= parts[:, i] << np.uint32(shift)
    return bytes(words.astype("<u4").tobytes())


def _packed_harmonics(rest: Floats) -> bytes:
    """In bytes, of which the last bits are left empty where they cost more than they show: colours
    stay true to 42 dB of a splat's own, averaged over views.
    """
    some = rest[:: max(1, len(rest) // 4096)]
    bits = next((b for b in range(FEWEST_BITS, 8) if _noise(some, b) < 10 ** (-FAITHFUL / 10)), 8)
    packed = np.empty(rest.shape, np.uint8)
    for first in range(0, len(rest), BLOCK):
        rows = slice(first, first + BLOCK)
        packed[rows] = _rounded(rest[rows] * SIGNS[1 : 1 + rest.shape[1], None], bits)
    return bytes(packed.data)


def _noise(rest: Floats, bits: int) -> float:
    """Mean squared error of a channel of a splat's own colour, averaged over views."""
    if not rest.size:
        return 0.0
    error = (_rounded(rest, bits).astype(np.float32) - 128) / 128 - rest
    return float(np.square(error).sum((1, 2)).mean()) / 3 / (4 * np.pi)


def _rounded(rest: Floats, bits: int) -> Pixels:
    """-1..1 as bytes; 0 is always one of their values."""
    step = 1 << (8 - bits)
    whole = np.rint(rest * np.float32(128 / step)) * step + 128
    return np.asarray(np.clip(whole, 0, 255), np.uint8)
