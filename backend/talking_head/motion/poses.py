"""Poses and coefficients of every frame of the footage, for what is drawn upon it: poses.npz."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...protocol import InputError
from ..fitting.head_motion import HeadMotion

NAME = "poses.npz"


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
    try:
        with np.load(path, allow_pickle=False) as d:
            width, height = (int(n) for n in d["size"])
            poses = Poses(
                source=Path(str(d["source"])),
                names=[str(n) for n in d["names"]],
                times=d["times"],
                coefficients=d["coefficients"].astype(np.float32),
                rotations=d["rotations"],
                translations=d["translations"],
                focal=float(d["focal"]),
                size=(width, height),
            )
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"There are no poses in {path.parent.name}, or they are damaged.",
            "Read the face again.",
        ) from error
    count = len(poses.times)
    if (
        not count
        or poses.rotations.shape != (count, 3, 3)
        or poses.coefficients.shape != (count, len(poses.names))
    ):
        raise InputError(f"The poses in {path.parent.name} are damaged.", "Read the face again.")
    return poses
