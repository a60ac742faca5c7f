"""sRGB and linear light, differentiably; and splats that are blended in linear light, as Blender
does, on rasterisers that know nothing of it.
"""

import torch
from torch import Tensor

from ..geometry.spherical_harmonics import sh_to_rgb


def srgb_to_linear(values: Tensor) -> Tensor:
    """Any shape, at or above 0; the exact curve (IEC 61966-2-1)."""
    bright = ((values.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(values <= 0.04045, values / 12.92, bright)


def linear_to_srgb(values: Tensor) -> Tensor:
    """The inverse."""
    bright = 1.055 * values.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(values <= 0.0031308, values * 12.92, bright)


def seen_colors(means: Tensor, sh: Tensor, viewmat: Tensor, sh_degree: int) -> Tensor:
    """(N, 3), not below 0: coefficients (N, K, 3) as `viewmat` (4, 4) sees them."""
    eye = -viewmat[:3, :3].T @ viewmat[:3, 3]
    return sh_to_rgb(sh_degree, torch.nn.functional.normalize(means - eye, dim=1), sh)


def linear_colors(means: Tensor, colors: Tensor, viewmat: Tensor, sh_degree: int | None) -> Tensor:
    """(N, D) of sRGB colours (N, D), or of SH coefficients (N, K, 3) as `viewmat` (4, 4) sees them;
    each splat's own colour goes to linear light, as Blender's renderers do it.
    """
    if sh_degree is not None:
        colors = seen_colors(means, colors, viewmat, sh_degree)
    return srgb_to_linear(colors.clamp_min(0))
