"""Keys of facial motion: a numpy archive that Blender's side reads. numpy alone."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError
from .npz_file import NUMBERS, TEXT, WHOLE, Array, read_npz

NAME = "motion.npz"
LAYERS = ("speech", "expression", "blink", "gaze", "head")
HEAD = (
    "headPitch",
    "headYaw",
    "headRoll",
)  # radians; up, to the person's left, towards the person's left shoulder
MOST = 5_000_000  # keys
LONGEST = 1e8  # frames
WANTED = {
    "fps": Array(NUMBERS),
    "length": Array(NUMBERS),
    "source": Array(TEXT),
    "names": Array(TEXT, ("C",)),
    "layers": Array(TEXT, ("C",)),
    "counts": Array(WHOLE, ("C",)),
    "frames": Array(NUMBERS, ("N",)),
    "values": Array(NUMBERS, ("N",)),
}


@dataclass(frozen=True)
class Curve:
    """One coefficient over time. Frames count from 0 where the sound begins, at the file's rate,
    and may lie between whole ones.
    """

    name: str  # ARKit's, or one of HEAD
    layer: str
    frames: NDArray[np.float32]  # (N,) rising
    values: NDArray[np.float32]  # (N,)


@dataclass(frozen=True)
class Motion:
    """Everything that moves a face."""

    fps: float
    length: float  # frames
    curves: list[Curve]
    source: str = ""  # the sound's file


def write(path: Path, motion: Motion) -> None:
    """Writes a motion as .npz."""
    keys = [c.frames for c in motion.curves], [c.values for c in motion.curves]
    frames, values = (np.concatenate(rows) if rows else np.zeros(0, np.float32) for rows in keys)
    np.savez_compressed(
        path,
        fps=motion.fps,
        length=motion.length,
        source=motion.source,
        names=np.array([c.name for c in motion.curves], str),
        layers=np.array([c.layer for c in motion.curves], str),
        counts=np.array([len(c.frames) for c in motion.curves], np.int64),
        frames=frames,
        values=values,
        note="Synthetic: this motion was computed by Splatsmith.",
    )


def read(path: Path) -> Motion:
    """InputError for anything that is not a whole motion."""
    data = read_npz(path, WANTED, "a motion of a face", "Run Speech or Face again.")
    names, layers = [str(n) for n in data["names"]], [str(n) for n in data["layers"]]
    frames, values = data["frames"].astype(np.float32), data["values"].astype(np.float32)
    counts, source = data["counts"].tolist(), str(data["source"])
    fps, length = float(data["fps"]), float(data["length"])
    whole = sum(counts) == len(frames) <= MOST and min(counts, default=1) > 0
    if (
        not whole
        or not np.isfinite(frames).all()
        or not np.isfinite(values).all()
        or not 0 < fps < 1e6
        or not abs(length) <= LONGEST
    ):
        raise InputError(
            f"{path.name} is damaged: its keys do not fit together.", "Run Speech or Face again."
        )
    cuts = np.cumsum(counts)[:-1]
    rows = zip(names, layers, np.split(frames, cuts), np.split(values, cuts), strict=True)
    return Motion(fps, length, [Curve(*row) for row in rows] if names else [], source)
