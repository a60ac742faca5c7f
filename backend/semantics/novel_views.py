"""Views that nobody photographed, between cameras that someone did: more looks at the same things
where photos are few.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation, Slerp

from ..gaussians.options import Drawables, RasterOptions, RasterView
from ..gaussians.rasterize import rasterize
from ..geometry.conventions import from_viewmat, to_viewmat


def between(views: Sequence[RasterView], count: int) -> list[RasterView]:
    """`count` views half-way between cameras and their neighbours, through the lens of one of the
    two: first each one's nearest, then the next; fewer where there are no more pairs. What is seen
    from there was photographed from about there.
    """
    if len(views) < 2 or count < 1:
        return []
    poses = [from_viewmat(v.viewmat.double().cpu().numpy()) for v in views]
    places = np.array([pose[:3, 3] for pose in poses])
    order = np.asarray(KDTree(places).query(places, k=len(places))[1])
    pairs = dict.fromkeys(
        (min(i, j), max(i, j))
        for k in range(1, len(places))
        for i, j in enumerate(order[:, k].tolist())
        if i != j
    )
    halfway = []
    for i, j in list(pairs)[:count]:
        viewmat = torch.from_numpy(to_viewmat(_middle(poses[i], poses[j]))).to(views[i].viewmat)
        halfway.append(replace(views[i], viewmat=viewmat))
    return halfway


def _middle(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    pose = np.eye(4)
    pose[:3, :3] = Slerp([0, 1], Rotation.from_matrix([a[:3, :3], b[:3, :3]]))(0.5).as_matrix()
    pose[:3, 3] = (a[:3, 3] + b[:3, 3]) / 2
    return pose


def render_image(
    gaussians: Drawables, view: RasterView, options: RasterOptions = RasterOptions()
) -> NDArray[np.uint8]:
    """(H, W, 3) as the splats look from there, on black."""
    g = gaussians
    drawn = rasterize(
        g.means,
        g.quats,
        g.scales,
        g.opacities,
        g.colors,
        view.viewmat[None],
        view.K[None],
        view.width,
        view.height,
        options=options,
    )
    image: torch.Tensor = drawn.image[0].clamp(0, 1)
    return np.asarray((image * 255).round().byte().cpu().numpy())
