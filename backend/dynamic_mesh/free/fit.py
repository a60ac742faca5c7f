"""Trains a free-topology reconstruction: Gaussians first, then the mesh that they enclose at every
moment.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from ..footage.timed_views import PyramidLevel, TimedView
from ..optimization.image_loss import image_loss
from ..surfaces.anchoring import anchor_loss
from ..surfaces.mesh_rasterizer import (
    Topology,
    find_topology,
    fragments,
    interpolate,
    project,
    render_image,
)
from ..surfaces.poisson import PoissonConfig
from ..surfaces.preconditioned import umbrella_of
from ..surfaces.surface import level_set
from ..template.seeds import opacity_field, seed_places
from .config import FreeConfig
from .fields import Offsets
from .model import (
    FreeGaussians,
    FreeModel,
    deformed,
    make_model,
    splatted,
    surface_of,
    to_canonical,
)
from .rows import spread_over_faces

# cells a side of the field that normals begin from: it need not be as fine as the mesh
NORMALS_AT = 96


@dataclass(kw_only=True)
class FreeFit:
    """At one step. Make one with `begin`."""

    config: FreeConfig
    model: FreeModel
    views: list[TimedView]
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    step: int = 0

    @property
    def share(self) -> float:
        """How much of the steps is done, 0 to 1."""
        return self.step / self.config.steps

    @property
    def has_surface(self) -> bool:
        """Whether the mesh has joined the fit already."""
        return self.share >= self.config.surface_from


def begin(views: list[TimedView], config: FreeConfig, seed: int) -> FreeFit:
    """Round Gaussians in the soft hull, on the device of the moments."""
    generator, device = torch.Generator().manual_seed(seed), views[0].viewmat.device
    means, size = seed_places(views, config.inside, config.count, generator)
    count = len(means)
    gaussians = FreeGaussians(
        means=means,
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        log_scales=torch.full((count, 3), float(np.log(size))),
        opacity_logits=torch.full((count,), 0.5),
        colors=torch.zeros(count, 3),
        normals=torch.zeros(count, 3),
    )
    leaves = FreeGaussians(
        **{name: t.to(device).requires_grad_(True) for name, t in gaussians.named().items()}
    )
    return with_optimizer(make_model(leaves, config.network, seed), views, config, generator)


def with_optimizer(
    model: FreeModel, views: list[TimedView], config: FreeConfig, generator: torch.Generator
) -> FreeFit:
    """A fit of the model that has made no step yet."""
    groups = [{"params": [leaf], "name": name} for name, leaf in model.gaussians.named().items()]
    groups += [
        {"params": list(model.networks.parameters()), "name": "networks"},
        {"params": [model.level], "name": "level"},
    ]
    return FreeFit(
        config=config,
        model=model,
        views=views,
        optimizer=torch.optim.Adam(groups, betas=(0.9, 0.99)),
        generator=generator,
    )


def _set_rates(fit: FreeFit) -> None:
    decay = 1.0 if fit.share < 0.6 else 0.1 ** ((fit.share - 0.6) / 0.4)
    for group in fit.optimizer.param_groups:
        group["lr"] = getattr(fit.config.rates, group["name"]) * decay


def change_at(fit: FreeFit, time: float) -> Offsets:
    """How the Gaussians deform at a moment; places are told to the networks, not taught by them."""
    gaussians, deform = fit.model.gaussians, fit.model.deform
    if fit.share < fit.config.warm_up:
        return Offsets(
            *(
                torch.zeros_like(t)
                for t in (gaussians.means, gaussians.quats, gaussians.log_scales, gaussians.normals)
            )
        )
    offsets: Offsets = deform(gaussians.means.detach(), time)
    if fit.share < fit.config.turning_from:
        offsets = Offsets(
            offsets.means, offsets.quats, offsets.log_scales, torch.zeros_like(offsets.normals)
        )
    return offsets


def cycle_loss(fit: FreeFit, offsets: Offsets, now: FreeGaussians, time: float) -> Tensor:
    """The way back takes away what the way there has added: mean difference over all that
    deforms.
    """
    undone: Offsets = fit.model.inverse_deform(now.means.detach(), time)
    both = (undone.rows + offsets.rows).abs()
    return both.mean() if fit.share >= fit.config.turning_from else both[:, :10].mean()


def mesh_at(fit: FreeFit, now: FreeGaussians) -> tuple[Tensor, Tensor] | None:
    """The surface of Gaussians as they are at a moment; at first it teaches nothing but normals."""
    if fit.share < fit.config.surface_from + fit.config.normals_only:
        now = FreeGaussians(
            means=now.means.detach(),
            quats=now.quats,
            log_scales=now.log_scales,
            opacity_logits=now.opacity_logits,
            colors=now.colors,
            normals=now.normals,
        )
    return surface_of(now, fit.model.level, fit.config.poisson)


def colors_of(model: FreeModel, vertices: Tensor, time: float) -> Tensor:
    """(V, 3) of the mesh of a moment: the appearance at the places that its vertices come from."""
    colors: Tensor = model.appearance(to_canonical(model, vertices, time).detach(), time).sigmoid()
    return colors


def _mesh_loss(
    fit: FreeFit, vertices: Tensor, faces: Tensor, view: TimedView, level: PyramidLevel
) -> Tensor:
    """The mesh's picture, and how crooked it is: that counts less and less."""
    topology: Topology = find_topology(faces)
    screen = project(vertices, faces, view.viewmat, level.K, level.size, topology)
    seen = fragments(screen)
    drawn = render_image(
        seen, screen, interpolate(seen, faces, colors_of(fit.model, vertices.detach(), view.time))
    )
    crooked = umbrella_of(topology.edges, len(vertices))(vertices).square().sum(1).mean()
    weights = fit.config.weights
    close = image_loss(drawn[..., :3], drawn[..., 3], level, weights.mask, weights.color)
    return close + weights.smooth * (1 - fit.share) * crooked


def fit_step(fit: FreeFit) -> float:
    """One picture: drawn by splats, and by the mesh once there is one. Returns the loss."""
    config = fit.config
    _set_rates(fit)
    if fit.has_surface and not fit.model.gaussians.normals.detach().any():
        give_normals(fit.model.gaussians, config.poisson)
    view = fit.views[int(torch.randint(len(fit.views), (1,), generator=fit.generator))]
    level = view.levels[1 if fit.share < config.half_until else 0]
    offsets = change_at(fit, view.time)
    now = deformed(fit.model.gaussians, offsets)
    loss = image_loss(*splatted(now, view, level), level, config.weights.mask, config.weights.color)
    if fit.share >= config.warm_up:
        loss = loss + config.weights.cycle * cycle_loss(fit, offsets, now, view.time)
    mesh = mesh_at(fit, now) if fit.has_surface else None
    if mesh is not None:
        loss = loss + _mesh_loss(fit, *mesh, view, level)
        if fit.share >= config.anchor_from:
            loss = loss + config.weights.anchor * anchor_loss(now.means, mesh[0].detach(), mesh[1])
    fit.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    fit.optimizer.step()
    if (
        mesh is not None
        and fit.share >= config.anchor_from
        and fit.step % max(1, round(config.anchor_every * config.steps)) == 0
    ):
        spread_over_faces(
            fit.model, fit.optimizer, now, mesh, view.time, config.anchor, fit.generator
        )
    fit.step += 1
    return float(loss.detach())


@torch.no_grad()
def give_normals(gaussians: FreeGaussians, config: PoissonConfig) -> None:
    """From the surface of where the Gaussians are opaque at rest: each takes the normal of the
    nearest place on it.
    """
    field = opacity_field(
        gaussians.means.cpu(),
        gaussians.log_scales.exp().mean(1).cpu(),
        gaussians.opacity_logits.sigmoid().cpu(),
        min(config.resolution, NORMALS_AT),
        config.reach,
    )
    surface = level_set(field, 0.5, -config.reach, config.reach)
    if surface is None:
        gaussians.normals.copy_(torch.nn.functional.normalize(gaussians.means, dim=1))
        return
    normals = surface.vertex_normals()
    nearest = KDTree(surface.vertices).query(gaussians.means.cpu().numpy())[1]
    gaussians.normals.copy_(torch.from_numpy(normals[nearest]))
