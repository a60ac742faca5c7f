"""One mesh for a sequence whose meshes have nothing in common but their shape: the first one
follows the others (non-rigid registration).

Nodes carry it, as rigid as possible, from each frame to the next; then its vertices are drawn onto
the surface, smoothly.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor

from ...geometry.arrays import Floats
from ...geometry.rotations import rotation_vector_to_matrix
from ...runtime import random_state
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..surfaces.preconditioned import Solver, smooth_vertices
from ..surfaces.surface import Surface, decimate
from .motion import NodePose, rigidity, skinned
from .nodes import NodeGraph, build

Meshes = list[tuple[Floats, NDArray[np.int64]]]  # vertices (V, 3) and faces (F, 3), a frame each


@dataclass(frozen=True, kw_only=True)
class RegistrationConfig:
    """`faces`: of the mesh that is carried; `steps` of Adam a frame, with nearest places looked up
    anew every `refresh`.
    """

    faces: int = 10_000
    nodes: int = 120
    steps: int = 80
    refresh: int = 8
    rate: float = 0.01
    rigid: float = 0.5
    slide: float = 0.1  # share by which nearest places pull along the surface
    samples: int = 6000
    inertia: float = 8.0
    pulls: int = 3  # rounds of drawing vertices onto the surface


@dataclass(frozen=True)
class Registered:
    surface: Surface  # as in the first frame
    positions: Floats  # (T, V, 3)
    distances: NDArray[
        np.float64
    ]  # (T,) mean distance of the mesh from the frame's surface, and back, in shares of the box


@dataclass(frozen=True, kw_only=True)
class FollowedMesh:
    """The mesh in one frame, in the unit box, and what the next frame starts from."""

    turns: Tensor  # (N, 3) of the nodes
    shifts: Tensor  # (N, 3)
    placed: Floats  # (V, 3)
    distance: float
    random: Tensor


@dataclass(frozen=True)
class Cloud:
    """Points (P, 3) spread evenly over a surface, and its normals (P, 3) there."""

    points: Floats
    normals: Floats


def register(
    meshes: Meshes,
    config: RegistrationConfig = RegistrationConfig(),
    progress: Callable[[int, int], None] = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Registered:
    """The first mesh, with at most so many faces, through all frames."""
    everything = np.concatenate([v for v, _ in meshes])
    center, size = (
        (everything.max(0) + everything.min(0)) / 2,
        float(np.ptp(everything, axis=0).max()) / 2,
    )
    unit = [Surface(((v - center) / size).astype(np.float32), f) for v, f in meshes]
    template = decimate(unit[0], config.faces)
    graph, here = build(template, config.nodes), torch.from_numpy(template.vertices)
    smooth = smooth_vertices(template, config.inertia).solve
    turns, shifts = torch.zeros(len(graph.rest), 3), torch.zeros(len(graph.rest), 3)
    random = np.random.default_rng(0)
    with keeper.rows("followed", FollowedMesh) as rows:
        if rows.values:
            last = rows.values[-1]
            turns, shifts = last.turns, last.shifts
            random_state.restore(random, last.random)
        for number in range(len(rows.values), len(unit)):
            cloud = sample(unit[number], config.samples, random)
            if number:
                turns, shifts = _follow(here, graph, turns, shifts, cloud, config)
            placed = _drawn_onto(_warped(here, graph, turns, shifts).numpy(), cloud, smooth, config)
            surface = sample(Surface(placed, template.faces), config.samples, random)
            off, state = distance(surface, cloud) / 2, random_state.state_of(random)
            rows.add(
                FollowedMesh(turns=turns, shifts=shifts, placed=placed, distance=off, random=state)
            )
            progress(number + 1, len(unit))
    places = [row.placed * size + center for row in rows.values]
    return Registered(
        Surface(places[0].astype(np.float32), template.faces),
        np.stack(places).astype(np.float32),
        np.array([row.distance for row in rows.values]),
    )


def welded(vertices: Floats, faces: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Vertices at one place become one, for files split them along seams and hard edges; faces that
    vanish by it go, and of those that are there for both of their sides one stays.
    """
    grid = np.round(vertices / max(float(np.ptp(vertices, axis=0).max()), 1e-12), 6)
    _, first, number = np.unique(grid, axis=0, return_index=True, return_inverse=True)
    joined = number.reshape(-1)[faces]
    whole = (
        (joined[:, 0] != joined[:, 1])
        & (joined[:, 1] != joined[:, 2])
        & (joined[:, 2] != joined[:, 0])
    )
    joined = joined[whole]
    return vertices[first], joined[
        np.sort(np.unique(np.sort(joined, axis=1), axis=0, return_index=True)[1])
    ]


def sample(surface: Surface, count: int, random: np.random.Generator) -> Cloud:
    """Points (S, 3) of a mesh's surface with their normals (S, 3), evenly spread by area."""
    a, b, c = (surface.vertices[surface.faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    chosen = random.choice(len(area), count, p=area / area.sum())
    root, share = np.sqrt(random.random((count, 1))), random.random((count, 1))
    points = (1 - root) * a[chosen] + root * (1 - share) * b[chosen] + root * share * c[chosen]
    return Cloud(
        points.astype(np.float32),
        (cross / np.maximum(area, 1e-12)[:, None])[chosen].astype(np.float32),
    )


def distance(one: Cloud, other: Cloud) -> float:
    """Half the sum of both mean distances along the normals of what is nearest: how far apart
    samples lie does not count.
    """

    def there(a: Cloud, b: Cloud) -> float:
        nearest = KDTree(b.points).query(a.points)[1]
        return float(np.abs(((a.points - b.points[nearest]) * b.normals[nearest]).sum(1)).mean())

    return (there(one, other) + there(other, one)) / 2


def _pose(turns: Tensor, shifts: Tensor) -> NodePose:
    return NodePose(rotation_vector_to_matrix(turns), shifts, torch.eye(3), torch.zeros(3))


@torch.no_grad()
def _warped(here: Tensor, graph: NodeGraph, turns: Tensor, shifts: Tensor) -> Tensor:
    return skinned(here, graph, _pose(turns, shifts))


def _follow(
    here: Tensor,
    graph: NodeGraph,
    turns: Tensor,
    shifts: Tensor,
    cloud: Cloud,
    config: RegistrationConfig,
) -> tuple[Tensor, Tensor]:
    """The nodes' turns and shifts (N, 3) for the next frame, from those for the last."""
    turns, shifts = turns.clone().requires_grad_(True), shifts.clone().requires_grad_(True)
    optimizer, tree = (
        torch.optim.Adam([turns, shifts], lr=config.rate, betas=(0.9, 0.99)),
        KDTree(cloud.points),
    )
    wanted, upright = torch.from_numpy(cloud.points), torch.from_numpy(cloud.normals)
    nearest, partner = torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = config.rate * 0.1 ** (step / config.steps)
        placed = skinned(here, graph, _pose(turns, shifts))
        if step % config.refresh == 0:
            now = placed.detach().numpy()
            nearest = torch.from_numpy(tree.query(now)[1])
            partner = torch.from_numpy(KDTree(now).query(cloud.points)[1])
        there = _off(placed - wanted[nearest], upright[nearest], config.slide)
        back = _off(
            placed[partner] - wanted, upright, config.slide
        )  # what the mesh does not reach pulls it too
        loss = there + back + config.rigid * rigidity(graph, _pose(turns, shifts))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return turns.detach(), shifts.detach()


def _off(shifts: Tensor, normals: Tensor, slide: float) -> Tensor:
    """Mean square of shifts (P, 3) along normals, and `slide` of what is across: what moves along a
    surface hardly shows.
    """
    along = (shifts * normals).sum(1).square()
    return (along + slide * shifts.square().sum(1)).mean()


def _drawn_onto(placed: Floats, cloud: Cloud, smooth: Solver, config: RegistrationConfig) -> Floats:
    """(V, 3) the vertices on the cloud, as far as their neighbours go along."""
    tree = KDTree(cloud.points)
    for _ in range(config.pulls):
        nearest = tree.query(placed)[1]
        normals = cloud.normals[nearest]
        pull = ((cloud.points[nearest] - placed) * normals).sum(1, keepdims=True) * normals
        placed = np.asarray(
            placed + smooth(torch.from_numpy(pull.astype(np.float64))).numpy(), np.float32
        )
    return placed
