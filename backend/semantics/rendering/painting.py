"""What splats are painted with: their own colours, their objects', or how well words fit."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...formats import semantics_file
from ...formats.json_file import read_json
from ...formats.semantics_file import distinct_color
from ...formats.splat_ply import SplatArrays
from ...gaussians.model import Gaussians
from ...gaussians.options import RasterOptions
from ...geometry.arrays import Floats, Ints32
from ...geometry.heat_colors import heat
from ...geometry.spherical_harmonics import SH_C0
from ...protocol import InputError

NO_OBJECT = (0.2, 0.2, 0.2)
STEPS = 1024  # of the ramp
HOT, OWN = 0.75, 0.25  # shares of the heat and of the splats' own lightness
LIGHTNESS = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class SplatPaint:
    """Colours of N splats as a rasteriser takes them."""

    colors: Tensor  # (N, 3), or harmonics (N, K, 3)
    sh_degree: int | None
    is_heat: bool = False  # colors are (fit, lightness, 0), and become colours when they are drawn

    def options(self, raster: RasterOptions) -> RasterOptions:
        """How they are blended: numbers are no light."""
        return replace(raster, blend="srgb") if self.is_heat else raster

    def finished(self, image: Tensor) -> Tensor:
        """(H, W, 3) in 0..1 of what was drawn (H, W, 3), straight."""
        return _hot(image) if self.is_heat else image


def own_colors(model: Gaussians) -> SplatPaint:
    """As they were trained."""
    return SplatPaint(model.sh(model.sh_degree), model.sh_degree)


def object_colors(labels: Ints32, colors: Floats, device: torch.device) -> SplatPaint:
    """Each in the colour (K, 3) of its object; of none, grey."""
    table = np.concatenate([colors, [NO_OBJECT]]).astype(np.float32)
    known = (labels >= 0) & (labels < len(colors))
    chosen = table[np.where(known, labels, len(colors))]
    return SplatPaint(torch.from_numpy(chosen).to(device), None)


def heat_of(fits: Floats, arrays: SplatArrays, device: torch.device) -> SplatPaint:
    """How well each fits (N,), 0..1, over its own lightness. The fit is blended, not its colour:
    between red and blue lies no purple.
    """
    rgb = (0.5 + SH_C0 * arrays.sh[:, 0]).clip(0, 1)
    light = rgb @ np.array(LIGHTNESS, np.float32)
    colors = np.stack([fits.clip(0, 1), light, np.zeros_like(light)], 1).astype(np.float32)
    return SplatPaint(torch.from_numpy(colors).to(device), None, is_heat=True)


def _hot(image: Tensor) -> Tensor:
    """(H, W, 3) of (fit, lightness, 0) by pixel."""
    flat = image.view(-1, 3)
    steps = (flat[:, 0] * (STEPS - 1)).to(torch.int32)
    hot = _ramp(image.device).index_select(0, steps)
    return hot.add_(flat[:, 1:2], alpha=OWN).view(image.shape)


@functools.cache
def _ramp(device: torch.device) -> Tensor:
    """(STEPS, 3) the heat's share of the colours."""
    return torch.from_numpy(HOT * heat(np.linspace(0, 1, STEPS))).float().to(device)


def listed_colors(path: Path, count: int) -> Floats:
    """(K, 3) of the objects, from objects.json where that is there."""
    colors = np.array([distinct_color(n) for n in range(count)], np.float32).reshape(-1, 3)
    for record in read_json(path) if path.is_file() else []:
        try:
            colors[int(record["id"])] = [float(c) for c in record["color"][:3]]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"{path.name} is no list of objects.", "Run Segment again.") from error
    return colors


def property_of(arrays: SplatArrays, name: str) -> Floats:
    """(N,) a number that the file holds by splat."""
    if name not in arrays.extra:
        there = ", ".join(sorted(arrays.extra)) or "none"
        raise InputError(f"The splats have no property {name!r}.", f"There are: {there}.")
    return arrays.extra[name].astype(np.float32)


def require_labels(arrays: SplatArrays) -> None:
    """InputError where the splats have no objects."""
    if semantics_file.LABEL not in arrays.extra:
        raise InputError(
            "The splats have no objects.", "Give the folder that Segment left, or its splats.ply."
        )
