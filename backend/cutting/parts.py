"""What an object's splats fall into: its body, parts that float beside it, and the haze around it.
numpy only.

Two splats hang together where what can be seen of them touches. How far that reaches is a splat's
own size, which follows the density of the splats; where an object would crumble, it reaches
farther. Faint splats hold nothing together, and weigh little: parts are compared by opacity.
"""

from dataclasses import dataclass

import numpy as np

from ..geometry.arrays import Flags, Ints
from .cells import Cells, cells, connected
from .footprints import CoveredPoints, Footprints, cover, seen_to


@dataclass(frozen=True, kw_only=True)
class PartsConfig:
    """What hangs together, and what is haze."""

    level: float = 0.25  # of opacity, to which a footprint counts
    most: float = 2.0  # standard deviations that it reaches at most
    cell: float = 1.7  # of the usual size of a splat
    wider: float = 1.5  # where the object crumbles
    times: int = 4  # that it may become wider
    crumbs: float = 0.2  # share of the object in parts that are small: then it crumbles
    small: float = 0.01  # share of the object that a small part holds at most
    translucent: float = 0.5  # opacity of haze at most
    supported: float = 0.5  # share of a translucent splat that must lie in the body


@dataclass(frozen=True)
class ObjectParts:
    """Three masks (N,) over the splats of an object, of which one is true each."""

    body: Flags
    floaters: Flags
    halo: Flags
    widened: int = 0  # times that the reach was, until the object did not crumble


def object_parts(
    prints: Footprints,
    largest: bool = True,
    widened: int = 0,
    config: PartsConfig = PartsConfig(),
) -> ObjectParts:
    """The largest connected part, or without `largest` all that are not small, and what is beside
    it. `widened`: times that the reach is known to have to be.
    """
    part, covered, grid, widened = _connected(prints, widened, config)
    mass = np.bincount(part[part >= 0], prints.opacities[part >= 0])
    if not len(mass):  # nothing of it is solid
        none = np.zeros(len(prints), bool)
        return ObjectParts(~none, none, none)
    kept = mass >= mass.max() if largest else mass >= config.small * mass.sum()
    in_body = (part >= 0) & kept[np.maximum(part, 0)]
    halo = _unsupported(prints, in_body, (covered, grid), config) & (in_body | (part < 0))
    floaters = (part >= 0) & ~in_body
    return ObjectParts(~floaters & ~halo, floaters, halo, widened)


def _connected(
    prints: Footprints, widened: int, config: PartsConfig
) -> tuple[Ints, CoveredPoints, Cells, int]:
    """(N,) the part of every solid splat, -1 for faint ones; with the grid that tells, and how
    often it was widened.
    """
    usual = float(np.median(prints.sizes)) if len(prints) else 1.0
    solid = prints.opacities > config.level
    reach = seen_to(prints.opacities, config.level, config.most)
    reach[~solid] = config.most  # haze lies where all of it lies
    for time in range(widened, max(widened, config.times) + 1):
        factor = config.wider**time
        covered = cover(prints, factor * reach, factor * config.cell * max(usual, 1e-9))
        grid = cells(covered.points, factor * config.cell * max(usual, 1e-9))
        part = _parts_of(len(prints), covered, grid, solid)
        sizes = np.bincount(part[part >= 0], prints.opacities[part >= 0])
        small = sizes < config.small * sizes.sum()
        if sizes[small].sum() <= config.crumbs * sizes.sum():
            break
    return part, covered, grid, time


def _parts_of(count: int, covered: CoveredPoints, grid: Cells, solid: Flags) -> Ints:
    """(count,) by what their points' cells touch; -1 for what is not solid."""
    holds = solid[covered.owner]
    full = np.zeros(grid.count, bool)
    full[grid.of[holds]] = True
    touching = grid.pairs[full[grid.pairs].all(1)]
    ties = _once(covered.owner[holds], grid.of[holds], grid.count)
    ties[:, 0] += grid.count
    part = connected(grid.count + count, np.concatenate([touching, ties]))[grid.count :]
    named = np.unique(part[solid], return_inverse=True)[1].reshape(-1)
    result = np.full(count, -1, np.int64)
    result[solid] = named
    return result


def _unsupported(
    prints: Footprints, in_body: Flags, seen: tuple[CoveredPoints, Cells], config: PartsConfig
) -> Flags:
    """(N,) translucent splats most of which no other splat of the body covers."""
    asked = prints.opacities < config.translucent
    if not asked.any():
        return asked
    covered, grid = seen
    held = in_body[covered.owner]
    own = _once(covered.owner[held], grid.of[held], grid.count)  # a splat, a cell
    around = grid.around(np.bincount(own[:, 1], minlength=grid.count))
    mine = np.bincount(own[:, 0], minlength=len(prints))
    lies = (around[grid.of] > mine[covered.owner]).astype(np.float64)
    share = np.bincount(covered.owner, covered.weights * lies, len(prints))
    return np.asarray((share < config.supported) & asked)


def _once(owners: Ints, places: Ints, count: int) -> Ints:
    """(P, 2) pairs of a splat and one of `count` cells, each once."""
    return np.stack(np.divmod(np.unique(owners * count + places), count), 1)
