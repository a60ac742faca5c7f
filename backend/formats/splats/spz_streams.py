"""The container of SPZ files (Niantic): one gzip stream up to version 3, a zstd stream an attribute
in version 4. What is inside is in spz.py.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

from ...protocol import SetupError
from .packing import bad_file, may_grow_to

KIND = "SPZ"
MAGIC = 0x5053474E  # NGSP
OLD, NEW = struct.Struct("<IIIBBBB"), struct.Struct("<IIIBBBBI12x")
NAMES = ("positions", "alphas", "colors", "scales", "rotations", "sh")  # in the file's order
COEFFICIENTS = (0, 3, 8, 15, 24)  # a channel beyond the first, by degree
EXTENDED = 2  # flag
STORED_AXES = 0xADBE0003  # Adobe's extension: which axes the file has


@dataclass(frozen=True, kw_only=True)
class SpzHeader:
    """What the file says of itself."""

    version: int
    count: int
    degree: int
    fractional_bits: int
    flags: int

    def sizes(self) -> dict[str, int]:
        """Bytes of each attribute."""
        place, turn = (6 if self.version == 1 else 9), (3 if self.version < 3 else 4)
        widths = (place, 1, 3, 3, turn, 3 * COEFFICIENTS[self.degree])
        return {name: self.count * width for name, width in zip(NAMES, widths, strict=True)}


@dataclass(frozen=True, kw_only=True)
class SpzStreams:
    """The attributes' bytes, and the extensions by their numbers."""

    header: SpzHeader
    streams: dict[str, bytes]
    extensions: dict[int, bytes]


def unpack(data: bytes, name: str) -> SpzStreams:
    """Raises InputError for anything that is no SPZ of version 1 to 4, before it is unpacked."""
    if data[:2] == b"\x1f\x8b":
        return _from_gzip(data, name)
    if len(data) >= OLD.size and struct.unpack_from("<II", data)[0] == MAGIC:
        version = struct.unpack_from("<II", data)[1]
        return _from_zstd(data, name) if version >= 4 else _from_body(data, name, len(data))
    raise bad_file(name, KIND, "it does not begin as one")


def _header(name: str, packed: int, *values: int) -> SpzHeader:
    version, count, degree, bits, flags = values
    if not 1 <= version <= 4:
        raise bad_file(name, KIND, f"its version is {version}, and 1 to 4 are known")
    if degree > 4 or bits > 31:
        raise bad_file(name, KIND, "its header makes no sense")
    header = SpzHeader(
        version=version, count=count, degree=degree, fractional_bits=bits, flags=flags
    )
    if sum(header.sizes().values()) > may_grow_to(packed):
        raise bad_file(name, KIND, f"it promises {count} splats, more than it can hold")
    return header


def _from_gzip(data: bytes, name: str) -> SpzStreams:
    """Unpacks no more than the header says."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(data, OLD.size)
        if len(body) == OLD.size and struct.unpack_from("<I", body)[0] == MAGIC:
            header = _header(name, len(data), *OLD.unpack(body)[1:6])
            size = sum(header.sizes().values()) + (1 << 16) * (header.flags & EXTENDED > 0)
            body += unpacker.decompress(unpacker.unconsumed_tail, max(size, 1))
    except zlib.error as error:
        raise bad_file(name, KIND, "it is damaged") from error
    return _from_body(body, name, len(data))


def _from_body(body: bytes, name: str, packed: int) -> SpzStreams:
    if len(body) < OLD.size or struct.unpack_from("<I", body)[0] != MAGIC:
        raise bad_file(name, KIND, "it does not begin as one")
    header = _header(name, packed, *OLD.unpack_from(body)[1:6])
    streams, place = {}, OLD.size
    for attribute, size in header.sizes().items():
        streams[attribute] = body[place : place + size]
        place += size
    if place > len(body):
        raise bad_file(name, KIND, "it is cut off")
    extensions = _extensions(body[place:]) if header.flags & EXTENDED else {}
    return SpzStreams(header=header, streams=streams, extensions=extensions)


def _from_zstd(data: bytes, name: str) -> SpzStreams:
    if len(data) < NEW.size:
        raise bad_file(name, KIND, "it is cut off")
    *values, count, table = NEW.unpack_from(data)[1:]
    header = _header(name, len(data), *values)
    sizes = {attribute: size for attribute, size in header.sizes().items() if size}
    place = table + 16 * count
    if count != len(sizes) or table < NEW.size or place > len(data):
        raise bad_file(name, KIND, "its table of contents makes no sense")
    streams = dict.fromkeys(NAMES, b"")
    for number, (attribute, size) in enumerate(sizes.items()):
        packed, unpacked = struct.unpack_from("<QQ", data, table + 16 * number)
        if packed > len(data) - place or unpacked != size:
            raise bad_file(name, KIND, "its table of contents makes no sense")
        streams[attribute] = _zstd_unpacked(data[place : place + packed], size, name)
        place += packed
    extensions = _extensions(data[NEW.size : table]) if header.flags & EXTENDED else {}
    return SpzStreams(header=header, streams=streams, extensions=extensions)


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise SetupError(
            "SPZ of version 4 needs the package zstandard.", "Use SPZ of version 3, or install it."
        ) from error
    return zstandard


def _zstd_unpacked(data: bytes, size: int, name: str) -> bytes:
    zstandard = _zstandard()
    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data) as reader:
            body: bytes = reader.read(size + 1)
    except zstandard.ZstdError as error:
        raise bad_file(name, KIND, "it is damaged") from error
    if len(body) != size:
        raise bad_file(name, KIND, "it is damaged")
    return body


def _extensions(data: bytes) -> dict[int, bytes]:
    """Records of a number, a size and so many bytes."""
    records, place = {}, 0
    while place + 8 <= len(data):
        number, size = struct.unpack_from("<II", data, place)
        records[number] = data[place + 8 : place + 8 + size]
        place += 8 + size
    return records


def pack(packed: SpzStreams) -> bytes:
    """The file's bytes."""
    h = packed.header
    values = (MAGIC, h.version, h.count, h.degree, h.fractional_bits, h.flags)
    if h.version < 4:
        packer = zlib.compressobj(6, wbits=31)
        parts = [packer.compress(OLD.pack(*values, 0))]
        parts += [packer.compress(packed.streams[name]) for name in NAMES]
        return b"".join([*parts, packer.flush()])
    packer = _zstandard().ZstdCompressor(level=12)
    filled = [packed.streams[name] for name in NAMES if packed.streams[name]]
    bodies = [packer.compress(stream) for stream in filled]
    sizes = [(len(body), len(stream)) for body, stream in zip(bodies, filled, strict=True)]
    table = b"".join(struct.pack("<QQ", *pair) for pair in sizes)
    return b"".join([NEW.pack(*values, len(bodies), NEW.size), table, *bodies])
