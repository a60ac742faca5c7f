"""A rendering as a picture's own exposure would have shown it, without learning from what it is
scored on.
"""

import torch
from torch import Tensor

LEAST = 100  # pixels of a half that a fit needs


def exposed_alike(image: Tensor, target: Tensor, counts: Tensor | None = None) -> Tensor:
    """The image (H, W, 3) with a gain and an offset a channel; each half is adjusted by what fits
    the other.

    Footage whose exposure changes does not say which is the scene's, so a picture that training has
    not seen can't be met without this. `counts` (H, W) bool: pixels to fit on (default: all).
    """
    half, adjusted = image.shape[1] // 2, image.clone()
    counts = torch.ones_like(image[..., 0], dtype=torch.bool) if counts is None else counts
    left, right = slice(None, half), slice(half, None)
    for mine, other in ((left, right), (right, left)):
        where = counts[:, other]
        if int(where.sum()) < LEAST:
            continue
        x, y = image[:, other][where].double(), target[:, other][where].double()
        spread = x - x.mean(0)
        gain = (spread * (y - y.mean(0))).sum(0) / spread.square().sum(0).clamp_min(1e-9)
        offset = y.mean(0) - gain * x.mean(0)
        adjusted[:, mine] = image[:, mine] * gain.to(image) + offset.to(image)
    return adjusted.clamp(0, 1)
