"""Bones and weights for a mesh sequence that has none: smooth skinning decomposition with rigid
bones (Le and Deng 2012).
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor

from ...formats.mesh_sequence import Nodes
from ...geometry.arrays import Reals
from ...geometry.nearest_rotation import nearest_rotation
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper

INFLUENCES = 4


@dataclass(frozen=True)
class SkinningConfig:
    bones: int = 40
    clusterings: int = 6
    rounds: int = 8
    # of the mean square way: what pulls weights to the nearest bones where the motion leaves them
    # open
    stay: float = 1e-4


def decompose(
    positions: Reals,
    config: SkinningConfig = SkinningConfig(),
    progress: Callable[[int, int], None] = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Nodes:
    """(T, V, 3), the first frame being at rest -> bones that carry it, each vertex hanging on
    four.
    """
    rest, moved = np.asarray(positions[0], np.float64), np.asarray(positions, np.float64)
    stay = config.stay * (float(np.square(moved - rest).mean()) + 1e-12)
    rotations, shifts = _bones(rest, moved, stay, config, progress, keeper)
    skin, weights = _weights(rest, moved, rotations, shifts, stay)
    centers = _centers(rest, skin, weights, len(shifts))
    transforms = np.concatenate([rotations, shifts[..., None]], -1).transpose(1, 0, 2, 3)
    return Nodes(
        centers.astype(np.float32),
        transforms.astype(np.float32),
        skin.astype(np.int32),
        weights.astype(np.float32),
    )


def _bones(
    rest: Reals,
    moved: Reals,
    stay: float,
    config: SkinningConfig,
    progress: Callable[[int, int], None],
    keeper: StageKeeper,
) -> tuple[Reals, Reals]:
    """(B, T, 3, 3) and (B, T, 3): first of clusters of vertices, then as they carry the mesh
    together.
    """
    label = _seeds(rest, moved, config.bones)
    rotations, shifts = _rigid_of_clusters(rest, moved, label)
    total = config.clusterings + config.rounds

    def restore(tensors: dict[str, Tensor]) -> None:
        nonlocal label, rotations, shifts
        label, rotations, shifts = (tensors[n].numpy() for n in ("label", "rotations", "shifts"))

    def state() -> dict[str, Tensor]:
        arrays = {"label": label, "rotations": rotations, "shifts": shifts}
        return {name: torch.from_numpy(values) for name, values in arrays.items()}

    with keeper.loop("bones", state, restore) as loop:
        for step in range(loop.step, total):
            if step < config.clusterings:
                label = _errors(rest, moved, rotations, shifts).argmin(0)
                rotations, shifts = _rigid_of_clusters(rest, moved, label)
            else:
                skin, weights = _weights(rest, moved, rotations, shifts, stay)
                rotations, shifts = _refined(rest, moved, rotations, shifts, skin, weights)
            loop.reach(step + 1)
            progress(step + 1, total)
    return rotations, shifts


def _seeds(rest: Reals, moved: Reals, count: int) -> NDArray[np.int64]:
    """(V,) the nearest of `count` vertices that lie far apart, at rest and on their ways."""
    several = moved[:: max(1, len(moved) // 8)].transpose(1, 0, 2).reshape(len(rest), -1)
    chosen, nearest = [0], np.square(several - several[0]).sum(1)
    while len(chosen) < min(count, len(rest)):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.square(several - several[chosen[-1]]).sum(1))
    return np.asarray(KDTree(several[chosen]).query(several)[1], np.int64)


def _kabsch(source: Reals, target: Reals, weights: Reals) -> tuple[Reals, Reals]:
    """(T, 3, 3) and (T, 3): the rigid motions that carry points (V, 3) best onto (T, V, 3),
    weighted (V,).
    """
    share = weights / weights.sum()
    a, b = share @ source, np.einsum("v,tvi->ti", share, target)
    covariance = np.einsum("v,tvi,vj->tij", share, target - b[:, None], source - a)
    rotation, _ = nearest_rotation(covariance)
    return rotation, b - rotation @ a


def _rigid_of_clusters(rest: Reals, moved: Reals, label: NDArray[np.int64]) -> tuple[Reals, Reals]:
    """(B, T, 3, 3) and (B, T, 3) of every cluster that has enough vertices to turn."""
    motions = [
        _kabsch(rest[label == b], moved[:, label == b], np.ones((label == b).sum()))
        for b in np.unique(label)
        if (label == b).sum() >= 3
    ]
    if not motions:
        motions = [_kabsch(rest, moved, np.ones(len(rest)))]
    return np.stack([r for r, _ in motions]), np.stack([s for _, s in motions])


def _errors(rest: Reals, moved: Reals, rotations: Reals, shifts: Reals) -> Reals:
    """(B, V) mean square distance of each vertex from where each bone alone would carry it."""
    return np.stack(
        [
            np.square(np.einsum("tij,vj->tvi", r, rest) + s[:, None] - moved).sum(2).mean(0)
            for r, s in zip(rotations, shifts, strict=True)
        ]
    )


def _weights(
    rest: Reals, moved: Reals, rotations: Reals, shifts: Reals, stay: float
) -> tuple[NDArray[np.int64], Reals]:
    """(V, 4) bones and their weights, none negative, rows summing to 1: exact, by trying every set
    of bones that may be above zero.
    """
    count = min(INFLUENCES, len(rotations))
    skin = np.argsort(_errors(rest, moved, rotations, shifts), axis=0)[:count].T
    gram = np.empty((len(rest), count, count))
    for start in range(0, len(rest), 2000):  # bounded memory, however long the sequence
        part = slice(start, start + 2000)
        trajectories = (
            np.einsum("vktij,vj->vkti", rotations[skin[part]], rest[part]) + shifts[skin[part]]
        )
        off = trajectories - moved[:, part].transpose(1, 0, 2)[:, None]
        gram[part] = np.einsum("vkti,vlti->vkl", off, off) / len(moved)
    gram += stay * np.diag(np.arange(1, count + 1))
    best, weights = np.full(len(rest), np.inf), np.zeros((len(rest), count))
    for size in range(1, count + 1):
        for chosen in itertools.combinations(range(count), size):
            inverse = np.linalg.solve(gram[:, chosen][:, :, chosen], np.ones((len(rest), size, 1)))[
                ..., 0
            ]
            some = inverse / inverse.sum(
                1, keepdims=True
            )  # of least error among those that sum to 1
            error = np.einsum("vk,vkl,vl->v", some, gram[:, chosen][:, :, chosen], some)
            better = (some >= 0).all(1) & (error < best)
            best[better] = error[better]
            weights[better] = 0
            weights[np.ix_(better, chosen)] = some[better]
    return skin, weights


def _refined(
    rest: Reals,
    moved: Reals,
    rotations: Reals,
    shifts: Reals,
    skin: NDArray[np.int64],
    weights: Reals,
) -> tuple[Reals, Reals]:
    """Each bone in turn carries what the others leave (Le and Deng 2012, section 4.3), where it
    carries anything.
    """
    rotations, shifts = rotations.copy(), shifts.copy()
    full = np.zeros((len(rotations), len(rest)))
    np.add.at(full, (skin.T, np.arange(len(rest))), weights.T)
    shown = np.zeros_like(moved)
    for bone in range(len(rotations)):
        on = full[bone] > 0
        shown[:, on] += full[bone, on, None] * (
            rest[on] @ rotations[bone].transpose(0, 2, 1) + shifts[bone][:, None]
        )
    for bone in range(len(rotations)):
        on = full[bone] > 1e-3
        if on.sum() < 3:
            continue
        own = full[bone, on, None] * (
            rest[on] @ rotations[bone].transpose(0, 2, 1) + shifts[bone][:, None]
        )
        left = (moved[:, on] - shown[:, on] + own) / full[bone, on, None]
        rotations[bone], shifts[bone] = _kabsch(rest[on], left, full[bone, on] ** 2)
        shown[:, on] += (
            full[bone, on, None]
            * (rest[on] @ rotations[bone].transpose(0, 2, 1) + shifts[bone][:, None])
            - own
        )
    return rotations, shifts


def _centers(rest: Reals, skin: NDArray[np.int64], weights: Reals, bones: int) -> Reals:
    """(B, 3) where each bone's vertices are; of one that carries none, the middle of all."""
    total, mass = np.zeros((bones, 3)), np.zeros(bones)
    for place in range(skin.shape[1]):
        np.add.at(total, skin[:, place], weights[:, place, None] * rest)
        np.add.at(mass, skin[:, place], weights[:, place])
    return np.where(mass[:, None] > 1e-9, total / np.maximum(mass, 1e-9)[:, None], rest.mean(0))
