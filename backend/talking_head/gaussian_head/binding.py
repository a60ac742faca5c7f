"""Gaussians that ride on triangles: each has a place, a turn and a size in a frame of its own
triangle.

The frame of a triangle (Qian et al. 2024, "GaussianAvatars", section 3.1): its centre, axes along
the first edge, along the normal and across both, and a size, the mean of that edge and of the
height upon it. Lengths are kept in centimetres at rest, and grow with the triangle.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...geometry.rotations import matrix_to_quat, multiply_quats


@dataclass(frozen=True)
class TriangleFrames:
    """Of T triangles."""

    origins: Tensor  # (T, 3)
    rotations: Tensor  # (T, 3, 3) columns: along the edge, along the normal, across both
    sizes: Tensor  # (T,)


def triangle_frames(vertices: Tensor, triangles: Tensor) -> TriangleFrames:
    """Of vertices (V, 3) and corners (T, 3). A triangle without area gets a frame too, if no
    meaningful one.
    """
    first, second, third = (vertices[triangles[:, corner]] for corner in range(3))
    edge, other = second - first, third - first
    along = torch.nn.functional.normalize(edge, dim=1, eps=1e-9)
    normal = torch.nn.functional.normalize(torch.linalg.cross(along, other), dim=1, eps=1e-9)
    across = torch.linalg.cross(along, normal)
    size = (edge.norm(dim=1) + (across * other).sum(1).abs()) / 2
    return TriangleFrames(
        (first + second + third) / 3, torch.stack([along, normal, across], 2), size
    )


def carry(
    frames: TriangleFrames, rest_sizes: Tensor, means: Tensor, quats: Tensor, scales: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Places (N, 3), turns (N, 4) and scales (N, 3) in frames of N triangles, as they stand in the
    mesh's own axes.

    Gradients reach the triangles through their origins alone: that tells where the mesh should go,
    and costs little.
    """
    grown = (frames.sizes / rest_sizes.clamp_min(1e-9)).detach()[:, None]
    rotations = frames.rotations.detach()
    moved = frames.origins + torch.einsum("nij,nj->ni", rotations, means) * grown
    return moved, multiply_quats(matrix_to_quat(rotations), quats), scales * grown
