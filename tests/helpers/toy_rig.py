"""A rig of random points and smooth random shapes: enough for the mathematics of fitting, nothing
to look at.
"""

import numpy as np

from backend.talking_head.rigs.rig import Rig


def toy_rig(vertices: int = 500, shapes: int = 6, identities: int = 4, seed: int = 0) -> Rig:
    random = np.random.default_rng(seed)
    neutral = random.uniform(-1, 1, (vertices, 3)) * [6, 8, 2] + [0, 0, 4]
    neutral[:, 2] -= 0.05 * (neutral[:, :2] ** 2).sum(1)

    def smooth(count: int, far: float) -> np.ndarray:
        centers = random.uniform(-1, 1, (count, 1, 2)) * [4, 6]
        near = np.exp(-((neutral[None, :, :2] - centers) ** 2).sum(-1) / 8)
        return (near[..., None] * random.normal(size=(count, 1, 3)) * far).astype(np.float32)

    triangles = np.stack(
        [
            np.arange(vertices - 2),
            np.arange(1, vertices - 1),
            np.arange(2, vertices),
            np.full(vertices - 2, -1),
        ],
        1,
    )
    names = tuple(f"shape{k}" for k in range(shapes))
    parts = np.zeros(len(triangles), np.int8)
    return Rig(
        name="toy",
        neutral=neutral.astype(np.float32),
        faces=triangles.astype(np.int32),
        parts=parts,
        names=names,
        shapes=smooth(shapes, 1.2),
        identities=smooth(identities, 0.5),
        lowest=np.zeros(shapes, np.float32),
    )
