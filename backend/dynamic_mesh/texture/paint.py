"""Paints a texture: first each texel from the pictures that see it, then all of it through the renderer."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..mesh_rasterizer import Fragments, Screen, depth_picture, fragments, picture, project
from ..moments import Level, Moment
from .unwrap import Atlas, Texels, fill_gaps, texels

Placed = Callable[[Moment], Tensor]  # the mesh (V, 3) at a moment


@dataclass(frozen=True)
class PaintConfig:
    """`bias`: share of its depth by which a texel may lie behind what is seen there."""

    size: int = 512
    steps: int = 600
    rate: float = 1e-2
    bias: float = 0.01
    facing: float = 2.0  # power of the cosine by which pictures count
    even: float = 1.0  # weight of the difference between neighbouring texels: without it, those that few pixels fall on are grain


def lookup(texture: Tensor, uvs: Tensor, seen: Fragments) -> Tensor:
    """(P, 3) of a texture (S, S, 3) at the fragments of a mesh with corner uvs (F, 3, 2)."""
    at = (seen.barycentric[..., None] * uvs[seen.faces]).sum(1)
    grid = torch.stack([at[:, 0] * 2 - 1, 1 - at[:, 1] * 2], 1)[None, None]
    found: Tensor = torch.nn.functional.grid_sample(texture.permute(2, 0, 1)[None], grid, align_corners=False, padding_mode="border")
    return found[0, :, 0].T


@torch.no_grad()
def project_footage(moments: list[Moment], placed: Placed, faces: Tensor, flat: Texels, config: PaintConfig) -> tuple[Tensor, Tensor]:
    """(M, 3) each texel's mean colour over the pictures that see it, those that look at it straight most; (M,) their weight."""
    total, weight = torch.zeros(len(flat.where), 3, device=faces.device), torch.zeros(len(flat.where), device=faces.device)
    for moment in moments:
        level, vertices = moment.levels[0], placed(moment)
        screen = project(vertices, faces, moment.viewmat, level.K, level.size)
        nearest = depth_picture(fragments(screen), screen)
        corners = vertices[faces[flat.faces]]
        points = (corners * flat.barycentric[..., None]).sum(1) @ moment.viewmat[:3, :3].T + moment.viewmat[:3, 3]
        normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) @ moment.viewmat[:3, :3].T
        facing = -(torch.nn.functional.normalize(normal, dim=1) * torch.nn.functional.normalize(points, dim=1)).sum(1)
        at = points[:, :2] / points[:, 2:].clamp_min(1e-3) * level.K.diagonal()[:2] + level.K[:2, 2]
        grid = (at / torch.tensor(level.size, device=at.device) * 2 - 1)[None, None]
        layers = torch.cat([level.color, level.alpha[..., None], nearest[..., None]], 2).permute(2, 0, 1)[None]
        found = torch.nn.functional.grid_sample(layers, grid, align_corners=False)[0, :, 0].T
        visible = (facing > 0.1) & (found[:, 3] > 0.98) & (points[:, 2] < found[:, 4] * (1 + config.bias))
        share = facing.clamp_min(0) ** config.facing * visible
        total += share[:, None] * found[:, :3]
        weight += share
    return total / weight[:, None].clamp_min(1e-6), weight


def paint(
    moments: list[Moment], placed: Placed, faces: Tensor, atlas: Atlas, config: PaintConfig, seed: int,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> Tensor:  # fmt: skip
    """(S, S, 3) in 0..1. What no picture shows takes the colour of what is nearest on the map."""
    flat, size = texels(atlas, config.size).to(faces.device), config.size
    colors, weight = project_footage(moments, placed, faces, flat, config)
    seen = weight > 1e-3
    painted = torch.zeros(size * size, dtype=torch.bool, device=faces.device)
    painted[flat.where[seen]] = True
    start = colors.new_zeros(size * size, 3).index_copy(0, flat.where[seen], colors[seen]).view(size, size, 3)
    texture = (
        torch.from_numpy(fill_gaps(start.cpu().numpy(), painted.view(size, size).cpu().numpy()))
        .to(faces.device)
        .clone()
        .requires_grad_(True)
    )
    optimizer = torch.optim.Adam([texture], lr=config.rate, betas=(0.9, 0.99))
    generator, uvs = torch.Generator().manual_seed(seed), torch.from_numpy(atlas.uvs).to(faces.device)
    drawn = [_drawn(moment, placed, faces) for moment in moments]
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = config.rate * 0.1 ** (step / config.steps)
        index = int(torch.randint(len(moments), (1,), generator=generator))
        level, (screen, found) = moments[index].levels[0], drawn[index]
        optimizer.zero_grad(set_to_none=True)
        grain = (texture[1:] - texture[:-1]).abs().mean() + (texture[:, 1:] - texture[:, :-1]).abs().mean()
        (_color_loss(picture(found, screen, lookup(texture, uvs, found)), level) + config.even * grain).backward()
        optimizer.step()
        progress(step + 1, config.steps)
    return texture.detach().clamp(0, 1)


@torch.no_grad()
def _drawn(moment: Moment, placed: Placed, faces: Tensor) -> tuple[Screen, Fragments]:
    screen = project(placed(moment), faces, moment.viewmat, moment.levels[0].K, moment.levels[0].size)
    return screen, fragments(screen)


def _color_loss(drawn: Tensor, level: Level) -> Tensor:
    """Where both have something: colour, and a little of its square, which held-out PSNR is made of."""
    difference = (drawn[..., :3] - level.color)[level.alpha > 0.5]
    return difference.abs().mean() + 2 * difference.square().mean()
