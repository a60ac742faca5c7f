"""Harm that leaves the shell of a format whole, so that a reader gets past its magic numbers, its
lengths and its checksums.
"""

import copy
import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

Plain = Callable[[bytes, random.Random], bytes]
BROKEN: tuple[type[Exception], ...] = (
    ValueError,
    KeyError,
    IndexError,
    OSError,
    EOFError,
    zlib.error,
    struct.error,
)
BROKEN += (zipfile.BadZipFile, NotImplementedError, RecursionError, OverflowError)
MOST = 1 << 22  # bytes that are taken out of something packed

VALUES: tuple[Any, ...] = (None, True, "", "nan", "\0", "../../x", "/dev/zero", "\ud800", "A" * 999)
VALUES += (
    [],
    {},
    [None],
    [[]],
    {"": None},
    [[[[[[[[]]]]]]]],
    0,
    -1,
    1.5,
    1e308,
    2**31,
    2**60,
    10**400,
)
VALUES += (float("nan"), float("inf"), -float("inf"))


def mutate(data: bytes, rng: random.Random, plain: Plain) -> bytes | None:
    """None where no format is known, or the bytes are too damaged already."""
    for starts, way in WAYS:
        if data.startswith(starts):
            try:
                return way(data, rng, plain)
            except BROKEN:
                return None
    return _safetensors(data, rng, plain) if data[8:9] == b"{" else None


def _inner(data: bytes, rng: random.Random, plain: Plain) -> bytes:
    changed = mutate(data, rng, plain) if rng.random() < 0.7 else None
    return plain(data, rng) if changed is None else changed


def _zip(data: bytes, rng: random.Random, plain: Plain) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(i.filename, archive.read(i)) for i in archive.infolist() if i.file_size < MOST]
    at = rng.randrange(len(members))
    name, body = members[at]
    ways: list[list[tuple[str, bytes]]] = [[(name, _inner(body, rng, plain))]] * 8
    ways += [[], [members[at]] * 2, [(f"../{name}", body)], [(name, b"")]]
    ways += [[(name, rng.choice(members)[1])]]
    members[at : at + 1] = rng.choice(ways)
    out = io.BytesIO()
    with zipfile.ZipFile(
        out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    ) as archive:
        for name, body in members:
            archive.writestr(zipfile.ZipInfo(name), body)
    return out.getvalue()


def _gzip(data: bytes, rng: random.Random, plain: Plain) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        body = file.read(MOST)
    return gzip.compress(_inner(body, rng, plain), 1)


def _npy(data: bytes, rng: random.Random, plain: Plain) -> bytes:
    """A header of another type, shape or order: text with a length before it."""
    size = struct.unpack_from("<H", data, 8)[0]
    head, body = data[10 : 10 + size], data[10 + size :]
    if rng.random() < 0.4:
        return data[: 10 + size] + plain(body, rng)
    kinds = (
        b"'<f4'",
        b"'<f8'",
        b"'|O'",
        b"'<i8'",
        b"'|u1'",
        b"'<c16'",
        b"'<U9'",
        b"'<M8[s]'",
        b"'|V0'",
    )
    shapes = (
        b"()",
        b"(0,)",
        b"(-1, 3)",
        b"(2305843009213693952,)",
        b"(1, 1, 1)",
        b"(3, 0)",
        b"(4, 4)",
    )
    begin, end = head.find(b"("), head.find(b")") + 1
    ways = (
        head[:begin] + rng.choice(shapes) + head[end:],
        head.replace(head[head.find(b":") + 2 : head.find(b",")], rng.choice(kinds), 1),
        plain(head, rng),
    )
    head = rng.choice(ways)[:60000]
    return data[:8] + struct.pack("<H", len(head)) + head + body


def _png(data: bytes, rng: random.Random, plain: Plain) -> bytes:
    """Chunks with right checksums, pixels that inflate."""
    at, chunks = 8, []
    while at + 12 <= len(data):
        size = struct.unpack_from(">I", data, at)[0]
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    at = rng.randrange(len(chunks))
    kind, body = chunks[at]
    if kind == b"IDAT" and rng.random() < 0.5:
        body = zlib.compress(plain(zlib.decompress(body), rng), 1)
    else:
        body = plain(body, rng)
    chunks[at : at + 1] = rng.choice(([(kind, body)], [(kind, body)], [], [(kind, body)] * 2))
    return data[:8] + b"".join(
        struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks
    )


def _json(data: bytes, rng: random.Random, _plain: Plain) -> bytes:
    if rng.random() < 0.03:
        return rng.choice((b"[", b'{"a":')) * rng.choice((999, 4000, 99999)) + data
    tree = [json.loads(data)]
    spots: list[tuple[Any, Any]] = []
    todo: list[Any] = [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        spots += [(node, key) for key in keys]
        todo += [node[k] for k in keys if isinstance(node[k], (dict, list))]
    for _ in range(rng.choice((1, 1, 2, 3))):
        node, key = rng.choice(spots)
        way = rng.random()
        if way < 0.7 or node is tree:
            other, at = rng.choice(spots)
            node[key] = rng.choice(VALUES) if way < 0.6 else copy.deepcopy(other[at])
        elif isinstance(node, dict):
            node.pop(key, None)
        else:
            node[:] = rng.choice((node[:-1], node * 2, []))
    return json.dumps(tree[0]).encode()


def _glb(data: bytes, rng: random.Random, plain: Plain) -> bytes:
    size = struct.unpack_from("<I", data, 12)[0]
    text = _inner(data[20 : 20 + size], rng, plain)
    rest = data[20 + size :]
    head = struct.pack("<4s4I", b"glTF", 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A)
    return head + text + rest


def _safetensors(data: bytes, rng: random.Random, plain: Plain) -> bytes | None:
    size = struct.unpack_from("<Q", data)[0]
    if size > len(data):
        return None
    text = _inner(data[8 : 8 + size], rng, plain)
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


WAYS: tuple[
    tuple[bytes | tuple[bytes, ...], Callable[[bytes, random.Random, Plain], bytes]], ...
] = (
    (b"PK\3\4", _zip),
    (b"\x1f\x8b", _gzip),
    (b"\x93NUMPY", _npy),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"glTF", _glb),
    ((b"{", b"["), _json),
)
