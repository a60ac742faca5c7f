"""How far a drawn picture of the object is from the photograph, by the pixels that the object
covers: large and small ones count alike.
"""

from torch import Tensor

from ..footage.timed_views import PyramidLevel


def image_loss(
    color: Tensor, alpha: Tensor, level: PyramidLevel, mask_weight: float, color_weight: float
) -> Tensor:
    """Of colours (H, W, 3) over nothing and coverage (H, W)."""
    pixels = level.alpha.sum().clamp_min(1)
    mask = mask_weight * (alpha - level.alpha).abs().sum() / pixels
    return mask + color_weight * (color - level.color).abs().sum() / (3 * pixels)
