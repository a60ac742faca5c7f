"""Pictures of meshes for people: shaded, from any side, through the same rasteriser that fits
them.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.dynamic_mesh.surfaces.mesh_rasterizer import (
    fragments,
    interpolate,
    project,
    render_image,
)

LIGHT = (0.3, -0.5, 0.8)


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """(V, 3) of length one, weighted by the area of the faces around."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normal = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for i in range(3):
        total = total.index_add(0, faces[:, i], normal)
    return torch.nn.functional.normalize(total, dim=1)


@torch.no_grad()
def draw(
    vertices: Tensor,
    faces: Tensor,
    colors: Tensor | None,
    viewmat: Tensor,
    K: Tensor,
    size: tuple[int, int],
    shade: bool = True,
) -> NDArray[np.uint8]:
    """(H, W, 3) on white; colours (V, 3) of the vertices, or clay."""
    screen = project(vertices, faces, viewmat, K, size)
    seen = fragments(screen)
    painted = (
        interpolate(seen, faces, colors)
        if colors is not None
        else vertices.new_full((len(seen.pixels), 3), 0.75)
    )
    if shade:
        facing = interpolate(
            seen, faces, vertex_normals(vertices, faces)
        ) @ torch.nn.functional.normalize(torch.tensor(LIGHT), dim=0)
        painted = painted * (0.65 + 0.35 * facing[:, None])
    drawn = render_image(seen, screen, painted)
    image = drawn[..., :3] + 1 - drawn[..., 3:]
    return np.asarray((image.clamp(0, 1) * 255).byte().cpu().numpy())
