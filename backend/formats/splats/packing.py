"""What packed splat formats share: bytes, half-open boxes of numbers, quaternions without their
largest part, an order in which neighbours stand together.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Flags, Floats, Ints, Pixels, Reals
from ...protocol import InputError
from .. import gate
from ..splat_arrays import SH_C0, SplatArrays, logits_of

EXPANSION = 256  # times its size that a packed file may grow to; real ones stay below 20
SLACK = 1 << 20  # bytes that any may
LONGEST_NAME = 255  # bytes; no file system has longer ones


def bad_file(name: str, kind: str, why: str) -> InputError:
    """The error of a file that is not what it is called, or a damaged one."""
    return InputError(
        f"{name} is not a usable {kind} file: {why}.",
        "Export it again from the program that wrote it.",
    )


def beside(others: int) -> tuple[str, ...]:
    """What a scene file has beside its splats, in words."""
    return (f"{others:,} meshes" if others > 1 else "1 mesh",) if others else ()


def is_plain_name(name: object) -> bool:
    """Whether a file may be asked for by this name beside the one that names it: no folder, nothing
    hidden, no longer than names can be, and no half of a character.
    """
    if not isinstance(name, str) or not name or name.startswith(".") or set(name) & set("/\\:\0"):
        return False
    data = name.encode("utf-8", "ignore")
    return data.decode() == name and len(data) <= LONGEST_NAME


def read_bytes(path: Path, kind: str) -> bytes:
    """A file whole. Raises InputError where it can't be read or is empty."""
    data = gate.read_bytes(path)
    if not data:
        raise bad_file(path.name, kind, "it is empty")
    return data


def may_grow_to(packed: int) -> int:
    """Bytes that a file of `packed` bytes is believed to hold."""
    return EXPANSION * packed + SLACK


def to_bytes(values: Reals, full: float = 255.0) -> Pixels:
    """Shares of 1 as whole numbers up to `full`, those beyond clipped."""
    scaled = np.clip(values, 0, 1) * np.float32(full)
    return np.asarray(np.rint(scaled), np.uint8)


def colors_of(sh0: Floats) -> Floats:
    """(N, 3) sRGB in 0..1, not clipped, of the first coefficients."""
    return sh0 * np.float32(SH_C0) + np.float32(0.5)


def color_bytes(a: SplatArrays) -> Pixels:
    """(N, 3) the splats' own colours in 0..255, those beyond clipped."""
    return to_bytes(colors_of(a.sh[:, 0]))


def clipped_colors(a: SplatArrays) -> tuple[str, ...]:
    """How many splats `color_bytes` clips by more than it rounds, in words."""
    beyond = np.abs(colors_of(a.sh[:, 0]) - np.float32(0.5)).max(1) > 0.5 + 0.5 / 255
    count = int(np.count_nonzero(beyond))
    return (f"colors brighter or darker than a screen's ({count:,} splats)",) if count else ()


def coefficients_of(colors: Reals) -> Floats:
    """The same back."""
    return ((colors - 0.5) / SH_C0).astype(np.float32)


def logits_of_bytes(opacities: Pixels) -> Floats:
    """(N,) of opacities in 0..255."""
    return logits_of(opacities / np.float64(255))


def without_largest(quats: Floats) -> tuple[Ints, Floats]:
    """(N, 4) of length one -> (N,) which part is the largest, and (N, 3) the others in their order,
    of the quaternion or its opposite, whichever has that part positive: within ±1/√2.
    """
    largest = np.abs(quats).argmax(1)
    rows = np.arange(len(quats))
    signs = np.where(quats[rows, largest] < 0, -1, 1).astype(np.float32)
    others = quats[_others(largest)].reshape(-1, 3) * signs[:, None]
    return largest, others


def with_largest(largest: NDArray[np.integer], others: Reals) -> Floats:
    """The same back: (N, 4)."""
    quats = np.empty((len(others), 4), np.float32)
    quats[_others(largest)] = others.ravel()
    rest = 1 - np.einsum("nk,nk->n", others, others, dtype=np.float64)
    quats[np.arange(len(others)), largest] = np.sqrt(np.maximum(rest, 0))
    return quats


def _others(largest: NDArray[np.integer]) -> Flags:
    """(N, 4) where the three others stand."""
    return np.asarray(np.arange(4)[None] != largest[:, None])


def along_a_curve(points: Floats) -> Ints:
    """(N,) an order in which neighbours stand together: Morton's, 21 bits an axis."""
    low = points.min(0) if len(points) else np.zeros(3, np.float32)
    span = np.ptp(points, axis=0) if len(points) else np.ones(3, np.float32)
    code = np.zeros(len(points), np.uint64)
    for axis in range(3):
        share = (points[:, axis] - low[axis]).astype(np.float64) / max(float(span[axis]), 1e-30)
        code |= _spread((share * (2**21 - 1)).astype(np.uint64)) << np.uint64(axis)
    return np.argsort(code, kind="stable")


def _spread(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Two empty bits after each of 21."""
    for shift, mask in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits
