"""How wide Gaussians may be where Blender's own renderer draws them.

Cycles 5.3 looks for a splat within a sphere around it, of up to three times its longest axis. Where
that holds the camera, only its far side counts, and a nearer splat that was found before hides the
whole: what is behind comes first (measured with two discs, from 2.8 times on). And a wide splat
near the camera, beside the picture, is where the projection of rasterisers (EWA) is furthest from
what a ray meets: it drew a haze that Cycles lacks. On a scene of dark things before a bright ground
(seed 7) a tenth of the distance instead of three tenths took Cycles' expectation from 34.0 to 37.7
dB of the photographs, and our own pictures from 42.0 to 41.0; that was before the training drew
splats as rays meet them.
"""

import torch
from torch import Tensor

WIDEST = 0.1  # longest axis, of the distance to the nearest camera
EVERY = 10  # steps, in which an axis grows by 5 % at most


class WidthLimit:
    """Of longest axes, by the cameras of a training."""

    def __init__(self, eyes: Tensor) -> None:
        """`eyes` (V, 3): where the cameras are."""
        self.eyes = eyes

    @torch.no_grad()
    def apply(self, log_scales: Tensor, means: Tensor) -> None:
        """Shortens axes (N, 3) in place that are too long for the nearest camera to `means` (N,
        3).
        """
        nearest = torch.cdist(means, self.eyes).amin(1)
        most = (WIDEST * nearest).clamp_min(1e-9).log()
        torch.minimum(log_scales, most[:, None], out=log_scales)
