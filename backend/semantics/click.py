"""Which splats are meant by a click into a view of them: a network's mask of what is there, and the
splats that make it up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ..formats import semantics_file
from ..formats.splat_ply import SplatArrays
from ..gaussians.model import from_arrays
from ..gaussians.options import Drawables, RasterView
from ..gaussians.region_weights import region_weights
from ..geometry.arrays import Flags, Floats, Ints32
from ..geometry.spherical_harmonics import SH_C0
from .regions.view_regions import main_regions


@dataclass(frozen=True, kw_only=True)
class ClickConfig:
    """How what is seen of a thing is completed."""

    whole: float = 0.5  # of an object's weight in the view, from which all of it is meant
    # of the extent of what is seen of a thing: how far from it what it hides may still be its own
    reach: float = 0.5


@dataclass(frozen=True)
class ClickScene:
    """Splats that are clicked at."""

    gaussians: Drawables
    objects: Ints32 | None  # (N,) where they have been found, -1: none

    @property
    def means(self) -> Floats:
        """(N, 3)"""
        return np.asarray(self.gaussians.means.cpu().numpy(), np.float32)


def scene_of(arrays: SplatArrays, device: str) -> ClickScene:
    """Splats of a file, in the colours that they have from nowhere in particular."""
    model = from_arrays(arrays, device)
    rgb = (0.5 + SH_C0 * arrays.sh[:, 0]).clip(0, 1).astype(np.float32)
    objects = arrays.extra.get(semantics_file.LABEL)
    return ClickScene(
        Drawables(
            means=model.means,
            quats=model.quats,
            scales=model.scales,
            opacities=model.opacities,
            colors=torch.tensor(rgb, device=device),
        ),
        None if objects is None else _numbers(objects),
    )


def _numbers(labels: NDArray[Any]) -> Ints32:
    """(N,) -1: none, as files have it and as Blender does."""
    numbers = labels.astype(np.int64).ravel()
    is_object = (numbers >= 0) & (numbers < semantics_file.NOTHING)
    return np.where(is_object, numbers, -1).astype(np.int32)


def meant(
    scene: ClickScene, view: RasterView, mask: Flags, config: ClickConfig = ClickConfig()
) -> Flags:
    """(N,) the splats that a mask (H, W) of the view means: those that lie in it, objects that
    mostly do, and what these hide of themselves.
    """
    weights = region_weights(scene.gaussians, view, np.where(mask, 0, 1).astype(np.int32), 2)
    region = main_regions(weights)
    chosen = region == 0
    if not chosen.any():
        return np.asarray(chosen)
    if scene.objects is not None:
        inside, total = weights[:, [0]].toarray()[:, 0], np.asarray(weights.sum(1)).ravel()
        known = scene.objects >= 0
        count = int(scene.objects.max(initial=-1)) + 1
        sums = [np.bincount(scene.objects[known], w[known], count) for w in (inside, total)]
        whole = np.flatnonzero((sums[0] > config.whole * sums[1]) & (sums[1] > 0))
        belongs = np.isin(scene.objects, whole)
        return np.asarray(belongs | (chosen & ~known) if len(whole) else chosen)
    return np.asarray(chosen | _hidden(scene.means, region, view, config))


def _hidden(means: Floats, region: Ints32, view: RasterView, config: ClickConfig) -> Flags:
    """(N,) what the view does not see although it looks there, and what is nearer to the seen part
    of the thing than to anything else that is seen, and not far from it.
    """
    seen = region >= 0
    part = means[region == 0]
    extent = float(np.linalg.norm(part.std(0)) * 2)
    places = means @ view.viewmat[:3, :3].cpu().numpy().T + view.viewmat[:3, 3].cpu().numpy()
    pixels = places @ view.K.cpu().numpy().T
    depth = np.where(pixels[:, 2] > 0, pixels[:, 2], np.inf)[:, None]
    inside = (pixels[:, :2] / depth >= 0) & (pixels[:, :2] / depth < (view.width, view.height))
    asked = np.flatnonzero(~seen & inside.all(1) & (pixels[:, 2] > 0))
    hidden = np.zeros(len(means), bool)
    if len(asked) and extent > 0:
        distance, nearest = KDTree(means[seen]).query(means[asked])
        own = region[seen][nearest] == 0
        hidden[asked[own & (distance <= config.reach * extent)]] = True
    return hidden
