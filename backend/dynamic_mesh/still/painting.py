"""What the texture of a surface is painted from: splats as they were seen, or the photographs."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...media.frames import to_eight_bit
from ...media.open_image import opened
from ..footage.timed_views import PyramidLevel, TimedView
from .looking import SeenSplats

COVERED = 0.8  # alpha from which a pixel shows the surface, and not what is behind it
ALIKE = 0.25  # of full brightness: a photograph that differs more shows something else in front


def painted_from_splats(looks: Sequence[SeenSplats]) -> list[TimedView]:
    """The views as the painter has them."""
    return [_view(seen, seen.color / seen.alpha[..., None].clamp_min(1e-6)) for seen in looks]


def painted_from_photos(looks: Sequence[SeenSplats]) -> list[TimedView]:
    """The same with the photographs' colours, where these show what the splats show."""
    views = []
    for seen in looks:
        drawn = seen.color / seen.alpha[..., None].clamp_min(1e-6)
        photo = _photo(seen).to(drawn.device)
        alike = (photo - drawn).abs().mean(-1) < ALIKE
        views.append(_view(seen, photo, alike))
    return views


def _view(seen: SeenSplats, color: Tensor, counts: Tensor | None = None) -> TimedView:
    shown = seen.alpha > COVERED
    if counts is not None:
        shown = shown & counts
    alpha = shown.float()
    level = PyramidLevel(color=color.clamp(0, 1) * alpha[..., None], alpha=alpha, K=seen.view.K)
    return TimedView(name="", time=0.0, viewmat=seen.view.viewmat, levels=[level])


def _photo(seen: SeenSplats) -> Tensor:
    """(H, W, 3) of the size at which the splats were looked at."""
    assert seen.view.picture is not None
    with opened(seen.view.picture, "picture") as image:
        rgb = to_eight_bit(image).convert("RGB")
        size = (seen.view.width, seen.view.height)
        small = rgb.resize(size, Image.Resampling.BOX, seen.view.part)
        return torch.from_numpy(np.asarray(small, np.float32) / 255)
