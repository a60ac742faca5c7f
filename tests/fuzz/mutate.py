"""Small harm to bytes: what is done to a valid file before a reader gets it."""

import random
import re
import struct
from collections.abc import Callable

from . import structures

WHOLE: tuple[int, ...] = (
    0,
    1,
    -1,
    2,
    3,
    4,
    7,
    127,
    128,
    255,
    256,
    2**15,
    2**16 - 1,
    2**24,
    2**31 - 1,
    2**31,
)
WHOLE += (2**32 - 1, 2**40, 2**53, 2**60, 2**63 - 1, 2**63, 2**64 - 1, -(2**31), -(2**63))
FLOATS = (float("nan"), float("inf"), -float("inf"), 1e308, 3.4e38, 1e30, -1e30, 1e-320, 0.0, 0.5)
WORDS: tuple[bytes, ...] = (
    b"nan",
    b"inf",
    b"-1",
    b"1e999",
    b"9" * 400,
    b"",
    b"\0",
    b"\xff\xfe",
    b"../../x",
    b"A" * 999,
)
WORDS += (b"0x10", b"1_000", b"\xd9\xa3", b"true", b"null", b"1e-400", b"\xf0\x9f\x98\x80", b"1.5")
WORDS += tuple(str(n).encode() for n in WHOLE)
LONGEST = 1 << 20


def mutate(data: bytes, pool: list[bytes], rng: random.Random) -> bytes:
    """One to four changes, most of them where the format's structure stays whole."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        changed = structures.mutate(data, rng, _plain) if rng.random() < 0.7 else None
        data = (_plain(data, rng, pool) if changed is None else changed)[:LONGEST]
    return data


def _plain(data: bytes, rng: random.Random, pool: list[bytes] = []) -> bytes:  # noqa: B006 - read only
    if b"\0" not in data[:200] and rng.random() < 0.6:
        return _word(data, rng)
    ways: list[Callable[[bytes, random.Random], bytes]]
    ways = [_flip, _flip, _number, _number, _cut, _remove, _repeat, _insert]
    if pool:
        ways.append(lambda d, r: _splice(d, r.choice(pool), r))
    return rng.choice(ways)(data, rng)


def _place(data: bytes, rng: random.Random) -> int:
    """Anywhere; the beginning, where formats have their numbers, more often."""
    return rng.randrange(min(len(data), rng.choice((8, 64, 256, LONGEST))) + 1)


def _flip(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if out:
            out[min(_place(data, rng), len(out) - 1)] ^= 1 << rng.randrange(8)
    return bytes(out)


def _number(data: bytes, rng: random.Random) -> bytes:
    order, size = rng.choice("<>"), rng.choice("BHIQfd")
    if size in "fd":
        value = rng.choice(FLOATS)
        new = struct.pack(order + size, value if size == "d" or abs(value) < 3e38 else float("inf"))
    else:
        bits = 8 * struct.calcsize(size)
        new = struct.pack(order + size, rng.choice(WHOLE) % 2**bits)
    at = _place(data, rng)
    return data[:at] + new + data[at + len(new) :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _remove(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 4, 16, 100)) :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    at, size = _place(data, rng), rng.choice((1, 4, 16, 100))
    return data[:at] + data[at : at + size] * rng.choice((2, 3, 50)) + data[at + size :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice((rng.randbytes(rng.randrange(1, 9)), *WORDS)) + data[at:]


def _splice(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _word(data: bytes, rng: random.Random) -> bytes:
    """Another word in a text, or one of its lines twice, or none of it."""
    if rng.random() < 0.2:
        lines = data.splitlines(keepends=True) or [b""]
        at = rng.randrange(len(lines))
        lines[at : at + 1] = rng.choice(([], [lines[at]] * 2, [lines[at]] * 40, [b"\n", lines[at]]))
        return b"".join(lines)
    spans = [m.span() for m in re.finditer(rb"[\w.+-]+", data[:LONGEST])]
    if not spans:
        return data + rng.choice(WORDS)
    begin, end = rng.choice(spans)
    return data[:begin] + rng.choice(WORDS) + data[end:]
