"""The surface of what Gaussians have made dense."""

import numpy as np
import torch
from scipy import ndimage
from scipy.spatial import KDTree

from ...protocol import InputError
from ..surfaces.poisson import poisson_surface
from ..surfaces.surface import Surface, decimate, largest_parts, level_set
from .canonical_gaussians import LIVE, CanonicalConfig, CanonicalGaussians
from .holes import faint_holes
from .hull import HullConfig
from .seeds import opacity_field

# cells from the surface to the Gaussians that it is made from: the level lies outside them
NEAR = 2.5
# cells from a hole that was closed to the surface that counts without a Gaussian near it
BESIDE = 1.5


def to_surface(
    model: CanonicalGaussians, config: CanonicalConfig, reach: float = HullConfig().reach
) -> Surface:
    """The outer surface of the dense part: Gaussians near where space turns opaque, and the normals
    there, enclose it (Poisson), so it has no hollows, which no picture shows; a sheet has no holes
    where it is only faint. InputError where nothing is dense.
    """
    with torch.no_grad():
        means, sizes, opacities = (
            model.means.detach().cpu(),
            model.log_scales.exp().cpu(),
            model.opacity_logits.sigmoid().cpu(),
        )
    dense = ndimage.gaussian_filter(
        opacity_field(means, sizes, opacities, config.resolution, reach), 0.7
    )
    cell = 2 * reach / config.resolution
    holes = faint_holes(dense > config.level, dense > config.faint, config.gap)
    solid = ndimage.binary_fill_holes((dense > config.level) | holes)
    opaque = level_set(
        np.where(solid & (dense <= config.level), config.level + 0.2, dense),
        config.level,
        -reach,
        reach,
    )
    if opaque is None or len(opaque.faces) < 20:
        raise InputError(
            "The pictures do not agree on any solid object.",
            "Check the masks (white is the object) and the cameras.",
        )
    opaque = largest_parts(opaque)
    away, nearest = KDTree(opaque.vertices).query(means.numpy())
    near = nearest[(away < NEAR * cell) & (opacities.numpy() > LIVE)]
    if holes.any():
        bare = (
            KDTree((np.argwhere(holes) + 0.5) * cell - reach).query(opaque.vertices)[0]
            < BESIDE * cell
        )
        near = np.concatenate([near, np.setdiff1d(np.flatnonzero(bare), near)])
    points, normals = (
        torch.from_numpy(values[near]) for values in (opaque.vertices, opaque.vertex_normals())
    )
    enclosed = poisson_surface(points, normals, config.poisson) if len(near) >= 4 else None
    decimated = decimate(largest_parts(enclosed or opaque), config.faces)
    if not len(decimated.faces):
        raise InputError(
            f"No solid shape has only {config.faces} triangles.", "Allow some hundreds."
        )
    return largest_parts(decimated)
