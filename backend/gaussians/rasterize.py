"""The one rasteriser of the house. Which of the three runs (gsplat, CPU kernels, plain torch) stays behind this file."""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from . import gsplat_cuda, kernels, torch_reference
from .options import RasterOptions, RenderMode


@dataclass(frozen=True)
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
        why = gsplat_cuda.probe()
        return "gsplat (CUDA)" if why is None else f"plain torch on CUDA ({why})"
    native = cpu_kernels() if device.type == "cpu" else None
    return f"CPU kernels ({native.library.variant})" if native else "plain torch (no compiled kernels for this machine)"


def rasterize(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, *, sh_degree: int | None = None, backgrounds: Tensor | None = None,
    render_mode: RenderMode = "RGB", options: RasterOptions = RasterOptions(),
) -> Rendering:  # fmt: skip
    """Renders N Gaussians into C cameras, differentiably; the arguments are those of gsplat.rasterization.

    means (N, 3); quats (N, 4) wxyz, any length; scales (N, 3) linear; opacities (N,) after the sigmoid; colors (N, D),
    or SH coefficients (N, K, 3) with `sh_degree`; viewmats (C, 4, 4) world to camera, OpenCV axes; Ks (C, 3, 3) pixels;
    backgrounds (C, D). "D" is blended depth, "ED" depth divided by alpha. Gradients reach all but Ks and backgrounds.
    """
    if means.is_cuda and gsplat_cuda.probe() is None:
        arrays = (means, quats, scales, opacities, colors, viewmats, Ks)
        image, alpha, meta = gsplat_cuda.rasterize(*arrays, width, height, sh_degree, backgrounds, render_mode, options)
        radii = meta["radii"] if meta["radii"].dim() == 3 else meta["radii"][..., None].expand(-1, -1, 2)
        return Rendering(image, alpha, meta["means2d"], radii, meta["depths"])
    channels = 3 if sh_degree is not None else colors.shape[-1]
    if backgrounds is None:
        backgrounds = means.new_zeros(len(viewmats), channels)
    views = [
        _one_view(means, quats, scales, opacities, colors, viewmat, K, width, height, sh_degree, background, render_mode, options)
        for viewmat, K, background in zip(viewmats, Ks, backgrounds, strict=True)
    ]
    return Rendering(*(torch.stack(parts) for parts in zip(*views, strict=True)))


def _one_view(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmat: Tensor, K: Tensor, width: int,
    height: int, sh_degree: int | None, background: Tensor, render_mode: RenderMode, options: RasterOptions,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    geometry, camera = (means, quats, scales, opacities), (viewmat, K, width, height, sh_degree)
    native = cpu_kernels() if means.device.type == "cpu" and means.dtype == torch.float32 else None
    if native is None:
        blended, alpha, seen = torch_reference.rasterize_view(geometry[0], *geometry[1:], colors, *camera, background, options)
        extents = torch.where(seen.visible[:, None], seen.extents.ceil(), 0).int()
        color, depth, extra = blended[..., :-1], blended[..., -1:], (seen.means2d.detach(), extents, seen.depths.detach())
    else:
        wants_depth = render_mode != "RGB"
        if sh_degree is not None or colors.shape[1] == 3:
            blended, alpha, *rest = kernels.rasterize_view(native, *geometry, colors, *camera, background, wants_depth, options)
            color, depth = blended[..., :3], blended[..., 3:]
        else:
            color, depth, alpha, rest = _by_threes(native, geometry, colors, camera, background, wants_depth, options)
        extra = (rest[0], rest[1], rest[2])
    return (_compose(color, depth, alpha[..., None], render_mode), alpha[..., None], *extra)


def _by_threes(
    native: kernels.Kernels, geometry: tuple[Tensor, ...], colors: Tensor, camera: tuple, background: Tensor, depth: bool,
    options: RasterOptions,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:  # fmt: skip
    """Any number of channels through the three-channel kernels."""
    missing = -colors.shape[1] % 3
    colors, background = torch.nn.functional.pad(colors, (0, missing)), torch.nn.functional.pad(background, (0, missing))
    parts = [
        kernels.rasterize_view(native, *geometry, c, *camera, b, depth and first == 0, options)
        for first, (c, b) in enumerate(zip(colors.split(3, 1), background.split(3), strict=True))
    ]
    color = torch.cat([part[0][..., :3] for part in parts], -1)
    return color[..., : color.shape[-1] - missing], parts[0][0][..., 3:], parts[0][1], list(parts[0][2:])


def _compose(color: Tensor, depth: Tensor, alpha: Tensor, render_mode: RenderMode) -> Tensor:
    if render_mode in ("ED", "RGB+ED"):
        depth = depth / alpha.clamp_min(1e-10)
    if render_mode == "RGB":
        return color
    return depth if render_mode in ("D", "ED") else torch.cat([color, depth], -1)
