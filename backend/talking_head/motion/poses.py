"""Poses and coefficients of every frame of the footage, for what is drawn upon it: poses.npz."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...formats.npz_file import NUMBERS, TEXT, WHOLE, Array, read_npz
from ...geometry.arrays import Floats
from ...protocol import InputError
from ..fitting.head_motion import HeadMotion

NAME = "poses.npz"
LARGEST = 65_536  # pixels a side
WANTED = {
    "size": Array(WHOLE, (2,)),
    "source": Array(TEXT),
    "names": Array(TEXT, ("K",)),
    "times": Array(NUMBERS, ("T",)),
    "coefficients": Array(NUMBERS, ("T", "K")),
    "rotations": Array("f", ("T", 3, 3)),
    "translations": Array("f", ("T", 3)),
    "focal": Array(NUMBERS),
}


@dataclass(frozen=True, kw_only=True)
class Poses:
    """T frames; as in HeadMotion."""

    source: Path
    names: list[str]
    times: NDArray[np.float64]
    coefficients: Floats
    rotations: NDArray[np.float64]
    translations: NDArray[np.float64]
    focal: float
    size: tuple[int, int]  # width and height of the pictures


def save(path: Path, motion: HeadMotion, source: Path) -> None:
    """Writes the poses of a filmed head as .npz."""
    np.savez_compressed(
        path,
        names=np.array(motion.names),
        times=motion.times,
        coefficients=motion.coefficients,
        rotations=motion.rotations,
        translations=motion.translations,
        focal=motion.focal,
        size=np.array([motion.width, motion.height]),
        source=str(source.resolve()),
    )


def load(path: Path) -> Poses:
    """InputError for anything that `save` has not written."""
    data = read_npz(path, WANTED, "a file of poses", "Read the face again.")
    width, height = (int(n) for n in data["size"])
    poses = Poses(
        source=Path(str(data["source"])),
        names=[str(n) for n in data["names"]],
        times=data["times"].astype(np.float64),
        coefficients=data["coefficients"].astype(np.float32),
        rotations=data["rotations"].astype(np.float64),
        translations=data["translations"].astype(np.float64),
        focal=float(data["focal"]),
        size=(width, height),
    )
    finite = all(
        np.isfinite(values).all()
        for values in (poses.times, poses.coefficients, poses.rotations, poses.translations)
    )
    sound = 0 < min(poses.size) <= max(poses.size) <= LARGEST and 0 < poses.focal < 1e9
    if not len(poses.times) or not finite or not sound:
        raise InputError(f"The poses in {path.parent.name} are damaged.", "Read the face again.")
    return poses
