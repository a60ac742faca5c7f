"""Where the parts of a SOG lie: in a zip file, or beside meta.json. Names that lead elsewhere are
refused, and so is what would grow beyond belief.
"""

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from ...protocol import InputError
from ..json_file import parse_json
from .packing import bad_file, is_plain_name, may_grow_to, read_bytes

KIND = "SOG"
META = "meta.json"
LARGEST_META = 16 << 20  # bytes
# what Python's zip reader raises for damaged archives, names that are no text, and odd compressions
BROKEN: tuple[type[Exception], ...] = (zipfile.BadZipFile, zlib.error, OSError, EOFError)
BROKEN += (ValueError, NotImplementedError, RuntimeError)
Load = Callable[[str], bytes]


def open_parts(path: Path) -> tuple[dict[str, Any], Load]:
    """The description, and what gives the bytes of a part that it names.

    Raises InputError for anything that is no SOG.
    """
    if path.is_dir():
        path = path / META
    if path.suffix.lower() == ".json":
        return _meta(read_bytes(path, KIND), path.name), lambda name: _beside(path, name)
    read_bytes(path, KIND)  # missing and empty files get their sentences
    try:
        with zipfile.ZipFile(path) as archive:
            place = _meta_place(archive, path)
            meta = _meta(_member(archive, place, path, LARGEST_META), path.name)
    except BROKEN as error:
        raise bad_file(path.name, KIND, "it is no zip file, or damaged") from error
    return meta, lambda name: _zipped(path, place, name)


def _meta_place(archive: zipfile.ZipFile, path: Path) -> str:
    """meta.json at the root, or in the only folder that has one."""
    places = [n for n in archive.namelist() if PurePosixPath(n).name == META]
    if META in places:
        return META
    if len(places) != 1:
        raise bad_file(path.name, KIND, f"it holds no {META}")
    return places[0]


def _zipped(path: Path, meta: str, name: str) -> bytes:
    place = str(PurePosixPath(meta).with_name(_plain(name, path)))
    try:
        with zipfile.ZipFile(path) as archive:
            return _member(archive, place, path, may_grow_to(path.stat().st_size))
    except KeyError as error:
        raise bad_file(path.name, KIND, f"{name} is missing in it") from error
    except BROKEN as error:
        raise bad_file(path.name, KIND, f"{name} in it is damaged") from error


def _member(archive: zipfile.ZipFile, place: str, path: Path, most: int) -> bytes:
    """Of a bundle; no more of it is unpacked than `most` bytes, whatever it says of itself."""
    with archive.open(place) as part:
        data = part.read(most + 1)
    if len(data) > most:
        raise bad_file(
            path.name, KIND, f"{PurePosixPath(place).name} in it is larger than it may be"
        )
    return data


def _beside(path: Path, name: str) -> bytes:
    part = path.with_name(_plain(name, path))
    if not part.is_file():
        raise InputError(
            f"{part.name} is missing beside {path.name}.", "Copy the whole folder, not the file."
        )
    return read_bytes(part, KIND)


def _plain(name: object, path: Path) -> str:
    """A file's name without a folder, or an error."""
    if not is_plain_name(name):
        raise bad_file(path.name, KIND, f"it names a part {str(name)[:40]!a}, which it may not")
    return str(name)


def _meta(data: bytes, name: str) -> dict[str, Any]:
    try:
        meta = parse_json(data, name)
    except InputError as error:
        raise bad_file(name, KIND, f"{META} is not JSON") from error
    if not isinstance(meta, dict) or not isinstance(meta.get("means"), dict):
        raise bad_file(name, KIND, f"{META} describes no splats")
    return meta


def write_parts(path: Path, parts: dict[str, bytes]) -> None:
    """A bundle, or where `path` is a meta.json, the files beside it."""
    if path.suffix.lower() == ".json":
        _write_beside(path, parts)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def _write_beside(path: Path, parts: dict[str, bytes]) -> None:
    """All are written before any takes its place; the parts of a SOG that was there before go."""
    former = parts_beside(path.with_name(META))
    places = {(path if name == META else path.with_name(name)): d for name, d in parts.items()}
    waiting = {place: place.with_name(f".{place.name}.waiting") for place in places}
    try:
        for place, data in places.items():
            waiting[place].write_bytes(data)
        for place, part in waiting.items():
            part.replace(place)
    finally:
        for part in waiting.values():
            part.unlink(missing_ok=True)
    for old in former - set(places):
        old.unlink(missing_ok=True)


def parts_beside(meta: Path) -> set[Path]:
    """Pictures that a SOG's meta.json names, beside it; none where it is no such file."""
    try:
        told = _meta(read_bytes(meta, KIND), meta.name) if meta.is_file() else {}
    except InputError:
        return set()
    sections = [section for section in told.values() if isinstance(section, dict)]
    names = [n for s in sections for n in s.get("files", ()) if isinstance(s.get("files"), list)]
    plain = [n for n in names if isinstance(n, str) and n.endswith(".webp") and n[0] != "."]
    return {meta.with_name(name) for name in plain if not set(name) & set("/\\:\0")}
