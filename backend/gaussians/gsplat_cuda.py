"""gsplat on CUDA, behind the house's own signature. Chosen only after it has rendered one Gaussian
(`probe`).
"""

import functools
from typing import Any

import torch
from torch import Tensor

from .options import RasterOptions, RenderMode


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
    sh_degree: int | None,
    backgrounds: Tensor | None,
    render_mode: RenderMode,
    options: RasterOptions,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """As gsplat.rasterization; alpha threshold and clamp are compiled into gsplat, so those options
    do not reach it.
    """
    from gsplat import rasterization  # heavy, and absent on most machines

    return rasterization(  # type: ignore[no-any-return]
        means=means,
        quats=quats,
        scales=scales,
        opacities=opacities,
        colors=colors,
        viewmats=viewmats,
        Ks=Ks,
        width=width,
        height=height,
        sh_degree=sh_degree,
        backgrounds=backgrounds,
        render_mode=render_mode,
        packed=False,
        near_plane=options.near_plane,
        far_plane=options.far_plane,
        eps2d=options.eps2d,
        rasterize_mode=options.rasterize_mode,
    )


@functools.cache
def probe() -> str | None:
    """None when gsplat draws one Gaussian and its gradient on this machine's CUDA device; else why
    it can't.

    `import gsplat` proves nothing: without a toolkit it imports and fails at the first call, and
    with a half-installed one it raises from the middle of a compilation. Whatever it raises is its
    reason; none of it may stop the work.
    """
    if not torch.cuda.is_available():
        return "torch sees no CUDA device"
    try:
        device = torch.device("cuda")
        means = torch.tensor([[0.0, 0.0, 2.0]], device=device, requires_grad=True)
        quats, scales = (
            torch.tensor([[1.0, 0, 0, 0]], device=device),
            torch.full((1, 3), 0.2, device=device),
        )
        ones, view = torch.ones(1, device=device), torch.eye(4, device=device)[None]
        K = torch.tensor([[[16.0, 0, 8], [0, 16.0, 8], [0, 0, 1]]], device=device)
        arrays = (means, quats, scales, ones, torch.ones(1, 3, device=device), view, K)
        image, _, _ = rasterize(*arrays, 16, 16, None, None, "RGB", RasterOptions())
        image.square().sum().backward()
        if not (image.max() > 0.5 and means.grad is not None and bool(means.grad.isfinite().all())):
            return "gsplat drew nothing"
    except Exception as error:  # noqa: BLE001 - a foreign compiler chain: any exception means "not usable here"
        return (
            f"gsplat does not run: {type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else ''}"
        )
    return None
