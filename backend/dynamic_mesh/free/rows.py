"""Anchoring carried out on the canonical Gaussians: rows go, merge and come, and the optimiser's
state with them.
"""

import torch
from torch import Tensor

from ..surfaces.anchoring import AnchorConfig, Anchoring, anchor, centroids
from .model import FreeGaussians, FreeModel, to_canonical

FAINT = 0.1  # opacity of a Gaussian that is born


@torch.no_grad()
def spread_over_faces(
    model: FreeModel,
    optimizer: torch.optim.Optimizer,
    now: FreeGaussians,
    mesh: tuple[Tensor, Tensor],
    time: float,
    config: AnchorConfig,
    generator: torch.Generator,
) -> Anchoring:
    """One round, decided where the Gaussians are at a moment, and brought back to canonical
    space.
    """
    vertices, faces = mesh[0].detach(), mesh[1]
    plan = anchor(now.means, vertices, faces, config, generator)
    _merge(model, now, plan, time)
    _resize(model.gaussians, optimizer, plan.kept, _born(model, vertices, faces, plan.births, time))
    return plan


def _merge(model: FreeModel, now: FreeGaussians, plan: Anchoring, time: float) -> None:
    """The first of each pair becomes the mean of both; its place is their mean at the moment,
    brought back.
    """
    one, other = plan.merged.unbind(1)
    middle = (now.means[one] + now.means[other]) / 2
    for name, values in model.gaussians.named().items():
        values[one] = (
            to_canonical(model, middle, time)
            if name == "means"
            else (values[one] + values[other]) / 2
        )


def _born(
    model: FreeModel, vertices: Tensor, faces: Tensor, births: Tensor, time: float
) -> FreeGaussians:
    """Faint and white, with the size and the normal of their faces."""
    corners = vertices[faces[births]]
    cross = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    count, size = len(births), (cross.norm(dim=1).clamp_min(1e-10) / 2).sqrt() / 2
    length = model.gaussians.normals.norm(dim=1).mean()
    return FreeGaussians(
        means=to_canonical(model, centroids(vertices, faces[births]), time),
        quats=vertices.new_tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        log_scales=size.log()[:, None].repeat(1, 3),
        opacity_logits=torch.full((count,), FAINT, device=vertices.device).logit(),
        colors=torch.full((count, 3), 3.0, device=vertices.device),
        normals=torch.nn.functional.normalize(cross, dim=1) * length,
    )


def _resize(
    gaussians: FreeGaussians, optimizer: torch.optim.Optimizer, kept: Tensor, born: FreeGaussians
) -> None:
    groups, added = {group["name"]: group for group in optimizer.param_groups}, born.named()
    for name, old in gaussians.named().items():
        new = torch.cat([old.detach()[kept], added[name]]).requires_grad_(True)
        setattr(gaussians, name, new)
        groups[name]["params"] = [new]
        state = optimizer.state.pop(old, {})
        for key, value in state.items():
            if value.shape == old.shape:
                state[key] = torch.cat([value[kept], torch.zeros_like(added[name])])
        optimizer.state[new] = state
