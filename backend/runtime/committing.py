"""How a result comes to its place: whole, and nothing of the run before it left beside it.

A power cut or a kill may come anywhere in this order: the staged files are flushed to disk; the
manifest is written beside the job (`committing.json`); what gives way moves to `replaced/`; the
new files move in; folders are flushed; the manifest is renamed into its place. Until that rename
`undo` brings the former result back, after it `finish` clears up. Everything but the manifest's
writing is renaming, which a full disk does not stop.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import atomic

MANIFEST = "manifest.json"
JOURNAL = "committing.json"
REPLACED = "replaced"


@dataclass(frozen=True)
class CommitPlaces:
    """Of one job: its own folder, where its files wait, where its result goes."""

    root: Path
    staging: Path
    output: Path

    @property
    def journal(self) -> Path:
        """The manifest that is about to be."""
        return self.root / JOURNAL

    @property
    def replaced(self) -> Path:
        """What gave way, until the result is there."""
        return self.root / REPLACED

    @property
    def manifest(self) -> Path:
        """With it there is a result."""
        return self.output / MANIFEST


def read_record(path: Path) -> dict[str, Any]:
    """A manifest; an empty record where there is none, or none that can be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def listing(folder: Path) -> dict[str, int]:
    """Every file below a folder and its size in bytes, by names with slashes."""
    sizes = {}
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for path in (Path(place, name) for name in (*names, *links)):
            sizes[path.relative_to(folder).as_posix()] = path.lstat().st_size
    return dict(sorted(sizes.items()))


def files_of(record: Mapping[str, Any]) -> dict[str, int]:
    """What the run of this manifest left: names that stay inside its folder, and sizes in bytes."""
    files = record.get("files")
    if not isinstance(files, dict):
        return {}
    return {
        name: size
        for name, size in files.items()
        if type(size) is int and not {"", ".", ".."} & set(name.split("/")) and name != MANIFEST
        and not set(name) & set("\\:\0")
    }  # fmt: skip


def commit(places: CommitPlaces, manifest: dict[str, Any], stale: Iterable[str]) -> list[str]:
    """Moves the staged files to the output, and takes away what is `stale` there. Raises OSError
    with the former result back in place.

    Returns the names under which files of someone else's, that lay where new ones go, were kept.
    """
    atomic.sync_tree(places.staging)
    files = listing(places.staging)
    atomic.write_json(places.journal, {**manifest, "files": files})
    try:
        _move(places, files, stale)
        os.replace(places.journal, places.manifest)
        atomic.sync_folder(places.output)
    except OSError:
        undo(places)
        raise
    return finish(places)


def _move(places: CommitPlaces, files: Iterable[str], stale: Iterable[str]) -> None:
    places.output.mkdir(exist_ok=True)
    atomic.sync_folder(places.output.parent)
    for name in dict.fromkeys((MANIFEST, *stale, *files)):
        _give_way(places, name)
    changed = {places.output}
    for place, folders, names in os.walk(places.staging):
        inside = places.output / Path(place).relative_to(places.staging)
        for name in folders:
            (inside / name).mkdir(exist_ok=True)
        for name in names:
            os.replace(Path(place, name), inside / name)
        changed.add(inside)
    for folder in sorted(changed, reverse=True):
        atomic.sync_folder(folder)


def _give_way(places: CommitPlaces, name: str) -> None:
    """Whatever lies at a name, and a file where one of its folders must be."""
    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        inner = "/".join(parts[:depth])
        path, target = places.output / inner, places.replaced / inner
        is_folder = path.is_dir() and not path.is_symlink()
        if (is_folder and depth < len(parts)) or not os.path.lexists(path):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)


def undo(places: CommitPlaces) -> None:
    """Brings the former result back where a commit was broken off; else does nothing."""
    if not places.journal.is_file():
        return
    files = files_of(read_record(places.journal))
    for name in files:
        # what no longer waits was moved: the journal is written when all of it waits
        if os.path.lexists(places.output / name) and not os.path.lexists(places.staging / name):
            (places.staging / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(places.output / name, places.staging / name)
    _clear_empty(places.output, files)
    for name in listing(places.replaced):
        (places.output / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(places.replaced / name, places.output / name)
    shutil.rmtree(places.replaced, ignore_errors=True)
    if places.output.is_dir():
        atomic.sync_tree(places.output)
    places.journal.unlink()


def _clear_empty(output: Path, names: Iterable[str]) -> None:
    """Folders of these files that hold nothing more, the inner ones first."""
    folders = {parent for name in names for parent in Path(name).parents} - {Path(".")}
    for folder in sorted(folders, key=lambda f: len(f.parts), reverse=True):
        with contextlib.suppress(OSError):
            (output / folder).rmdir()


def finish(places: CommitPlaces) -> list[str]:
    """Clears up after the manifest is in its place; the names under which files were kept that were
    in the way and not what a run of ours had left there.
    """
    kept, gone = [], listing(places.replaced)
    former = read_record(places.replaced / MANIFEST)
    own = files_of(former)
    is_old = bool(former) and "files" not in former  # by a version that kept no list
    for name, size in gone.items():
        if name == MANIFEST or is_old or own.get(name) == size:
            continue
        free = _free_name(places.output / name)
        free.parent.mkdir(parents=True, exist_ok=True)
        os.replace(places.replaced / name, free)
        kept.append(free.relative_to(places.output).as_posix())
    shutil.rmtree(places.replaced, ignore_errors=True)
    _clear_empty(places.output, gone)
    return kept


def _free_name(path: Path) -> Path:
    number, free = 1, path
    while os.path.lexists(free):
        free = path.with_name(
            f"{path.stem} (kept{f' {number}' if number > 1 else ''}){path.suffix}"
        )
        number += 1
    return free
