"""A tracked fit as tensors, to go on from."""

import torch
from torch import Tensor

from ...runtime import checkpoint
from ..deformation.motion import NodeMotion
from ..deformation.nodes import build
from ..footage.timed_views import TimedView
from ..surfaces.surface import Surface
from .anchored import AnchoredGaussians
from .fit import Fit, TrackedFitConfig, begin
from .inner_links import linked

MOTION = ("rotations", "translations", "global_rotation", "global_translation")
ANCHORED = ("opacity_logits", "colors", "log_widths")


def state_of(fit: Fit) -> dict[str, Tensor]:
    """Everything that `restored` needs to go on from here."""
    tensors = {
        "rest": torch.from_numpy(fit.surface.vertices),
        "faces": torch.from_numpy(fit.surface.faces),
    }
    tensors |= {name: getattr(fit.motion, name) for name in MOTION} | {
        "u": fit.shape.u,
        "colors": fit.colors,
    }
    tensors |= {f"anchored/{name}": getattr(fit.anchored, name) for name in ANCHORED}
    return {
        **tensors,
        "generator": fit.generator.get_state(),
        **checkpoint.adam_tensors(fit.optimizer),
    }


def restored(
    views: list[TimedView],
    config: TrackedFitConfig,
    seed: int,
    tensors: dict[str, Tensor],
    step: int,
) -> Fit:
    """The fit as it was saved."""
    surface, device = (
        Surface(tensors["rest"].numpy(), tensors["faces"].numpy()),
        views[0].viewmat.device,
    )
    motion = NodeMotion(*(tensors[name].to(device).requires_grad_(True) for name in MOTION))
    anchored = AnchoredGaussians(
        *(tensors[f"anchored/{name}"].to(device).requires_grad_(True) for name in ANCHORED)
    )
    fit = begin(
        surface,
        linked(build(surface, config.nodes), surface).to(device),
        views,
        config,
        seed,
        motion,
        anchored,
    )
    fit.step = step
    fit.generator.set_state(tensors["generator"])
    with torch.no_grad():
        fit.shape.u.copy_(tensors["u"])
        fit.colors.copy_(tensors["colors"])
    checkpoint.restore_adam(fit.optimizer, tensors)
    return fit
