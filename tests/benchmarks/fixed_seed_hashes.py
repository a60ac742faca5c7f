"""Hashes of what a job leaves: of what it computed, not of when, where or with which versions."""

import fnmatch
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

# Not computed, by their place in manifest.json.
# sizes of files: of those that tell of places, longer and shorter ones
UNSTABLE = ("versions", "timings", "settings.device", "files")
# Not computed, wherever it stands in JSON: the time that each point of a training's curve took.
SECONDS = re.compile(r'("cpu_seconds": ?)[0-9.]+')
# file: why its hash is not compared. Printed with every table.
EXCLUDED: dict[str, str] = {
    "*/.job/*": "the job's own log, lock and state, with times and process numbers",
}
TEXTS = (".json", ".csv", ".txt")


def why_excluded(name: str) -> str | None:
    """The reason for which RUN/FILE is not compared, if it is not."""
    found = (why for pattern, why in EXCLUDED.items() if fnmatch.fnmatch(name, pattern))
    return next(found, None)


def of_folder(folder: Path, places: dict[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """sha256 by file under `folder`, and the manifest's entries as they are, to show what differs.

    `places` are folders that may lie elsewhere next time, and what stands for them in texts.
    """
    hashes: dict[str, str] = {}
    entries: dict[str, Any] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if why_excluded(f"{folder.name}/{name}"):
            continue
        if name != "manifest.json":
            hashes[name] = of_file(path, places)
            continue
        for key, value in manifest_entries(path, places).items():
            entries[f"{name}: {key}"] = value
            hashes[f"{name}: {key}"] = of_value(value)
    return hashes, entries


def of_file(path: Path, places: dict[str, str]) -> str:
    """sha256 of the content: arrays by name (a zip tells the time), tensors with their header in
    order (safetensors writes its metadata in any), all else byte for byte.
    """
    if path.suffix == ".npz":
        return of_arrays(path)
    if path.suffix == ".safetensors":
        return of_tensors(path)
    data = path.read_bytes()
    if path.suffix in TEXTS:
        data = _without(data.decode(), places).encode()
    return hashlib.sha256(data).hexdigest()


def of_arrays(path: Path) -> str:
    """Over names, types, shapes and bytes."""
    total = hashlib.sha256()
    with np.load(path, allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            array = arrays[name]
            total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def of_tensors(path: Path) -> str:
    """Over the header, sorted, and the bytes of the tensors; a file that is none is hashed
    whole.
    """
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    if end > len(data):
        return hashlib.sha256(data).hexdigest()
    header = json.dumps(json.loads(data[8:end]), sort_keys=True)
    return hashlib.sha256(header.encode() + data[end:]).hexdigest()


def of_value(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def manifest_entries(path: Path, places: dict[str, str]) -> dict[str, Any]:
    """The manifest's entries without UNSTABLE ones."""
    manifest = json.loads(_without(path.read_text(encoding="utf-8"), places))
    kept: dict[str, Any] = {k: v for k, v in manifest.items() if k not in UNSTABLE}
    for outer, inner in (name.split(".") for name in UNSTABLE if "." in name):
        kept[outer] = {k: v for k, v in kept[outer].items() if k != inner}
    return kept


def changes(old: Any, new: Any) -> str:
    """What differs between two of a manifest's entries."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return f"{json.dumps(old)[:200]} -> {json.dumps(new)[:200]}"
    names = [k for k in old | new if old.get(k) != new.get(k)]
    return "; ".join(f"{k}: {changes(old.get(k), new.get(k))}" for k in names)


def _without(text: str, places: dict[str, str]) -> str:
    for place, word in places.items():
        text = text.replace(place, word)
    return SECONDS.sub(r"\g<1>0", text)
