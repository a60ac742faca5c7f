"""The views that splats are segmented from: a few of a capture's cameras, at a modest size, with
their pictures.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..formats.capture import Capture, Frame
from ..gaussians.frame_views import intrinsics_at, viewmat_of
from ..gaussians.options import RasterView
from ..media.frames import fit_size, to_eight_bit
from ..media.open_image import opened
from ..protocol import InputError


@dataclass(frozen=True)
class SemanticView:
    """A camera at the size that regions are found at."""

    frame: Frame
    view: RasterView

    def read_image(self) -> NDArray[np.uint8]:
        """(H, W, 3)"""
        size = (self.view.width, self.view.height)
        with opened(self.frame.image) as image:
            small = to_eight_bit(image).convert("RGB").resize(size, Image.Resampling.BOX)
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
    return RasterView(
        viewmat=viewmat_of(frame, device),
        K=intrinsics_at(frame, width, height, device),
        width=width,
        height=height,
        sh_degree=None,
        background=torch.zeros(3, device=device),
    )
