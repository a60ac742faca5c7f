"""A free-topology fit as tensors, to go on from."""

import torch
from torch import Tensor

from ...runtime import checkpoint
from ..footage.timed_views import TimedView
from .config import FreeConfig
from .fit import FreeFit, with_optimizer
from .model import FreeGaussians, make_model

# of a row of each tensor of FreeGaussians
SHAPES: dict[str, tuple[int, ...]] = {
    "means": (3,),
    "quats": (4,),
    "log_scales": (3,),
    "opacity_logits": (),
    "colors": (3,),
    "normals": (3,),
}


def state_of(fit: FreeFit) -> dict[str, Tensor]:
    """Everything that `restored` needs to go on from here."""
    tensors = {f"gaussians/{name}": values for name, values in fit.model.gaussians.named().items()}
    tensors |= {
        f"networks/{name}": values for name, values in fit.model.networks.state_dict().items()
    }
    return {
        **tensors,
        "level": fit.model.level,
        "generator": fit.generator.get_state(),
        **checkpoint.adam_tensors(fit.optimizer),
    }


def restored(
    views: list[TimedView], config: FreeConfig, tensors: dict[str, Tensor], step: int
) -> FreeFit:
    """The fit as it was saved. Raises CheckpointError for what is none."""
    with checkpoint.restoring():
        return _restored(views, config, tensors, step)


def _restored(
    views: list[TimedView], config: FreeConfig, tensors: dict[str, Tensor], step: int
) -> FreeFit:
    device, rows = views[0].viewmat.device, len(tensors["gaussians/means"])
    for name, shape in SHAPES.items():
        values = tensors[f"gaussians/{name}"]
        checkpoint.require_like(values, torch.zeros(rows, *shape), name)
    checkpoint.require_like(tensors["level"], torch.zeros(()), "level")
    leaves = FreeGaussians(
        **{name: tensors[f"gaussians/{name}"].to(device).requires_grad_(True) for name in SHAPES}
    )
    model = make_model(leaves, config.network, 0)
    model.networks.load_state_dict(
        {k.removeprefix("networks/"): t for k, t in tensors.items() if k.startswith("networks/")}
    )
    with torch.no_grad():
        model.level.copy_(tensors["level"])
    generator = torch.Generator()
    generator.set_state(tensors["generator"])
    fit = with_optimizer(model, views, config, generator)
    checkpoint.restore_adam(fit.optimizer, tensors)
    fit.step = step
    return fit
