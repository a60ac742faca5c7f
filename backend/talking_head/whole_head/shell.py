"""Hair, ears and neck as far as the mattes reach: the resting mesh is moved outwards (or inwards)
until its outline meets the person's in all frames.

A frame's outline tells of the ring of vertices that lie on it, along rays from the skull's centre;
what no outline tells continues smoothly over the mesh and takes the mirror side's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags, identity
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from ...geometry.arrays import Doubles, Floats
from ..rigs.drawing import PortraitCamera
from ..rigs.rig import Part, Rig
from .anatomy import Anatomy, mirrored

RAYS = 96
DOWN = np.radians(65)  # from straight down: there the neck is, not an outline
STAYS, FAST = 0.01, 1e6  # of stillness, below which the face is; and how fast it stands


@dataclass(frozen=True, kw_only=True)
class ShellConfig:
    """How outlines become offsets, centimetres."""

    rounds: int = 3
    furthest: float = 9.0
    deepest: float = -1.5
    smooth: float = 0.2  # of neighbours, against one ray in every frame
    mirror: float = 0.3
    fixed: float = 50.0  # for what moves: there the tracker knows better
    flow: float = 60.0  # of neighbours in the end: how softly hair goes over into the face


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """F frames: the mattes, and the cameras and posed meshes that go with them."""

    mattes: list[Floats]  # (h, w) each
    views: list[PortraitCamera]  # of those pictures' own size
    posed: list[Floats]  # (V, 3) in the rig's axes


def fitted_shell(
    rig: Rig,
    rest: Floats,
    still: Floats,
    anatomy: Anatomy,
    outlines: Outlines,
    config: ShellConfig = ShellConfig(),
) -> Floats:
    """(V, 3) the resting mesh with hair; `still` (V,) is 1 where a vertex may be moved."""
    away = directions(rest, anatomy)
    smooth = _laplacian(rig, len(rest))
    mirror = _mirror(rest)
    offsets = np.zeros(len(rest))
    for _ in range(config.rounds):
        weights, sums = np.zeros(len(rest)), np.zeros(len(rest))
        moved = (away * (offsets * still)[:, None]).astype(np.float32)
        for matte, view, posed in zip(outlines.mattes, outlines.views, outlines.posed, strict=True):
            vertices, missing = _told_by(matte, view, posed + moved, anatomy.centre)
            np.add.at(weights, vertices, 1.0)
            np.add.at(sums, vertices, missing)
        weights /= len(outlines.mattes)
        sums /= len(outlines.mattes)
        square = diags(weights + config.fixed * (1 - still) + 1e-4)
        square = square + config.smooth * smooth + config.mirror * mirror
        right = weights * offsets + sums
        offsets = splu(square.tocsc()).solve(right).clip(config.deepest, config.furthest)
    moved = _flowing(np.asarray(away * (offsets * still)[:, None]), still, smooth, config.flow)
    return np.asarray(rest + _with_the_skin(moved, rig, rest), np.float32)


def _flowing(moved: Doubles, still: Floats, smooth: csr_matrix, flow: float) -> Floats:
    """(V, 3) movements without the folds where hair ends: what is no part of the face goes over
    softly into what stays.
    """
    free = still > STAYS
    square = diags(np.where(free, 1.0, FAST)) + flow * (smooth.T @ smooth)
    right = np.where(free[:, None], moved, 0)
    solved = splu(square.tocsc()).solve(np.asarray(right, np.float64))
    return np.asarray(np.where(free[:, None], solved, 0), np.float32)


def _with_the_skin(moved: Floats, rig: Rig, rest: Floats) -> Floats:
    """(V, 3) movements, those of skin that is a mesh of its own (ears of some rigs) the mean of
    what lies nearest to it: as one piece, where it is.
    """
    triangles = rig.triangles[rig.triangle_parts == Part.SKIN]
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    count = len(rest)
    near = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    label = connected_components(near, directed=False)[1]
    sizes = np.bincount(label[np.unique(triangles)])
    main = np.flatnonzero(label == sizes.argmax())
    tree, moved = KDTree(rest[main]), moved.copy()
    for number in np.flatnonzero((sizes > 2) & (np.arange(len(sizes)) != sizes.argmax())):
        piece = np.flatnonzero(label == number)
        far, beside = tree.query(rest[piece])
        touching = beside[far <= np.quantile(far, 0.25)]
        moved[piece] = moved[main[touching]].mean(0)
    return moved


def directions(rest: Floats, anatomy: Anatomy) -> Floats:
    """(V, 3) outwards: from the skull's centre above it, from the neck's axis below."""
    axis = np.zeros_like(rest)
    share = np.clip((anatomy.centre[1] - rest[:, 1]) / 12, 0, 1)
    axis[:, 1] = np.minimum(rest[:, 1], anatomy.centre[1])
    axis[:, 2] = anatomy.centre[2] * (1 - share) + anatomy.joint[2] * share
    away = rest - axis
    return np.asarray(away / np.linalg.norm(away, axis=1, keepdims=True).clip(1e-6), np.float32)


def _told_by(
    matte: Floats, view: PortraitCamera, posed: Floats, centre: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Vertices on the mesh's outline, one a ray, and how many centimetres each lacks to reach the
    matte's. Rays that leave the picture tell nothing, nor do those that run down into the neck.
    """
    seen, middle = view.project(posed), view.project(centre[None])[0, :2]
    out = seen[:, :2] - middle
    radius, angle = np.linalg.norm(out, axis=1), np.arctan2(out[:, 0], -out[:, 1])  # 0: up
    ray = np.floor((angle / (2 * np.pi) + 0.5) * RAYS).astype(int) % RAYS
    order = np.lexsort((-radius, ray))
    _, first = np.unique(ray[order], return_index=True)
    furthest = order[first]
    angles = angle[furthest]
    reach, inside = _reach(matte, middle, angles)
    told = inside & (np.abs(angles) < np.pi - DOWN)
    depth = seen[furthest, 2]
    missing = (reach - radius[furthest]) * depth / view.focal
    return furthest[told], np.asarray(missing[told], np.float32)


def _reach(
    matte: Floats, middle: NDArray[np.float64], angles: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Pixels along each ray to where the person ends, and whether that is within the picture."""
    height, width = matte.shape
    steps = np.arange(0, np.hypot(height, width), 0.5)
    x = middle[0] + np.sin(angles)[:, None] * steps - 0.5
    y = middle[1] - np.cos(angles)[:, None] * steps - 0.5
    within = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    column = x.round().astype(int).clip(0, width - 1)
    row = y.round().astype(int).clip(0, height - 1)
    there = (matte[row, column] > 0.5) & within
    last = there.shape[1] - 1 - there[:, ::-1].argmax(1)
    gone = np.cumsum(~there, 1) > 12  # six pixels in a row or more away: another thing
    first_end = np.where(gone.any(1), gone.argmax(1), there.shape[1])
    last = np.where(first_end < last, _last_before(there, first_end), last)
    edge = (~within).argmax(1)
    return np.asarray(steps[last] + 0.5, np.float32), there.any(1) & (last < edge - 3)


def _last_before(there: NDArray[np.bool_], end: NDArray[np.int64]) -> NDArray[np.int64]:
    before = there & (np.arange(there.shape[1]) < end[:, None])
    return np.asarray(there.shape[1] - 1 - before[:, ::-1].argmax(1))


def _laplacian(rig: Rig, count: int) -> csr_matrix:
    """Of the mesh's edges, each once; vertices that are drawn twice in one place are one."""
    edges = np.concatenate([rig.triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    edges = np.unique(np.sort(edges, 1), axis=0)
    rows = np.concatenate([edges[:, 0], edges[:, 1]])
    columns = np.concatenate([edges[:, 1], edges[:, 0]])
    near = coo_matrix((np.ones(len(rows)), (rows, columns)), (count, count)).tocsr()
    degree = np.asarray(near.sum(1)).ravel()
    return ((diags(degree) - near) / max(float(degree.mean()), 1.0)).tocsr()


def _mirror(rest: Floats) -> csr_matrix:
    """Penalty of the difference between each vertex and its mirror image."""
    count = len(rest)
    swap = coo_matrix((np.ones(count), (np.arange(count), mirrored(rest))), (count, count))
    difference = identity(count) - swap.tocsr()
    return (difference.T @ difference).tocsr()
