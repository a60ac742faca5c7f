"""What a segmentation knows of its splats beyond the PLY: semantics.npz, numpy only. The objects' own list is objects.json."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError

NAME, OBJECTS, LABEL = "semantics.npz", "objects.json", "object_id"
NOTHING = int(np.iinfo(np.uint16).max)  # the label of what is of no object


@dataclass(frozen=True)
class Semantics:
    """Of N Gaussians and K objects. D is 0 where no teacher was asked."""

    objects: NDArray[np.uint16]  # (N, 3) the objects that a Gaussian shows, the largest share first; NOTHING: fewer
    shares: NDArray[np.uint8]  # (N, 3) of 255
    features: NDArray[np.float32]  # (K, D) of the objects
    mean: NDArray[np.float32]  # (D,) of all that was seen: what pictures share and words lack
    model: str = ""  # the teacher's


def write(path: Path, semantics: Semantics) -> None:
    np.savez_compressed(
        path, objects=semantics.objects, shares=semantics.shares, features=semantics.features.astype(np.float16),
        mean=semantics.mean, model=np.array(semantics.model),
    )  # fmt: skip


def read(path: Path) -> Semantics:
    """InputError for anything that is not such a file."""
    try:
        with np.load(path, allow_pickle=False) as data:
            found = Semantics(
                data["objects"], data["shares"], data["features"].astype(np.float32), data["mean"].astype(np.float32), str(data["model"])
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path.name} holds no objects.", "Run Segment again.") from error
    rows, known = found.objects.shape, found.objects[found.objects != NOTHING] if found.objects.ndim == 2 else np.zeros(0)
    whole = found.objects.ndim == 2 and found.shares.shape == rows and found.features.ndim == 2
    if not whole or found.mean.shape != found.features.shape[1:] or not np.isfinite(found.features).all():
        raise InputError(f"{path.name} holds no objects.", "Run Segment again.")
    if known.size and int(known.max()) >= len(found.features):
        raise InputError(f"{path.name} names objects that it does not hold.", "Run Segment again.")
    return found
