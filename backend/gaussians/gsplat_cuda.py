"""gsplat on CUDA, behind the house's own signature. Chosen only after it has rendered one Gaussian
(runtime/gsplat_probe.py).
"""

from typing import Any

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
