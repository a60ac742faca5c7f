"""What a rasterisation may be told beside its arrays; names and defaults are gsplat's."""

from dataclasses import dataclass
from typing import Literal

RenderMode = Literal["RGB", "D", "ED", "RGB+D", "RGB+ED"]


@dataclass(frozen=True)
class RasterOptions:
    """Shared by every rasteriser."""

    near_plane: float = 0.01
    far_plane: float = 1e10
    eps2d: float = 0.3  # variance added to the projected Gaussian, pixels^2
    alpha_threshold: float = 1 / 255  # fainter contributions are skipped
    max_alpha: float = 0.999  # gsplat 1.5.3; 1.6.0 uses 0.99
    min_transmittance: float = 1e-4  # a pixel this dark behind its Gaussians is done
    rasterize_mode: Literal["classic", "antialiased"] = "classic"
