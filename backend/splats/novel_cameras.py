"""Cameras where nobody filmed: the training's own, moved around what they look at, on all sides."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..geometry.rotations import rotation_vector_to_matrix
from .known_depth import KnownDepth
from .views import TrainingView


@dataclass(frozen=True, kw_only=True)
class NovelConfig:
    """Which novel views are tried, which of them count, and when they train."""

    count: int = 24
    tries: int = 60  # how many cameras are looked through for them
    bases: int = 8  # training cameras that are moved
    turns: tuple[float, ...] = (15.0, 30.0, 45.0)  # degrees around what they look at
    away: tuple[float, ...] = (1.0, 1.5)  # times as far from it
    ways: int = 8  # directions of the swing: to the right, upwards, ...
    apart: float = 15.0  # degrees from the nearest training camera at least
    size: float = 0.5  # of a training picture's sides
    finest: float = 0.75  # of a depth map's: no finer, or points would be too few
    sources: int = 24  # training pictures that are asked
    points: int = 40_000  # that each of them gives at most
    covered: float = 0.22  # of the pixels must count
    behind: float = 0.15  # of what is met may show its back
    start: float = 0.5  # share of the training
    every: int = 4  # steps
    weight: float = 0.5
    forgiven: float = 0.2  # of full brightness: what is off by more counts less


def place_of(viewmat: Tensor) -> Tensor:
    """(3,) where the camera of a (4, 4) world-to-camera matrix is."""
    return -viewmat[:3, :3].T @ viewmat[:3, 3]


def evenly(items: list[KnownDepth], count: int) -> list[KnownDepth]:
    """At most so many of them."""
    return [items[int(i)] for i in torch.linspace(0, len(items) - 1, min(count, len(items)))]


def novel_cameras(
    known: list[KnownDepth], config: NovelConfig
) -> list[tuple[TrainingView, Tensor]]:
    """At most `config.tries` training views and the (4, 4) matrices that they are moved to: first
    what is farthest from all that trained, then what is farthest from that too, and so on.
    """
    moved = [
        (base.view, viewmat, reach)
        for base in evenly(known, config.bases)
        for viewmat, reach in _moved(base, config)
    ]
    if not moved:
        return []
    places = torch.stack([place_of(viewmat) for _, viewmat, _ in moved])
    reach = torch.tensor([reach for *_, reach in moved])
    filmed = torch.stack([place_of(k.view.viewmat) for k in known])
    apart = torch.cdist(places, filmed).amin(1) / reach  # about an angle
    chosen: list[tuple[TrainingView, Tensor]] = []
    while len(chosen) < config.tries:
        farthest = int(apart.argmax())
        if apart[farthest] < math.radians(config.apart):
            break
        chosen.append(moved[farthest][:2])
        apart = torch.minimum(apart, (places - places[farthest]).norm(dim=1) / reach)
    return chosen


def _moved(base: KnownDepth, config: NovelConfig) -> Iterator[tuple[Tensor, float]]:
    """Cameras swung around what a training camera looks at, from as far and from further away, and
    how far that is.
    """
    met = base.depth[base.depth > 0]
    if not len(met):
        return
    viewmat, reach = base.view.viewmat, float(met.median())
    pivot = place_of(viewmat) + reach * viewmat[2, :3]
    for away in config.away:
        back = viewmat.clone()
        back[2, 3] += (away - 1) * reach
        for turn in config.turns:
            for way in range(config.ways):
                yield _swung(back, pivot, 2 * math.pi * way / config.ways, turn), reach


def _swung(viewmat: Tensor, pivot: Tensor, way: float, turn: float) -> Tensor:
    """The camera moved by `turn` degrees on a sphere around the pivot, `way` (radians) from its own
    right, and still looking there.
    """
    rotation = viewmat[:3, :3]
    axis = rotation.T @ torch.tensor([-math.sin(way), math.cos(way), 0.0])
    spin = rotation_vector_to_matrix(math.radians(turn) * axis)
    place = pivot + spin @ (place_of(viewmat) - pivot)
    swung = torch.eye(4)
    swung[:3, :3] = rotation @ spin.T
    swung[:3, 3] = -swung[:3, :3] @ place
    return swung
