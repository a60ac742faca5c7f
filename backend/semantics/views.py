"""The views that splats are segmented from: a few of a capture's cameras, at a modest size, with
their pictures.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..formats.capture import Capture, Frame
from ..gaussians.options import RasterView
from ..geometry.conventions import to_viewmat
from ..media.frames import fit_size, to_eight_bit
from ..protocol import InputError


@dataclass(frozen=True)
class SemanticView:
    """A camera at the size that regions are found at."""

    frame: Frame
    view: RasterView

    def read_image(self) -> NDArray[np.uint8]:
        """(H, W, 3)"""
        try:
            with Image.open(self.frame.image) as image:
                small = (
                    to_eight_bit(image)
                    .convert("RGB")
                    .resize((self.view.width, self.view.height), Image.Resampling.BOX)
                )
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
            raise InputError(
                f"The picture {self.frame.image.name} can't be read.",
                "Replace it, or remove it from the capture.",
            ) from error
        return np.asarray(small, np.uint8)


def choose_views(capture: Capture, count: int, side: int, device: str) -> list[SemanticView]:
    """At most `count` cameras, evenly spread over the capture, `side` pixels on their longer
    side.
    """
    frames = [f for f in capture.frames if f.image.is_file()]
    if not frames:
        raise InputError(
            "None of the capture's pictures is there.",
            "Put the pictures back, or solve the cameras again.",
        )
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
    return [SemanticView(frames[i], _view(frames[i], side, device)) for i in chosen]


def _view(frame: Frame, side: int, device: str) -> RasterView:
    width, height = fit_size(frame.width, frame.height, side)
    K = torch.tensor(frame.K, dtype=torch.float32, device=device)
    K[0] *= width / frame.width
    K[1] *= height / frame.height
    viewmat = torch.tensor(to_viewmat(frame.camera_to_world), dtype=torch.float32, device=device)
    return RasterView(
        viewmat=viewmat,
        K=K,
        width=width,
        height=height,
        sh_degree=None,
        background=torch.zeros(3, device=device),
    )
