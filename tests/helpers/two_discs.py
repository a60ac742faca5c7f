"""The smallest scene that words can be asked of: a cup on the left, a plate on the right."""

import numpy as np
import torch

from backend.gaussians.options import Drawables

SIZE, FOCAL = (40, 30), 40.0
WORDS = ("cup", "plate")
APART, SIDE = np.array([0.6, 0, 0]), 13


def splats() -> Drawables:
    """Both 3 before a camera at the origin that looks along +z (OpenCV axes); first the cup's."""
    x, y = (a.ravel() for a in np.meshgrid(*[np.linspace(-0.3, 0.3, SIDE)] * 2))
    disc = np.stack([x, y, np.full_like(x, 3)], 1)
    means = np.concatenate([disc - APART, disc + APART])
    return Drawables(
        means=torch.from_numpy(means).float(),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(len(means), 1),
        scales=torch.full((len(means), 3), 0.03),
        opacities=torch.full((len(means),), 0.95),
        colors=torch.ones(len(means), 3),
    )


def owners() -> np.ndarray:
    """(N,) 0: the cup, 1: the plate."""
    return np.repeat(np.arange(2), SIDE**2)


def label_picture() -> np.ndarray:
    """(30, 40): 1 where the cup is, 2 where the plate is, as the camera sees them."""
    label = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    label[11:20, 8:17], label[11:20, 24:33] = 1, 2
    return label
