"""What is up: from cameras, or from the splats' own planes. numpy only."""

import numpy as np

from .arrays import Doubles, Flags, Reals

SIZE = 4.0  # metres from the middle of a scene to its cameras, since a solve knows no scale
DOWN = np.array([0.0, 1.0, 0.0])  # of files that don't say: the first camera's, as COLMAP leaves it
TILT = 40.0  # degrees that such a file may be off, and still be put right by its planes
STEPS = 3.0  # degrees within which flat splats count as of one plane
FEWEST, SHARE = 50, 0.1  # splats, and their share of all nearly level ones, that make a plane


def upright_of_cameras(poses: Doubles) -> Doubles:
    """(4, 4) world of the cameras (N, 4, 4; OpenGL axes) to an upright scene: the cameras' mean up
    is Z, the spot they look at the origin, a handy size.
    """
    up, forward, centers = poses[:, :3, 1].mean(0), -poses[:, :3, 2], poses[:, :3, 3]
    planes = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    target = np.linalg.lstsq(planes.sum(0), np.einsum("nij,nj->i", planes, centers), rcond=None)[0]
    behind = (
        np.einsum("nj,nj->n", target - centers, forward).mean() <= 0
    )  # a pan: rays meet nowhere in front
    distance = float(np.linalg.norm(centers - target, axis=1).mean())
    if behind or not np.isfinite(distance) or distance < 1e-9:
        target, distance = centers.mean(0), max(float(np.ptp(centers, axis=0).max()), 1e-3)
    turn = _turn(up / max(np.linalg.norm(up), 1e-9), forward.mean(0))
    placed = np.eye(4)
    placed[:3, :3] = turn * (SIZE / distance)
    placed[:3, 3] = -placed[:3, :3] @ target
    return placed


def _turn(z: Doubles, forward: Doubles) -> Doubles:
    """(3, 3) with `z` as Z, and what is forward as Y as far as that goes."""
    side = np.cross(forward, z)
    if np.linalg.norm(side) <= 1e-6:
        side = np.cross([0.0, 0.0, 1.0] if abs(z[2]) < 0.9 else [1.0, 0.0, 0.0], z)
    x = side / np.linalg.norm(side)
    return np.stack([x, np.cross(z, x), z])


def upright_of_splats(normals: Doubles, weights: Doubles) -> Doubles:
    """(4, 4), a rotation that sets splats upright whose file says nothing of where up is.

    3DGS files are y-down as a rule, tilted by as much as their first camera was: the plane that
    the most flat splats lie in, of those nearly level by that rule, is taken for level.

    Args:
        normals: (N, 3) of flat splats, of either sign.
        weights: (N,) their areas.
    """
    up, limit = -DOWN, np.cos(np.deg2rad(TILT))
    facing = normals * np.where(normals @ up < 0, -1.0, 1.0)[:, None]
    level: Flags = facing @ up > limit
    if level.sum() >= FEWEST:
        up = _densest(facing[level], weights[level], up)
    placed = np.eye(4)
    placed[:3, :3] = _turn(up, np.array([0.0, 0.0, 1.0]))
    return placed


def _densest(facing: Doubles, weights: Doubles, otherwise: Doubles) -> Doubles:
    """The direction around which most weight lies, by mean shift from the best of many; `otherwise`
    where none stands out.
    """
    near = np.cos(np.deg2rad(STEPS))
    heavy = np.argsort(-weights)[:256]
    votes = ((facing[heavy] @ facing.T) > near) @ weights
    best = facing[heavy[int(votes.argmax())]]
    for _ in range(10):
        close = facing @ best > near
        best = (facing[close] * weights[close, None]).sum(0)
        best = best / np.linalg.norm(best)
    close = facing @ best > near
    stands_out = close.sum() >= FEWEST and weights[close].sum() > SHARE * weights.sum()
    return np.asarray(best) if stands_out else otherwise


def flat_normals(matrices: Doubles, scales: Reals, opacities: Reals) -> tuple[Doubles, Doubles]:
    """Normals (N, 3) and areas (N,) of splats that are flat and solid: shortest axis at most a
    third of the next, opacity at least a half.
    """
    order = np.argsort(scales, axis=1)
    sizes = np.take_along_axis(scales, order, 1).astype(np.float64)
    is_flat = (sizes[:, 0] * 3 < sizes[:, 1]) & (opacities > 0.5)
    normals = matrices[np.arange(len(order)), :, order[:, 0]]
    return normals[is_flat], (sizes[:, 1] * sizes[:, 2])[is_flat]
