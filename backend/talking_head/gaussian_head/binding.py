"""Gaussians that ride on triangles: each has a place, a turn and a size in a frame of its own triangle.

The frame of a triangle (Qian et al. 2024, "GaussianAvatars", section 3.1): its centre, axes along the first edge, along the normal
and across both, and a size, the mean of that edge and of the height upon it. Lengths are kept in centimetres at rest, and grow
with the triangle.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TriangleFrames:
    """Of T triangles."""

    origins: Tensor  # (T, 3)
    rotations: Tensor  # (T, 3, 3) columns: along the edge, along the normal, across both
    sizes: Tensor  # (T,)

    def __getitem__(self, which: Tensor) -> "TriangleFrames":
        return TriangleFrames(self.origins[which], self.rotations[which], self.sizes[which])


def triangle_frames(vertices: Tensor, triangles: Tensor) -> TriangleFrames:
    """Of vertices (V, 3) and corners (T, 3). A triangle without area gets a frame too, if no meaningful one."""
    first, second, third = (vertices[triangles[:, corner]] for corner in range(3))
    edge, other = second - first, third - first
    along = torch.nn.functional.normalize(edge, dim=1, eps=1e-9)
    normal = torch.nn.functional.normalize(torch.linalg.cross(along, other), dim=1, eps=1e-9)
    across = torch.linalg.cross(along, normal)
    size = (edge.norm(dim=1) + (across * other).sum(1).abs()) / 2
    return TriangleFrames((first + second + third) / 3, torch.stack([along, normal, across], 2), size)


def matrix_to_quat(matrices: Tensor) -> Tensor:
    """(N, 3, 3) rotations -> (N, 4) wxyz of length one: the row of q q^T with the largest diagonal, so that nothing cancels."""
    m = matrices.flatten(1).unbind(1)
    xx, yy, zz = m[0], m[4], m[8]
    xw, yw, zw = m[7] - m[5], m[2] - m[6], m[3] - m[1]
    xy, xz, yz = m[1] + m[3], m[2] + m[6], m[5] + m[7]
    rows = [[1 + xx + yy + zz, xw, yw, zw], [xw, 1 + xx - yy - zz, xy, xz], [yw, xy, 1 - xx + yy - zz, yz], [zw, xz, yz, 1 - xx - yy + zz]]
    table = torch.stack([torch.stack(row, 1) for row in rows], 1)  # (N, 4, 4): 4 q q^T
    best = table.diagonal(dim1=1, dim2=2).argmax(1)
    return torch.nn.functional.normalize(table[torch.arange(len(table)), best], dim=1)


def multiply_quats(a: Tensor, b: Tensor) -> Tensor:
    """(N, 4) wxyz: first b, then a."""
    aw, ax, ay, az = a.unbind(1)
    bw, bx, by, bz = b.unbind(1)
    return torch.stack(
        [aw * bw - ax * bx - ay * by - az * bz, aw * bx + ax * bw + ay * bz - az * by,
         aw * by - ax * bz + ay * bw + az * bx, aw * bz + ax * by - ay * bx + az * bw], 1
    )  # fmt: skip


def carry(frames: TriangleFrames, rest_sizes: Tensor, means: Tensor, quats: Tensor, scales: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Places (N, 3), turns (N, 4) and scales (N, 3) in frames of N triangles, as they stand in the mesh's own axes.

    Gradients reach the triangles through their origins alone: that tells where the mesh should go, and costs little.
    """
    grown = (frames.sizes / rest_sizes.clamp_min(1e-9)).detach()[:, None]
    rotations = frames.rotations.detach()
    moved = frames.origins + torch.einsum("nij,nj->ni", rotations, means) * grown
    return moved, multiply_quats(matrix_to_quat(rotations), quats), scales * grown
