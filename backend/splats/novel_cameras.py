"""Cameras where nobody filmed: the training's own, swung around what they look at."""

import math
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
    bases: int = 8  # training cameras that are swung
    turns: tuple[float, ...] = (25.0, 40.0)  # degrees
    ways: int = 8  # directions of the swing: to the right, upwards, ...
    apart: float = 15.0  # degrees from the nearest training camera at least
    size: float = 0.33  # of a training picture's sides
    sources: int = 24  # training pictures that are asked
    points: int = 70_000  # that each of them gives at most
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
    """Training views and the (4, 4) matrices that they are swung to, away from all that trained."""
    places = torch.stack([place_of(k.view.viewmat) for k in known])
    cameras = []
    for base in evenly(known, config.bases):
        met = base.depth[base.depth > 0]
        if not len(met):
            continue
        viewmat = base.view.viewmat
        pivot = place_of(viewmat) + float(met.median()) * viewmat[2, :3]
        for turn in config.turns:
            for way in range(config.ways):
                swung = _swung(viewmat, pivot, 2 * math.pi * way / config.ways, turn)
                if _angle(place_of(swung) - pivot, places - pivot) >= config.apart:
                    cameras.append((base.view, swung))
    step = max(1.0, len(cameras) / config.count)
    return [cameras[int(k * step)] for k in range(min(config.count, len(cameras)))]


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


def _angle(way: Tensor, others: Tensor) -> float:
    """Degrees between a direction (3,) and the nearest of others (N, 3)."""
    cosines = torch.nn.functional.cosine_similarity(others, way[None], dim=1)
    return math.degrees(math.acos(float(cosines.max().clamp(-1, 1))))
