"""Picture losses and measures. The fused CPU version and the torch version compute the same."""

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from .kernels import fused_l1_dssim
from .rasterize import cpu_kernels

ImageLoss = Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]


@functools.cache
def _window(dtype: torch.dtype, device: torch.device) -> Tensor:
    """SSIM's Gaussian window, 11 x 11, sigma 1.5 (Wang et al. 2004), for three channels."""
    line = torch.exp(-((torch.arange(11, dtype=dtype, device=device) - 5) ** 2) / (2 * 1.5**2))
    line = line / line.sum()
    return (line[:, None] * line).expand(3, 1, 11, 11).contiguous()


def ssim(image: Tensor, target: Tensor) -> Tensor:
    """Mean structural similarity of two (H, W, 3) pictures in 0..1, zeros beyond the border."""
    return ssim_map(image, target).mean()


def ssim_map(image: Tensor, target: Tensor) -> Tensor:
    """(3, H, W) structural similarity of two (H, W, 3) pictures, pixel by pixel."""
    x, y = (t.permute(2, 0, 1)[None] for t in (image, target))
    window = _window(image.dtype, image.device)

    def smooth(t: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(t, window, padding=5, groups=3)

    mx, my = smooth(x), smooth(y)
    vx, vy, cov = smooth(x * x) - mx * mx, smooth(y * y) - my * my, smooth(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    above = (2 * mx * my + c1) * (2 * cov + c2)
    return (above / ((mx * mx + my * my + c1) * (vx + vy + c2)))[0]


def l1_dssim_torch(image: Tensor, target: Tensor, ssim_weight: float) -> tuple[Tensor, Tensor]:
    """(1 - w) L1 + w (1 - SSIM), Kerbl et al. 2023 eq. 7; and the SSIM."""
    similarity = ssim(image, target)
    return (1 - ssim_weight) * (image - target).abs().mean() + ssim_weight * (
        1 - similarity
    ), similarity.detach()


def l1_dssim_for(device: str) -> ImageLoss:
    """The fastest (image (H, W, 3), target, SSIM's weight) -> (loss, SSIM) for a device."""
    native = cpu_kernels() if device == "cpu" else None
    return fused_l1_dssim(native) if native else l1_dssim_torch


def psnr(image: Tensor, target: Tensor) -> float:
    """Peak signal-to-noise ratio in decibels of pictures in 0..1."""
    return -10 * math.log10(max(float(((image - target) ** 2).mean()), 1e-10))
