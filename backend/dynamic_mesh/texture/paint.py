"""Paints a texture: first each texel from the pictures that see it, then all of it through the
renderer.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
import torch
from scipy.sparse import linalg
from torch import Tensor

from ...geometry.arrays import Doubles
from ..footage.timed_views import TimedView
from ..surfaces.mesh_rasterizer import Fragments, depth_image, fragments, project
from .unwrap import Atlas, Texels, fill_gaps, texels

Placed = Callable[[TimedView], Tensor]  # the mesh (V, 3) at a moment


@dataclass(frozen=True, kw_only=True)
class PaintConfig:
    """`bias`: share of its depth by which a texel may lie behind what is seen there."""

    size: int = 512
    steps: int = 60  # of conjugate gradients, at most
    rounds: int = 2
    outlier: float = 0.08  # mean difference of a pixel's colour beyond which it counts less
    bias: float = 0.01
    facing: float = 2.0  # power of the cosine by which pictures count
    even: float = 0.1  # weight of the difference between neighbouring texels, a pixel counting 1


def lookup(texture: Tensor, uvs: Tensor, seen: Fragments) -> Tensor:
    """(P, 3) of a texture (S, S, 3) at the fragments of a mesh with corner uvs (F, 3, 2)."""
    at = (seen.barycentric[..., None] * uvs[seen.faces]).sum(1)
    grid = torch.stack([at[:, 0] * 2 - 1, 1 - at[:, 1] * 2], 1)[None, None]
    colors: Tensor = torch.nn.functional.grid_sample(
        texture.permute(2, 0, 1)[None], grid, align_corners=False, padding_mode="border"
    )
    return colors[0, :, 0].T


@torch.no_grad()
def project_footage(
    views: list[TimedView], placed: Placed, faces: Tensor, flat: Texels, config: PaintConfig
) -> tuple[Tensor, Tensor]:
    """(M, 3) each texel's mean colour over the pictures that see it, those that look at it straight
    most; (M,) their weight.
    """
    total, weight = (
        torch.zeros(len(flat.where), 3, device=faces.device),
        torch.zeros(len(flat.where), device=faces.device),
    )
    for view in views:
        level, vertices = view.levels[0], placed(view)
        screen = project(vertices, faces, view.viewmat, level.K, level.size)
        nearest = depth_image(fragments(screen), screen)
        corners = vertices[faces[flat.faces]]
        points = (corners * flat.barycentric[..., None]).sum(1) @ view.viewmat[
            :3, :3
        ].T + view.viewmat[:3, 3]
        normal = (
            torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            @ view.viewmat[:3, :3].T
        )
        facing = -(
            torch.nn.functional.normalize(normal, dim=1)
            * torch.nn.functional.normalize(points, dim=1)
        ).sum(1)
        at = points[:, :2] / points[:, 2:].clamp_min(1e-3) * level.K.diagonal()[:2] + level.K[:2, 2]
        grid = (at / torch.tensor(level.size, device=at.device) * 2 - 1)[None, None]
        layers = torch.cat([level.color, level.alpha[..., None], nearest[..., None]], 2).permute(
            2, 0, 1
        )[None]
        samples = torch.nn.functional.grid_sample(layers, grid, align_corners=False)[0, :, 0].T
        visible = (
            (facing > 0.1)
            & (samples[:, 3] > 0.98)
            & (points[:, 2] < samples[:, 4] * (1 + config.bias))
        )
        share = facing.clamp_min(0) ** config.facing * visible
        total += share[:, None] * samples[:, :3]
        weight += share
    return total / weight[:, None].clamp_min(1e-6), weight


def paint(
    views: list[TimedView],
    placed: Placed,
    faces: Tensor,
    atlas: Atlas,
    config: PaintConfig,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> Tensor:
    """(S, S, 3) in 0..1. What no picture shows takes the colours around it on the map.

    With the mesh in place a picture is linear in the texture, so the best one is found by conjugate
    gradients, over all pictures at once; then again with what fits badly (highlights, other things
    in front) counting less.
    """
    flat, size = texels(atlas, config.size).to(faces.device), config.size
    colors, weight = project_footage(views, placed, faces, flat, config)
    seen = weight > 1e-3
    painted = torch.zeros(size * size, dtype=torch.bool, device=faces.device)
    painted[flat.where[seen]] = True
    start = (
        colors.new_zeros(size * size, 3)
        .index_copy(0, flat.where[seen], colors[seen])
        .view(size, size, 3)
    )
    texture = (
        fill_gaps(start.cpu().numpy(), painted.view(size, size).cpu().numpy())
        .reshape(-1, 3)
        .astype(np.float64)
    )
    rows, wanted = _pixels(views, placed, faces, torch.from_numpy(atlas.uvs).to(faces.device), size)
    even, counts = _neighbors(size, config.even), np.ones(len(wanted))
    for turn in range(config.rounds):
        texture = _solve(rows, wanted, counts, even, texture, config.steps)
        counts = (
            1 / np.maximum(np.abs(rows @ texture - wanted).mean(1), config.outlier) * config.outlier
        )
        progress(turn + 1, config.rounds)
    return (
        torch.from_numpy(texture.astype(np.float32))
        .view(size, size, 3)
        .to(faces.device)
        .clamp(0, 1)
    )


@torch.no_grad()
def _pixels(
    views: list[TimedView], placed: Placed, faces: Tensor, uvs: Tensor, size: int
) -> tuple[sparse.csr_matrix, Doubles]:
    """(P, S * S) what each pixel well inside the object, of all pictures, takes from each texel,
    and (P, 3) what it should show.
    """
    places, shares, wanted = [], [], []
    for view in views:
        level = view.levels[0]
        seen = fragments(project(placed(view), faces, view.viewmat, level.K, level.size))
        inside = level.alpha.reshape(-1)[seen.pixels] > 0.98
        at = (seen.barycentric[..., None] * uvs[seen.faces]).sum(1)[inside]
        texel, share = _bilinear(torch.stack([at[:, 0], 1 - at[:, 1]], 1) * size - 0.5, size)
        places.append(texel.cpu().numpy())
        shares.append(share.cpu().numpy())
        wanted.append(level.color.reshape(-1, 3)[seen.pixels[inside]].cpu().numpy())
    columns, values = np.concatenate(places), np.concatenate(shares)
    rows = sparse.csr_matrix(
        (values.ravel(), columns.ravel(), np.arange(0, columns.size + 1, 4)),
        shape=(len(columns), size * size),
    )
    return rows, np.concatenate(wanted).astype(np.float64)


def _bilinear(at: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """(P, 4) texels around places (P, 2) in texels, first centre at 0, and their shares; as
    grid_sample has it, the border repeated.
    """
    low = at.floor()
    part = at - low
    steps = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], device=at.device)
    cell = (low.long()[:, None] + steps).clamp(0, size - 1)
    share = torch.where(steps[None] == 1, part[:, None], 1 - part[:, None]).prod(-1)
    return cell[..., 1] * size + cell[..., 0], share


def _neighbors(size: int, even: float) -> sparse.csr_matrix:
    """(S * S, S * S) `even` times the Laplacian of the grid: texels that few pixels fall on would
    be grain without it.
    """
    line = sparse.diags([np.ones(size - 1), np.ones(size - 1)], [-1, 1])
    both = sparse.kron(line, sparse.identity(size)) + sparse.kron(sparse.identity(size), line)
    return even * (sparse.diags(np.asarray(both.sum(1)).ravel()) - both).tocsr()


def _solve(
    rows: sparse.csr_matrix,
    wanted: Doubles,
    counts: Doubles,
    even: sparse.csr_matrix,
    start: Doubles,
    steps: int,
) -> Doubles:
    """(S * S, 3) conjugate gradients on the weighted normal equations, with the diagonal as
    preconditioner.
    """
    weighted = rows.multiply(counts[:, None]).tocsr()
    system = (weighted.T @ rows + even).tocsr()
    jacobi = sparse.diags(1 / np.maximum(system.diagonal(), 1e-12))
    right = weighted.T @ wanted
    solved = [
        linalg.cg(system, right[:, c], x0=start[:, c], maxiter=steps, rtol=1e-5, M=jacobi)[0]
        for c in range(3)
    ]
    return np.stack(solved, 1)
