"""What does not belong to a scene: floaters, giants, and what stands before the cameras' lenses.
No bpy.
"""

from dataclasses import dataclass

import numpy as np

from ....backend.geometry.arrays import Flags, Floats, Ints
from ..splats.filters import Shapes, longest_two
from . import neighbors


@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """What counts as what."""

    # within which splats belong together: 1 % of the scene, and wider until most of them do
    reach: float = 1.5
    wider: float = 1.5
    most: float = 0.95
    smallest: float = 0.002  # share of the splats that a loose part must hold to be no floater
    fewest: int = 30  # splats that it must hold, whatever their share
    giant: float = 0.15  # of the diagonal of the middle nine tenths
    lens: float = 0.1  # of a camera's distance to the middle
    cameras: int = 60  # that are asked
    views: int = 2  # pictures that must see a splat


DEFAULT = CleanConfig()


def _parts(shapes: Shapes, config: CleanConfig) -> tuple[Ints, Ints]:
    """(N,) which connected part each splat is of, and the parts' sizes, the largest first. Sparse
    splats are farther from each other than dense ones: the reach grows until most of them are of
    parts that are no small ones.
    """
    reach = config.reach * neighbors.typical_reach(shapes.means)
    while True:
        part = neighbors.parts(shapes.means, reach)
        sizes = np.bincount(part)
        if sizes[sizes >= _least(len(part), config)].sum() >= config.most * len(part):
            return part, sizes
        if len(sizes) == 1:
            return part, sizes
        reach *= config.wider


def _least(count: int, config: CleanConfig) -> float:
    return max(config.fewest, config.smallest * count)


def floaters(shapes: Shapes, config: CleanConfig = DEFAULT) -> Flags:
    """(N,) splats of small loose parts, and those that fewer than two pictures see."""
    part, sizes = _parts(shapes, config)
    loose = (sizes < _least(len(part), config))[part]
    loose &= part > 0  # the largest part is never loose, however few splats there are
    if shapes.views is not None:
        loose |= shapes.views < config.views
    return np.asarray(loose)


def giants(shapes: Shapes, config: CleanConfig = DEFAULT) -> Flags:
    """(N,) splats that are large beside the whole scene."""
    diagonal = 100 * neighbors.typical_reach(shapes.means)
    return np.asarray(longest_two(shapes.scales)[0] > config.giant * diagonal)


def before_lenses(shapes: Shapes, places: Floats, config: CleanConfig = DEFAULT) -> Flags:
    """(N,) splats that are nearer to a camera than a tenth of its way to the middle. `places`
    (C, 3) are where the cameras stood, in the splats' own space.
    """
    near = np.zeros(len(shapes.means), bool)
    center = np.median(shapes.means, axis=0)
    for place in places[:: max(1, len(places) // config.cameras)]:
        away = shapes.means - place
        limit = config.lens * float(np.linalg.norm(center - place))
        near |= np.einsum("ij,ij->i", away, away) < limit * limit
    return near


def largest(shapes: Shapes, config: CleanConfig = DEFAULT) -> Flags:
    """(N,) the largest connected part."""
    return np.asarray(_parts(shapes, config)[0] == 0)


def of_some(shapes: Shapes, mask: Flags) -> Shapes:
    """The same of some of the splats (N,)."""
    return Shapes(
        means=shapes.means[mask],
        scales=shapes.scales[mask],
        opacities=shapes.opacities[mask],
        views=None if shapes.views is None else shapes.views[mask],
    )
