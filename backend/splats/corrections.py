"""What differs from picture to picture and is not the scene: small camera errors, exposure, white
balance.

Both are centred over the training views, so the scene can't drift away from cameras that training
does not see.
"""

import torch
from torch import Tensor

from ..geometry.rotations import rotation_vector_to_matrix


class Corrections:
    """A camera correction (V, 6) and a colour correction (V, 6) for each of V views; held-out views
    get none.
    """

    def __init__(
        self,
        count: int,
        cameras: bool,
        exposure: bool,
        extent: float,
        device: str,
        log_gains: Tensor | None = None,
    ) -> None:
        """`log_gains` (V, 3): what is known of the exposure before the training."""
        self.extent = extent
        self.cameras = torch.zeros(count, 6, device=device, requires_grad=cameras)
        self.exposure = torch.zeros(count, 6, device=device)
        if log_gains is not None:
            self.exposure[:, :3] = log_gains.to(device)
        self.exposure.requires_grad_(exposure)

    def named(self) -> dict[str, Tensor]:
        """Those that are trained."""
        both = {"cameras": self.cameras, "exposure": self.exposure}
        return {name: t for name, t in both.items() if t.requires_grad}

    def viewmat(self, viewmat: Tensor, index: int) -> Tensor:
        """The view's (4, 4) matrix, turned by a rotation vector and shifted by a share of the
        scene's extent.
        """
        if not self.cameras.requires_grad:
            return viewmat
        delta = self.cameras[index] - self.cameras.mean(0)
        change = torch.cat([rotation_vector_to_matrix(delta[:3]), delta[3:, None] * self.extent], 1)
        bottom = torch.tensor([[0.0, 0.0, 0.0, 1.0]], device=viewmat.device)
        return torch.cat([change, bottom]) @ viewmat

    def color(self, image: Tensor, index: int) -> Tensor:
        """The rendering (H, W, 3) as this picture's camera would have exposed it: a gain and an
        offset a channel.
        """
        if not self.exposure.requires_grad:
            return image
        delta = self.exposure[index] - self.exposure.mean(0)
        return image * delta[:3].exp() + delta[3:]
