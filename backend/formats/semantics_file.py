"""What a segmentation knows of its splats beyond the PLY: semantics.npz, numpy only. The objects'
own list is objects.json.
"""

import colorsys
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError
from .npz_file import TEXT, Array, read_npz

NAME, OBJECTS, LABEL = "semantics.npz", "objects.json", "object_id"
WANTED = {
    "objects": Array("u", ("N", 3)),
    "shares": Array("u", ("N", 3)),
    "features": Array("f", ("K", "D")),
    "mean": Array("f", ("D",)),
    "model": Array(TEXT),
    "tree_pairs": Array("iu", ("M", 2), optional=True),
    "tree_rates": Array("f", ("M",), optional=True),
}
NOTHING = int(np.iinfo(np.uint16).max)  # the label of what is of no object


@dataclass(frozen=True, kw_only=True)
class Semantics:
    """Of N Gaussians and K objects. D is 0 where no teacher was asked."""

    objects: NDArray[
        np.uint16
    ]  # (N, 3) the objects that a Gaussian shows, the largest share first; NOTHING: fewer
    shares: NDArray[np.uint8]  # (N, 3) of 255
    features: NDArray[np.float32]  # (K, D) of the objects
    mean: NDArray[np.float32]  # (D,) of all that was seen: what pictures share and words lack
    model: str = ""  # the teacher's
    # M merges of objects into wholes, the surest first, where they are known: nodes 0 … K - 1 are
    # the objects, K + m what merge m makes; and how sure each is
    tree_pairs: NDArray[np.int32] | None = None  # (M, 2)
    tree_rates: NDArray[np.float32] | None = None  # (M,)


def distinct_color(number: int) -> tuple[float, float, float]:
    """Colours (0..1) of which no two that follow each other look alike: hues by the golden
    ratio.
    """
    return colorsys.hsv_to_rgb(
        number * 0.618034 % 1, 0.55 + 0.35 * (number % 2), 0.95 - 0.2 * (number // 2 % 2)
    )


def safe_name(number: int, name: str) -> str:
    """003-Lamp: in order, of letters that every system takes."""
    safe = re.sub(r"[^\w-]+", "-", name).strip("-")[:60]
    return f"{number:03d}-{safe}" if safe else f"{number:03d}"


def write(path: Path, semantics: Semantics) -> None:
    """Writes what is known of the objects as .npz."""
    tree = {
        name: values
        for name in ("tree_pairs", "tree_rates")
        if (values := getattr(semantics, name)) is not None
    }
    np.savez_compressed(
        path,
        objects=semantics.objects,
        shares=semantics.shares,
        features=semantics.features.astype(np.float16),
        mean=semantics.mean,
        model=np.array(semantics.model),
        **tree,
    )


def read(path: Path) -> Semantics:
    """InputError for anything that is not such a file."""
    data = read_npz(path, WANTED, "a list of objects", "Run Segment again.")
    semantics = Semantics(
        objects=data["objects"],
        shares=data["shares"],
        features=data["features"].astype(np.float32),
        mean=data["mean"],
        model=str(data["model"]),
        tree_pairs=data["tree_pairs"].astype(np.int32) if "tree_pairs" in data else None,
        tree_rates=data["tree_rates"].astype(np.float32) if "tree_rates" in data else None,
    )
    if not _is_whole(semantics):
        raise InputError(f"{path.name} holds no objects, or damaged ones.", "Run Segment again.")
    return semantics


def _is_whole(semantics: Semantics) -> bool:
    """Kinds as above, finite, and no object named that is not held."""
    objects, features = semantics.objects, semantics.features
    if objects.dtype != np.uint16 or semantics.shares.dtype != np.uint8 or not len(features):
        return False
    if semantics.mean.dtype != np.float32 or not np.isfinite(semantics.mean).all():
        return False
    if not np.isfinite(features).all():
        return False
    return bool(((objects < len(features)) | (objects == NOTHING)).all()) and _has_tree(semantics)


def _has_tree(semantics: Semantics) -> bool:
    """Whole, or not there: every merge names two nodes that were there before it."""
    pairs, rates = semantics.tree_pairs, semantics.tree_rates
    if pairs is None or rates is None:
        return pairs is None and rates is None
    before = len(semantics.features) + np.arange(len(pairs))[:, None]
    return bool(((pairs >= 0) & (pairs < before)).all() and np.isfinite(rates).all())
