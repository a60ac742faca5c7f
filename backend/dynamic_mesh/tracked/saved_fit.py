"""A tracked fit as tensors, to go on from."""

import torch
from torch import Tensor

from ...runtime import checkpoint
from ..deformation.motion import NodeMotion
from ..deformation.nodes import build
from ..footage.timed_views import TimedView
from ..surfaces.surface import Surface
from .anchored import AnchoredGaussians
from .fit import Fit, TrackedFitConfig, begin, for_gait
from .inner_links import linked

MOTION = ("rotations", "translations", "global_rotation", "global_translation")
CYCLES = "cycles"
ANCHORED = ("opacity_logits", "colors", "log_widths")


def state_of(fit: Fit) -> dict[str, Tensor]:
    """Everything that `restored` needs to go on from here."""
    tensors = {
        "rest": torch.from_numpy(fit.surface.vertices),
        "faces": torch.from_numpy(fit.surface.faces),
    }
    tensors |= {name: getattr(fit.motion, name) for name in (*MOTION, CYCLES)} | {
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
    """The fit as it was saved. Raises CheckpointError for what is none."""
    with checkpoint.restoring():
        return _restored(views, config, seed, tensors, step)


def _restored(
    views: list[TimedView],
    config: TrackedFitConfig,
    seed: int,
    tensors: dict[str, Tensor],
    step: int,
) -> Fit:
    surface, device = _surface(tensors), views[0].viewmat.device
    graph = linked(build(surface, config.nodes), surface).to(device)
    _check(tensors, len(graph.rest), len(surface.faces))
    turns, shifts, turn, shift = (tensors[n].to(device).requires_grad_(True) for n in MOTION)
    motion = NodeMotion(
        rotations=turns,
        translations=shifts,
        global_rotation=turn,
        global_translation=shift,
        cycles=tensors[CYCLES].to(device),
    )
    anchored = AnchoredGaussians(
        *(tensors[f"anchored/{name}"].to(device).requires_grad_(True) for name in ANCHORED)
    )
    if len(motion.cycles):
        config = for_gait(config)
    fit = begin(surface, graph, views, config, seed, motion, anchored)
    fit.step = step
    fit.generator.set_state(tensors["generator"])
    checkpoint.require_like(tensors["u"], fit.shape.u, "u")
    checkpoint.require_like(tensors["colors"], fit.colors, "colors")
    with torch.no_grad():
        fit.shape.u.copy_(tensors["u"])
        fit.colors.copy_(tensors["colors"])
    checkpoint.restore_adam(fit.optimizer, tensors)
    return fit


def _surface(tensors: dict[str, Tensor]) -> Surface:
    """The template; its faces must name vertices that there are."""
    rest, faces = tensors["rest"], tensors["faces"]
    checkpoint.require_like(rest, torch.zeros(len(rest), 3, dtype=rest.dtype), "rest")
    checkpoint.require_like(faces, torch.zeros(len(faces), 3, dtype=faces.dtype), "faces")
    if faces.is_floating_point() or not len(faces) or int(faces.min()) < 0:
        raise ValueError("faces")
    if int(faces.max()) >= len(rest):
        raise ValueError("faces")
    return Surface(rest.numpy(), faces.numpy())


def _check(tensors: dict[str, Tensor], nodes: int, faces: int) -> None:
    waves = len(tensors["global_rotation"])
    widths: dict[str, tuple[int, ...]] = {
        "opacity_logits": (faces,),
        "colors": (faces, 3),
        "log_widths": (faces,),
    }
    shapes: dict[str, tuple[int, ...]] = {
        **dict.fromkeys(MOTION[:2], (nodes, waves, 3)),
        **dict.fromkeys(MOTION[2:], (waves, 3)),
        CYCLES: (min(1, len(tensors[CYCLES])),),
        **{f"anchored/{name}": widths[name] for name in ANCHORED},
    }
    for name, shape in shapes.items():
        checkpoint.require_like(tensors[name], torch.zeros(shape), name)
