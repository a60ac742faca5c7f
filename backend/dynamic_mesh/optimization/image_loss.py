"""How far a drawn picture of the object is from the photograph, by the pixels that the object
covers: large and small ones count alike.
"""

from torch import Tensor

from ..footage.timed_views import PyramidLevel


def image_loss(
    color: Tensor, alpha: Tensor, level: PyramidLevel, mask_weight: float, color_weight: float
) -> Tensor:
    """Of colours (H, W, 3) over nothing and coverage (H, W); where nothing is known, all is
    right.
    """
    pixels = level.alpha.sum().clamp_min(1)
    of_mask, of_color = (alpha - level.alpha).abs(), (color - level.color).abs()
    if level.known is not None:
        of_mask, of_color = of_mask * level.known, of_color * level.known[..., None]
    return mask_weight * of_mask.sum() / pixels + color_weight * of_color.sum() / (3 * pixels)
