"""Views from further to the side than the footage goes. There the head must go on looking as its
painted surface does: what is learned from the front alone, of Gaussians that frames show at a
glance, of light, of depth, is arbitrary from the side, and was seen as dark and grey spots.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...gaussians.rasterize import rasterize
from ...geometry.arrays import Floats
from ...geometry.spherical_harmonics import SH_C0
from ..rigs.drawing import PortraitCamera, portrait
from ..whole_head.assembly import WholeHead
from .model import SH_DEGREE, BoundGaussians, BoundMesh, place
from .training_views import viewmat

PLAIN, STRAIGHT = 0.4, 0.8  # cosines at which frames tell nothing of the sides, and most
BELOW, HEIGHT = 2.5, 32.0  # centimetres of a view's middle under the skull's, and of its height


@dataclass(frozen=True, kw_only=True)
class GuardConfig:
    """How many, from where, how much they count."""

    views: int = 32
    side: int = 160  # pixels
    every: int = 3  # steps
    weight: float = 2.0  # of their mean difference beside the frames'
    alpha: float = 0.5  # of this, where the head ends
    least: float = 0.15  # of the weight of surface that frames show straight
    beyond: float = 25.0  # degrees from the last filmed angle to the first guarded one
    furthest: float = 100.0
    pitch: tuple[float, float] = (-9.0, 11.0)


@dataclass(frozen=True, kw_only=True)
class GuardView:
    """One view, as the painted surface looks in it."""

    coefficients: Tensor  # (K,)
    viewmat: Tensor  # (4, 4)
    K: Tensor  # (3, 3)
    size: tuple[int, int]
    image: Tensor  # (H, W, 3) over black
    alpha: Tensor  # (H, W, 1)
    weight: Tensor  # (H, W, 1)

    def on(self, device: str) -> "GuardView":
        """With its tensors on a device."""
        names = ("coefficients", "viewmat", "K", "image", "alpha", "weight")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def guard_views(
    whole: WholeHead,
    model: BoundGaussians,
    mesh: BoundMesh,
    faced: Tensor,
    coefficients: Floats,
    config: GuardConfig,
    seed: int,
) -> list[GuardView]:
    """Of the first model. `faced` (N,): the cosine at which frames show each Gaussian best;
    `coefficients` (F, K) of frames: any frame's face upon any frame's neck.
    """
    random = np.random.default_rng(seed)
    bends = np.array([name.startswith("neck") for name in whole.rig.names])
    straight = ((faced - PLAIN) / (STRAIGHT - PLAIN)).clamp(0, 1)
    counts = 1 - (1 - config.least) * straight
    views = []
    for number in range(config.views):
        face, neck = coefficients[random.integers(len(coefficients), size=2)]
        rows = torch.from_numpy(np.where(bends, neck, face).astype(np.float32))
        camera = _camera(whole, number % 2 == 0, random, config)
        views.append(_view(model, mesh, rows, camera, counts))
    return views


def _camera(
    whole: WholeHead, left: bool, random: np.random.Generator, config: GuardConfig
) -> PortraitCamera:
    """From the person's left or right, beyond what was filmed."""
    least, most = whole.yaw_range.tolist()
    filmed = most if left else -least
    first = min(max(filmed, 0.0) + config.beyond, config.furthest)
    yaw = random.uniform(first, config.furthest) * (-1 if left else 1)
    pitch = random.uniform(*config.pitch)
    view = portrait(config.side, np.radians(yaw), np.radians(pitch), height=HEIGHT)
    middle = whole.anatomy.centre - np.array([0, BELOW, 0])
    return replace(view, translation=view.translation - view.rotation @ middle)


@torch.no_grad()
def _view(
    model: BoundGaussians, mesh: BoundMesh, rows: Tensor, view: PortraitCamera, counts: Tensor
) -> GuardView:
    size = (view.width, view.height)
    K = torch.tensor([[view.focal, 0, size[0] / 2], [0, view.focal, size[1] / 2], [0, 0, 1]])
    means, quats, scales, opacities, sh = place(model, mesh, rows)
    plain = torch.zeros_like(sh)
    plain[:, 0] = (counts[:, None] - 0.5) / SH_C0
    drawn, weights = (
        rasterize(
            means, quats, scales, opacities, colors, viewmat(view)[None], K[None], *size,
            sh_degree=SH_DEGREE,
        )
        for colors in (sh, plain)
    )  # fmt: skip
    beside = 1 - drawn.alpha[0]
    return GuardView(
        coefficients=rows,
        viewmat=viewmat(view),
        K=K,
        size=size,
        image=drawn.image[0],
        alpha=drawn.alpha[0],
        weight=(weights.image[0][..., :1] + beside).clamp(0, 1),
    )


def guarded(image: Tensor, alpha: Tensor, view: GuardView, config: GuardConfig) -> Tensor:
    """The loss of what the head looks like in that view: (H, W, 3) over black, and (H, W, 1)."""
    apart = (image - view.image).abs() + config.alpha * (alpha - view.alpha).abs()
    loss: Tensor = config.weight * (apart * view.weight).mean()
    return loss
