"""What is handed to a rasteriser: Gaussians, a camera, options. Names and defaults are gsplat's."""

from dataclasses import dataclass, fields, replace
from typing import Literal

from torch import Tensor

from ..formats.splat_notes import Blend, SplatNotes

RenderMode = Literal["RGB", "D", "ED", "RGB+D", "RGB+ED"]


@dataclass(frozen=True, kw_only=True)
class RasterOptions:
    """Shared by every rasteriser."""

    near_plane: float = 0.01
    far_plane: float = 1e10
    eps2d: float = 0.3  # variance added to the projected Gaussian, pixels^2
    alpha_threshold: float = 1 / 255  # fainter contributions are skipped
    max_alpha: float = 0.999  # gsplat 1.5.3; 1.6.0 uses 0.99
    min_transmittance: float = 1e-4  # a pixel this dark behind its Gaussians is done
    rasterize_mode: Literal["classic", "antialiased"] = "classic"
    # as dense, and in that order, as each pixel's ray meets them, as ray tracers have it
    # (along_rays.py); else as they are projected, by their centres. gsplat knows only the latter
    traced: bool = False
    # the light in which splats lie over each other; backgrounds and pictures are sRGB either way
    blend: Blend = "srgb"


@dataclass(frozen=True, kw_only=True)
class Drawables:
    """N Gaussians as a rasteriser takes them. One view, one colour space: nothing here is a trained
    parameter as such.
    """

    means: Tensor  # (N, 3)
    quats: Tensor  # (N, 4) wxyz, any length
    scales: Tensor  # (N, 3) linear
    opacities: Tensor  # (N,) after the sigmoid
    colors: Tensor  # (N, D), or SH coefficients (N, K, 3)

    def tensors(self) -> tuple[Tensor, ...]:
        """Means, quats, scales, opacities, colors, in the order of the fields."""
        return tuple(getattr(self, f.name) for f in fields(self))


@dataclass(frozen=True, kw_only=True)
class RasterView:
    """One camera, what lies behind the Gaussians in it, and how their colours are to be read."""

    viewmat: Tensor  # (4, 4) world to camera, OpenCV axes
    K: Tensor  # (3, 3) pixels
    width: int
    height: int
    sh_degree: int | None  # None: colours are used as given
    background: Tensor  # (D,)


def as_cycles_draws(options: RasterOptions) -> RasterOptions:
    """Light, order, ends and blur as Cycles 5.3 has them.

    It traces rays, and meets a Gaussian that they pass through down to where its longest axis has
    fallen to 0.01; sideways it may be much fainter, so the usual threshold would cut it. Its pixel
    filter (Blackman-Harris, 1.5 pixels) has a variance of 0.043 pixels^2; the usual 0.3 is a blur
    that it lacks.
    """
    return replace(
        options,
        blend="linear",
        traced=True,
        alpha_threshold=1e-4,
        eps2d=0.043,
    )


def options_for(notes: SplatNotes) -> RasterOptions:
    """As the splats of a file were trained to be drawn."""
    options = RasterOptions(rasterize_mode="antialiased" if notes.antialiased else "classic")
    return as_cycles_draws(options) if notes.blend == "linear" else options
