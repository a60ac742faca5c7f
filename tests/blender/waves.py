"""A mesh that waves, as the backend writes it."""

import math
from typing import Any

import numpy as np


def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat square of side x side vertices, and its triangles."""
    line = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = np.meshgrid(line, line, indexing="ij")
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + side, corner + side + 1], 1),
            np.stack([corner, corner + side + 1, corner + 1], 1),
        ]
    )
    return np.stack([x, y, np.zeros_like(x)], -1).reshape(-1, 3), faces.astype(np.int32)


def waving(side: int = 12, frames: int = 9) -> Any:
    """Two bones that swing to and fro, and a mesh that hangs on both: a sequence as the backend
    writes it.
    """
    from backend.formats.mesh_sequence import MeshSequence, Nodes, skinned

    rest, faces = grid(side)
    transforms = np.zeros((frames, 2, 3, 4), np.float32)
    for t in range(frames):
        for node, angle in enumerate((0.5 * math.sin(t), -0.4 * math.cos(t) + 0.3)):
            turn = np.array(
                [
                    [math.cos(angle), 0, math.sin(angle)],
                    [0, 1, 0],
                    [-math.sin(angle), 0, math.cos(angle)],
                ]
            )
            transforms[t, node, :, :3], transforms[t, node, 2, 3] = turn, 0.05 * t
    weight = (rest[:, 0] + 1) / 2
    skin = np.tile(np.array([0, 1], np.int32), (len(rest), 1))
    nodes = Nodes(
        np.array([[-0.5, 0, 0], [0.5, 0, 0]], np.float32),
        transforms,
        skin,
        np.stack([1 - weight, weight], 1),
    )
    uvs = (rest[faces][..., :2] + 1).astype(np.float32) / 2
    colors = np.full_like(rest, 0.5)
    return MeshSequence(
        rest=rest,
        faces=faces,
        positions=skinned(rest, nodes),
        seconds=np.arange(frames) / 24,
        colors=colors,
        uvs=uvs,
        nodes=nodes,
    )
