"""The one rasteriser of the house. Which of the three runs (gsplat, CPU kernels, plain torch) stays
behind this file.
"""

import functools
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..runtime.gsplat_probe import why_not_gsplat
from . import gsplat_cuda, kernels, torch_reference
from .kernel_inputs import SH_DEGREE
from .light import linear_colors, linear_to_srgb, seen_colors, srgb_to_linear
from .options import Drawables, RasterOptions, RasterView, RenderMode


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """Of C cameras. `image` holds colours, then depth where the render mode asks for it."""

    image: Tensor  # (C, H, W, D), D: colour channels (+ 1 with depth); depth alone has D = 1
    alpha: Tensor  # (C, H, W, 1)
    means2d: Tensor  # (C, N, 2) pixels
    radii: Tensor  # (C, N, 2) whole pixels, 0 where unseen
    depths: Tensor  # (C, N)


@functools.cache
def cpu_kernels() -> kernels.Kernels | None:
    """The compiled kernels, or None where no library fits."""
    return kernels.Kernels.load()


def rasterizer_name(device: torch.device) -> str:
    """Which rasteriser draws tensors of this device; for people to read."""
    if device.type == "cuda":
        why = why_not_gsplat()
        return "gsplat (CUDA)" if why is None else f"plain torch on CUDA ({why})"
    native = cpu_kernels() if device.type == "cpu" else None
    return (
        f"CPU kernels ({native.library.variant})"
        if native
        else "plain torch (no compiled kernels for this machine)"
    )


def rasterize(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    width: int,
    height: int,
    *,
    sh_degree: int | None = None,
    backgrounds: Tensor | None = None,
    render_mode: RenderMode = "RGB",
    options: RasterOptions = RasterOptions(),
) -> Rendering:
    """Renders N Gaussians into C cameras, differentiably; the arguments are those of
    gsplat.rasterization.

    means (N, 3); quats (N, 4) wxyz, any length; scales (N, 3) linear; opacities (N,) after the
    sigmoid; colors (N, D), or SH coefficients (N, K, 3) with `sh_degree`; viewmats (C, 4, 4) world
    to camera, OpenCV axes; Ks (C, 3, 3) pixels; backgrounds (C, D). "D" is blended depth, "ED"
    depth divided by alpha. Gradients reach all but Ks and backgrounds.
    """
    if options.blend == "linear":
        return _in_linear_light(
            Drawables(means=means, quats=quats, scales=scales, opacities=opacities, colors=colors),
            viewmats,
            Ks,
            (width, height),
            sh_degree,
            backgrounds,
            render_mode,
            replace(options, blend="srgb"),
        )
    if means.is_cuda and why_not_gsplat() is None:
        arrays = (means, quats, scales, opacities, colors, viewmats, Ks)
        image, alpha, meta = gsplat_cuda.rasterize(
            *arrays, width, height, sh_degree, backgrounds, render_mode, options
        )
        radii = (
            meta["radii"]
            if meta["radii"].dim() == 3
            else meta["radii"][..., None].expand(-1, -1, 2)
        )
        return Rendering(
            image=image, alpha=alpha, means2d=meta["means2d"], radii=radii, depths=meta["depths"]
        )
    channels = 3 if sh_degree is not None else colors.shape[-1]
    if backgrounds is None:
        backgrounds = means.new_zeros(len(viewmats), channels)
    gaussians = Drawables(
        means=means, quats=quats, scales=scales, opacities=opacities, colors=colors
    )
    views = [
        _one_view(
            gaussians,
            RasterView(
                viewmat=viewmat,
                K=K,
                width=width,
                height=height,
                sh_degree=sh_degree,
                background=background,
            ),
            render_mode,
            options,
        )
        for viewmat, K, background in zip(viewmats, Ks, backgrounds, strict=True)
    ]
    names = ("image", "alpha", "means2d", "radii", "depths")
    stacked = map(torch.stack, zip(*views, strict=True))
    return Rendering(**dict(zip(names, stacked, strict=True)))


def _in_linear_light(
    gaussians: Drawables,
    viewmats: Tensor,
    Ks: Tensor,
    size: tuple[int, int],
    sh_degree: int | None,
    backgrounds: Tensor | None,
    render_mode: RenderMode,
    options: RasterOptions,
) -> Rendering:
    """Colours go to linear light before, the pictures back after; one camera at a time, for each
    sees other colours.
    """
    g, views = gaussians, []
    for index, viewmat in enumerate(viewmats):
        colors = linear_colors(g.means, g.colors, viewmat, sh_degree)
        view = rasterize(
            g.means,
            g.quats,
            g.scales,
            g.opacities,
            colors,
            viewmat[None],
            Ks[index, None],
            *size,
            backgrounds=None if backgrounds is None else srgb_to_linear(backgrounds[index, None]),
            render_mode=render_mode,
            options=options,
        )
        channels = 0 if render_mode in ("D", "ED") else colors.shape[1]
        color, depth = view.image[..., :channels], view.image[..., channels:]
        views.append(replace(view, image=torch.cat([linear_to_srgb(color), depth], -1)))
    names = ("image", "alpha", "means2d", "radii", "depths")
    return Rendering(**{name: torch.cat([getattr(v, name) for v in views]) for name in names})


def _one_view(
    gaussians: Drawables, view: RasterView, render_mode: RenderMode, options: RasterOptions
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    means = gaussians.means
    native = cpu_kernels() if means.device.type == "cpu" and means.dtype == torch.float32 else None
    if native is None:
        blended, alpha, seen = torch_reference.rasterize_view(gaussians, view, options)
        radii = torch.where(seen.visible[:, None], seen.extents.ceil().clamp(max=1e9), 0).int()
        color, depth, where = (
            blended[..., :-1],
            blended[..., -1:],
            (seen.means2d.detach(), radii, seen.depths.detach()),
        )
    else:
        color, depth, alpha, where = _by_kernels(
            native, gaussians, view, render_mode != "RGB", options
        )
    return (_compose(color, depth, alpha[..., None], render_mode), alpha[..., None], *where)


def _by_kernels(
    native: kernels.Kernels,
    gaussians: Drawables,
    view: RasterView,
    depth: bool,
    options: RasterOptions,
) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Any number of channels through the three-channel kernels: three at a time. Harmonics of a
    degree that the kernels do not know are colours before they come there.
    """
    if view.sh_degree is not None and view.sh_degree > SH_DEGREE:
        colors = seen_colors(gaussians.means, gaussians.colors, view.viewmat, view.sh_degree)
        gaussians, view = replace(gaussians, colors=colors), replace(view, sh_degree=None)
    if view.sh_degree is not None or gaussians.colors.shape[1] == 3:
        image, alpha, *where = kernels.rasterize_view(native, gaussians, view, depth, options)
        return image[..., :3], image[..., 3:], alpha, (where[0], where[1], where[2])
    channels = gaussians.colors.shape[1]
    missing = -channels % 3
    colors = torch.nn.functional.pad(gaussians.colors, (0, missing)).split(3, 1)
    backgrounds = torch.nn.functional.pad(view.background, (0, missing)).split(3)
    parts = [
        kernels.rasterize_view(
            native,
            replace(gaussians, colors=c),
            replace(view, background=b),
            depth and first == 0,
            options,
        )
        for first, (c, b) in enumerate(zip(colors, backgrounds, strict=True))
    ]
    color = torch.cat([part[0][..., :3] for part in parts], -1)[..., :channels]
    return color, parts[0][0][..., 3:], parts[0][1], (parts[0][2], parts[0][3], parts[0][4])


def _compose(color: Tensor, depth: Tensor, alpha: Tensor, render_mode: RenderMode) -> Tensor:
    if render_mode in ("ED", "RGB+ED"):
        depth = depth / alpha.clamp_min(1e-10)
    if render_mode == "RGB":
        return color
    return depth if render_mode in ("D", "ED") else torch.cat([color, depth], -1)
