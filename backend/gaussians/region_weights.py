"""How much of each region of a picture each Gaussian makes up: the adjoint of rendering, summed
over regions.

A Gaussian's weight in a pixel is what its colour is multiplied by there (Kerbl et al. 2023, eq. 3).
Summed over the pixels of a region it is all that lifting, voting and grouping need, and far smaller
than weights for every pixel.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from . import kernels
from .options import Drawables, RasterOptions, RasterView
from .rasterize import cpu_kernels, rasterize

CHANNELS = 24  # regions that are taken at once without kernels


def region_weights(
    gaussians: Drawables,
    view: RasterView,
    regions: NDArray[np.int32],
    count: int,
    options: RasterOptions = RasterOptions(),
) -> csr_matrix:
    """(N, count) float32: a row a Gaussian, a column a region. `regions` (H, W) holds numbers below
    `count`; negative: none.

    The colours of `gaussians` do not matter.
    """
    native = _native(gaussians)
    if native is None:
        return csr_matrix(by_adjoint(gaussians, view, regions, count, options))
    return _summed(
        kernels.region_weights(native, gaussians, view, regions, options),
        (len(gaussians.means), count),
    )


def label_map(
    gaussians: Drawables,
    view: RasterView,
    labels: NDArray[np.int32],
    count: int,
    options: RasterOptions = RasterOptions(),
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Labels (N,) below `count`, negative: none, as a picture: the one that makes up most of each
    pixel (H, W), -1 without any, and how much of it.
    """
    native = _native(gaussians)
    if native is not None:
        return kernels.label_map(native, gaussians, view, labels, count, options)
    label, share = (
        np.full((view.height, view.width), -1, np.int32),
        np.zeros((view.height, view.width), np.float32),
    )
    given = torch.from_numpy(labels).to(gaussians.means.device)
    for first in range(0, count, CHANNELS):
        wanted = torch.arange(first, min(first + CHANNELS, count), device=given.device)
        image = (
            _draw(gaussians, view, (given[:, None] == wanted).to(gaussians.means), options)
            .float()
            .cpu()
            .numpy()
        )
        best = image.max(-1)
        label, share = (
            np.where(best > share, first + image.argmax(-1), label).astype(np.int32),
            np.maximum(share, best),
        )
    return label, share


@torch.enable_grad()
def by_adjoint(
    gaussians: Drawables,
    view: RasterView,
    regions: NDArray[np.int32],
    count: int,
    options: RasterOptions = RasterOptions(),
) -> NDArray[np.float32]:
    """The same (N, count) by differentiating any rasteriser with respect to colours that pick out a
    region each: the reference, and the way without kernels.
    """
    labels = torch.from_numpy(regions).to(gaussians.means.device)
    columns: list[Tensor] = [torch.zeros(len(gaussians.means), 0)]
    for first in range(0, count, CHANNELS):
        wanted = torch.arange(first, min(first + CHANNELS, count), device=labels.device)
        colors = gaussians.means.new_zeros(len(gaussians.means), len(wanted), requires_grad=True)
        image = _draw(gaussians, view, colors, options)
        (gradient,) = torch.autograd.grad(
            image, colors, (labels[..., None] == wanted).to(image.dtype)
        )
        columns.append(gradient.detach().cpu().float())
    weights: NDArray[np.float32] = torch.cat(columns, 1).numpy()
    return weights


def _draw(gaussians: Drawables, view: RasterView, colors: Tensor, options: RasterOptions) -> Tensor:
    """(H, W, D) of colours (N, D) before black."""
    arrays = (gaussians.means, gaussians.quats, gaussians.scales, gaussians.opacities, colors)
    return rasterize(
        *arrays, view.viewmat[None], view.K[None], view.width, view.height, options=options
    ).image[0]


def _native(gaussians: Drawables) -> kernels.Kernels | None:
    return (
        cpu_kernels()
        if gaussians.means.device.type == "cpu" and gaussians.means.dtype == torch.float32
        else None
    )


def _summed(records: NDArray[np.void], shape: tuple[int, ...]) -> csr_matrix:
    """A Gaussian and a region that meet in several tiles have several records; equal places are
    summed.
    """
    return csr_matrix((records["weight"], (records["gaussian"], records["region"])), shape=shape)
