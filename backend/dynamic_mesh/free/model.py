"""The state of a free-topology reconstruction: canonical Gaussians with normals, the ways there and
back, the look of the surface.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from ...gaussians.rasterize import rasterize
from ..footage.timed_views import PyramidLevel, TimedView
from ..surfaces.poisson import PoissonConfig, indicator, isosurface
from .fields import Deformation, Field, FieldConfig, Offsets


@dataclass(kw_only=True)
class FreeGaussians:
    """N Gaussians; at rest in canonical space, or as they are at a moment."""

    means: Tensor  # (N, 3)
    quats: Tensor  # (N, 4) wxyz, any length
    log_scales: Tensor  # (N, 3)
    opacity_logits: Tensor  # (N,)
    colors: Tensor  # (N, 3) before the sigmoid
    normals: Tensor  # (N, 3) outward, any length; 0 until the surface is known

    def named(self) -> dict[str, Tensor]:
        """Its tensors by their names."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(kw_only=True)
class FreeModel:
    gaussians: FreeGaussians
    deform: Deformation
    inverse_deform: Deformation
    appearance: Field  # canonical place and time -> colour before the sigmoid
    level: Tensor  # () where the surface is in the Poisson field; learned

    @property
    def networks(self) -> nn.ModuleDict:
        """All that has weights, by name, for the optimiser and checkpoints."""
        return nn.ModuleDict(
            {
                "deform": self.deform,
                "inverse_deform": self.inverse_deform,
                "appearance": self.appearance,
            }
        )


def make_model(gaussians: FreeGaussians, config: FieldConfig, seed: int) -> FreeModel:
    """Nothing moves yet."""
    device = gaussians.means.device
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        deform, inverse_deform, appearance = (
            Deformation(config),
            Deformation(config),
            Field(config, 3),
        )
    level = torch.zeros((), device=device, requires_grad=True)
    return FreeModel(
        gaussians=gaussians,
        deform=deform.to(device),
        inverse_deform=inverse_deform.to(device),
        appearance=appearance.to(device),
        level=level,
    )


def deformed(gaussians: FreeGaussians, offsets: Offsets) -> FreeGaussians:
    """Offsets are added, as the paper has it."""
    return FreeGaussians(
        means=gaussians.means + offsets.means,
        quats=gaussians.quats + offsets.quats,
        log_scales=gaussians.log_scales + offsets.log_scales,
        opacity_logits=gaussians.opacity_logits,
        colors=gaussians.colors,
        normals=gaussians.normals + offsets.normals,
    )


def splatted(
    gaussians: FreeGaussians, view: TimedView, level: PyramidLevel
) -> tuple[Tensor, Tensor]:
    """(H, W, 3) colour over nothing, and (H, W) coverage."""
    drawn = rasterize(
        gaussians.means,
        gaussians.quats,
        gaussians.log_scales.exp(),
        gaussians.opacity_logits.sigmoid(),
        gaussians.colors.sigmoid(),
        view.viewmat[None],
        level.K[None],
        *level.size,
    )
    return drawn.image[0], drawn.alpha[0, ..., 0]


def surface_of(
    gaussians: FreeGaussians, level: Tensor, config: PoissonConfig
) -> tuple[Tensor, Tensor] | None:
    """Vertices (V, 3), differentiable, and faces (F, 3) of the solid that the Gaussians' means and
    normals enclose.
    """
    return isosurface(indicator(gaussians.means, gaussians.normals, config), level, config)


def to_canonical(model: FreeModel, places: Tensor, time: float) -> Tensor:
    """(P, 3) of a moment -> where they are in canonical space."""
    offsets: Tensor = model.inverse_deform.motion(places, time)
    return places + offsets[:, :3]


def to_view(model: FreeModel, places: Tensor, time: float) -> Tensor:
    """(P, 3) of canonical space -> where they are at a moment."""
    offsets: Tensor = model.deform.motion(places, time)
    return places + offsets[:, :3]
