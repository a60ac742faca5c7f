"""Splats moved, turned and scaled as what they are: places, shapes, and colours that follow the
view. numpy only.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..geometry.arrays import Doubles, Floats
from ..geometry.far_origin import FAR, offset_of
from ..geometry.sh_rotation import turn_sh
from ..protocol import InputError
from .splat_notes import moved_notes, notes_of_near, said_of
from .splat_ply import SplatArrays

SAMPLES = 10_000  # splats of a part that tell where it lies
UNIFORM = 1e-4  # how far apart the scales of a matrix may be, relative to their size, to be one
SMALLEST = 1e-9  # of a shape's axes, relative to its longest


def moved(a: SplatArrays, matrix: Doubles) -> SplatArrays:
    """The splats under an affine `matrix` (4, 4). A matrix that stretches unevenly or mirrors
    gives the ellipsoids that the old ones become; colours turn by its nearest orthogonal matrix.

    Raises InputError for a matrix that is not finite or flattens space.
    """
    linear = np.asarray(matrix, np.float64)[:3, :3]
    if not np.isfinite(matrix).all() or abs(np.linalg.det(linear)) < 1e-30:
        raise InputError(
            "The splats would be scaled to nothing.", "Give the object a scale other than 0."
        )
    u, stretch, vt = np.linalg.svd(linear)
    turn = u @ vt
    means = (a.means.astype(np.float64) @ linear.T + matrix[:3, 3]).astype(np.float32)
    if np.ptp(stretch) < UNIFORM * stretch.max() and np.linalg.det(turn) > 0:
        quats = _multiplied(_quaternions(turn[None])[0], a.quats)
        log_scales = a.log_scales + np.float32(np.log(stretch.mean()))
    else:
        quats, log_scales = _sheared(a, linear)
    notes = moved_notes(a.notes, np.asarray(matrix, np.float64))
    turned = turn_sh(a.sh, turn)
    return replace(a, means=means, quats=quats, log_scales=log_scales, sh=turned, notes=notes)


def placed_near(parts: Sequence[tuple[SplatArrays, Doubles | None]]) -> list[SplatArrays]:
    """Parts of a scene under their matrices (4, 4), those without one as they are. A scene that
    its matrices set far from the origin comes near it in double precision; what is up is then not
    known any more, nor is it of those that are moved.
    """
    backs = [np.eye(4) if matrix is None else matrix for _, matrix in parts]
    middles = [
        a.means[:: 1 + len(a) // SAMPLES].astype(np.float64) @ back[:3, :3].T + back[:3, 3]
        for (a, _), back in zip(parts, backs, strict=True)
    ]
    sets_far = any(np.abs(back[:3, 3]).max() > FAR for back in backs)
    offset = offset_of(np.concatenate(middles)) if parts and sets_far else None
    placed = []
    for (a, matrix), back in zip(parts, backs, strict=True):
        if offset is None and matrix is None:
            placed.append(a)
            continue
        near = back.copy()
        near[:3, 3] -= 0 if offset is None else offset
        arrays = moved(a, near)
        arrays.notes = replace(arrays.notes, upright=None)
        if offset is not None:
            if a.notes.source is None:
                arrays.notes = notes_of_near(arrays.notes, offset)
            arrays.told = (*a.told, said_of(offset))
        placed.append(arrays)
    return placed


def _sheared(a: SplatArrays, linear: Doubles) -> tuple[Floats, Floats]:
    """Axes and their lengths, of the covariances under an uneven map."""
    axes = linear @ (matrices_of(a.quats) * np.exp(a.log_scales.astype(np.float64))[:, None])
    u, lengths, _ = np.linalg.svd(axes)
    u[:, :, 2] *= np.sign(np.linalg.det(u))[:, None]
    lengths = np.maximum(lengths, SMALLEST * lengths[:, :1])
    return _quaternions(u).astype(np.float32), np.log(lengths).astype(np.float32)


def matrices_of(quats: Floats) -> Doubles:
    """(N, 4) wxyz of length one -> (N, 3, 3)."""
    w, x, y, z = quats.astype(np.float64).T
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    rows += [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    rows += [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    return np.stack(rows, 1).reshape(-1, 3, 3)


def _quaternions(m: Doubles) -> Doubles:
    """(N, 3, 3) rotations -> (N, 4): the row of q q^T with the largest diagonal, so that nothing
    cancels.
    """
    t = np.trace(m, axis1=1, axis2=2)
    d = m[:, [0, 1, 2], [0, 1, 2]]
    table = np.empty((len(m), 4, 4))
    table[:, 0, 0], table[:, [1, 2, 3], [1, 2, 3]] = 1 + t, 1 - t[:, None] + 2 * d
    for i, (j, k) in enumerate(((1, 2), (2, 0), (0, 1))):
        table[:, 0, i + 1] = table[:, i + 1, 0] = m[:, k, j] - m[:, j, k]
        table[:, j + 1, k + 1] = table[:, k + 1, j + 1] = m[:, j, k] + m[:, k, j]
    best = table[np.arange(len(m)), np.diagonal(table, axis1=1, axis2=2).argmax(1)]
    return np.asarray(best / np.linalg.norm(best, axis=1, keepdims=True))


def _multiplied(first: Doubles, others: Floats) -> Floats:
    """One quaternion (4,) times many (N, 4)."""
    w, x, y, z = first
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    return np.asarray(others.astype(np.float64) @ left.T, np.float32)
