"""Hostile files made by code: every kind of file that is read, empty, cut off, spoiled at its head,
another kind under its name, pipes, devices, links; and what was made to blow up readers.
"""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import hostile_bombs
from .hostile_seeds import SEEDS, Seed

PIPE, SOCKET = "a pipe", "a socket"


@dataclass(frozen=True)
class HostileInput:
    """One input: what is wrong with it, how it is put in place of a good one, and its reader."""

    seed: Seed
    wrong: str
    spoil: Callable[[Path], object]

    @property
    def name(self) -> str:
        return f"{self.seed.name}: {self.wrong}"

    def place(self, folder: Path, good: Path) -> Path:
        """Makes the folder anew with it; its path. `good` is a folder where good files are kept."""
        kept, path = good / self.seed.name, folder / self.seed.name
        if not kept.exists():
            kept.mkdir(parents=True)
            self.seed.write(kept / self.seed.name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder)
        self.spoil(path)
        return path


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(change(path.read_bytes()))


def _flipped(seed: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        random, changed = np.random.default_rng(seed), bytearray(data)
        for place in random.integers(0, max(min(len(data), 256), 1), 1 + seed % 4):
            changed[place] ^= 1 << int(random.integers(8))
        return bytes(changed)

    return change


def _large(at: int) -> Callable[[bytes], bytes]:
    """Eight bytes of the largest number, where counts may stand."""
    return lambda data: data[:at] + b"\xff" * 7 + b"\x7f" + data[at + 8 :]


def _instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(path.parent)  # such names may be 100 bytes long
        listener.bind(path.name)
        os.chdir(here)


OTHERS = {
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch x) (w) file\n",
    "a playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n",
    "a web page": b"<!DOCTYPE html><html><body>404</body></html>\n",
    "a program": b"\x7fELF\2\1\1" + b"\0" * 200,
    "an archive": b"PK\3\4" + b"\0" * 100,
    "a pickle": b"cos\nsystem\n(S'touch hacked'\ntR.",
    "noise": np.random.default_rng(7).bytes(5000),
    "zeros": b"\0" * 5000,
    "one long line": b"9" * 3_000_000,
    "brackets": b"[" * 200_000,
}
SPOILS: dict[str, Callable[[Path], object]] = {
    "empty": _bytes(lambda data: b""),
    "one byte": _bytes(lambda data: data[:1]),
    **{
        f"cut at {share:.0%}": _bytes(lambda data, s=share: data[: int(len(data) * s)])  # type: ignore[misc]
        for share in (0.02, 0.25, 0.5, 0.75, 0.95)
    },
    "without its last byte": _bytes(lambda data: data[:-1]),
    **{f"bits turned {n}": _bytes(_flipped(n)) for n in range(6)},
    **{f"a huge number at {at}": _bytes(_large(at)) for at in (0, 4, 8, 16, 24)},
    "twice": _bytes(lambda data: data * 2),
    **{f"it is {what}": _bytes(lambda _, d=data: d) for what, data in OTHERS.items()},  # type: ignore[misc]
    "a folder": _instead(Path.mkdir),
    PIPE: _instead(os.mkfifo),
    SOCKET: _instead(_socket),
    "an endless device": _instead(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": _instead(lambda path: path.symlink_to(path.name)),
    "a link to nothing": _instead(lambda path: path.symlink_to("nowhere")),
    "missing": _instead(lambda path: None),
    "4 TB of nothing": _instead(lambda path: os.truncate(_touched(path), 1 << 42)),
    "no permission": lambda path: path.chmod(0),
}  # fmt: skip


def _touched(path: Path) -> Path:
    path.touch()
    return path


def corpus() -> Iterator[HostileInput]:
    """All of them, in an order that stays."""
    for seed in SEEDS:
        for wrong, spoil in SPOILS.items():
            yield HostileInput(seed, wrong, spoil)
    by_name = {seed.name: seed for seed in SEEDS}
    for name, wrong, spoil in hostile_bombs.BOMBS:
        yield HostileInput(by_name[name], wrong, spoil)
