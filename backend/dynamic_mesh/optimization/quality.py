"""Quality on pictures that the fit never saw, and pictures to look at."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..footage.timed_views import TimedView, halve
from ..surfaces.mesh_rasterizer import fragments, interpolate, project, render_image
from ..texture.paint import lookup


@dataclass(frozen=True)
class Appearance:
    """What the mesh wears: a texture with corner uvs, or the colours of its vertices."""

    faces: Tensor
    texture: Tensor | None = None  # (S, S, 3)
    uvs: Tensor | None = None  # (F, 3, 2)
    colors: Tensor | None = None  # (V, 3)


@dataclass(frozen=True)
class EvalView:
    """A picture, and the mesh (V, 3) as it stands then and looks."""

    view: TimedView
    placed: Tensor
    look: Appearance


@torch.no_grad()
def render(evaluated: EvalView) -> Tensor:
    """(H, W, 4) colour over nothing, and coverage; drawn twice as fine and averaged, as a renderer
    does.
    """
    view, look, level = evaluated.view, evaluated.look, evaluated.view.levels[0]
    width, height = level.size
    K = level.K * level.K.new_tensor([[2], [2], [1]])
    screen = project(evaluated.placed, look.faces, view.viewmat, K, (2 * width, 2 * height))
    seen = fragments(screen)
    if look.texture is not None and look.uvs is not None:
        worn = lookup(look.texture, look.uvs, seen)
    else:
        assert look.colors is not None
        worn = interpolate(seen, look.faces, look.colors)
    return halve(render_image(seen, screen, worn))


def mask_iou(a: Tensor, b: Tensor, known: Tensor | None = None) -> float:
    """Of two coverages (H, W), cut at one half, where it is known (H, W)."""
    one, other = a > 0.5, b > 0.5
    if known is not None:
        one, other = one & known, other & known
    return float((one & other).sum() / (one | other).sum().clamp_min(1))


def measure(views: list[EvalView], pixels: float) -> dict[str, float]:
    """Mean PSNR in dB inside the object, and over whole pictures (`pixels` at this scale, all that
    is cut away being right on both sides); and mask IoU. What is hidden counts for neither.
    """
    scores = []
    for each in views:
        level, drawn = each.view.levels[0], render(each)
        known = level.known if level.known is not None else torch.ones_like(level.alpha).bool()
        error = (drawn[..., :3] - level.color).square().mean(-1) * known
        inside = known & (level.alpha > 0.5)
        of_object = float(error[inside].mean()) if inside.any() else 0.0
        whole = float(error.sum()) / max(pixels, level.alpha.numel())
        iou = mask_iou(drawn[..., 3], level.alpha, known)
        scores.append((_decibels(of_object), _decibels(whole), iou))
    mean = np.mean(scores, axis=0).tolist()
    return dict(zip(("psnr_inside", "psnr", "iou"), mean, strict=True))


def _decibels(error: float) -> float:
    return -10 * math.log10(max(error, 1e-10))


def side_by_side(views: list[EvalView]) -> NDArray[np.uint8]:
    """Photo on the left, rendering on the right, on white; one row a moment."""
    rows = []
    for each in views:
        level, drawn = each.view.levels[0], render(each)
        pair = [level.color + 1 - level.alpha[..., None], drawn[..., :3] + 1 - drawn[..., 3:]]
        rows.append(torch.cat(pair, 1))
    return np.asarray((stacked(rows) * 255).round().to(torch.uint8).cpu().numpy())


def stacked(rows: list[Tensor]) -> Tensor:
    """(H, W, 3) of pictures one under the other, white where they are narrower."""
    width = max(row.shape[1] for row in rows)
    padded = [torch.nn.functional.pad(r, (0, 0, 0, width - r.shape[1]), value=1.0) for r in rows]
    return torch.cat(padded).clamp(0, 1)
