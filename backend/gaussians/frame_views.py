"""A capture's camera as tensors, at another size of its image."""

import torch
from torch import Tensor

from ..formats.capture import Frame
from ..geometry.conventions import to_viewmat


def intrinsics_at(
    frame: Frame, width: int, height: int, device: str | torch.device = "cpu"
) -> Tensor:
    """(3, 3) K in pixels of an image of that size."""
    K = torch.tensor(frame.K, dtype=torch.float32, device=device)
    K[0] *= width / frame.width
    K[1] *= height / frame.height
    return K


def viewmat_of(frame: Frame, device: str | torch.device = "cpu") -> Tensor:
    """(4, 4) world to camera, OpenCV axes."""
    return torch.tensor(to_viewmat(frame.camera_to_world), dtype=torch.float32, device=device)
