"""Points seen by cameras on known paths: exact tracks, noise on request."""

import numpy as np
import torch

from backend.cameras.bundle.state import Observations, Reconstruction, project
from backend.media.tracks.tracks import Tracks, make

SIZE, FOCAL = (320, 240), 290.0


def camera_path(kind: str, frames: int) -> torch.Tensor:
    """(n, 4, 4) world-to-camera, OpenCV axes, near the origin, looking along +z at points 3 to 7
    away.
    """
    share = torch.linspace(0, 1, frames, dtype=torch.float64)
    turn, center = (
        torch.zeros(frames, 3, dtype=torch.float64),
        torch.zeros(frames, 3, dtype=torch.float64),
    )
    if kind == "sideways":
        center[:, 0], turn[:, 1] = 1.5 * share - 0.75, 0.3 * (share - 0.5)
        center[:, 1] = 0.2 * torch.sin(4 * share)
    elif kind == "forward":
        center[:, 2], center[:, 0] = 1.6 * share, 0.05 * torch.sin(5 * share)
    elif kind == "pan":
        turn[:, 1], turn[:, 0] = 0.7 * (share - 0.5), 0.05 * torch.sin(4 * share)
    rotation = torch.linalg.matrix_exp(torch.stack([_skew(t) for t in turn]))
    poses = torch.eye(4, dtype=torch.float64).repeat(frames, 1, 1)
    poses[:, :3, :3], poses[:, :3, 3] = rotation, -(rotation @ center[..., None])[..., 0]
    return poses


def _skew(v: torch.Tensor) -> torch.Tensor:
    x, y, z = v.tolist()
    return torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)


def scene(
    kind: str,
    frames: int = 12,
    points: int = 150,
    noise: float = 0.0,
    seed: int = 0,
    focals: np.ndarray | None = None,
    radial: tuple = (0.0, 0.0),
) -> tuple[Reconstruction, Tracks]:
    """The truth, with points, and its tracks: every point in every frame that it falls into."""
    random = np.random.default_rng(seed)
    xyz = np.stack(
        [
            random.uniform(-3.5, 3.5, points),
            random.uniform(-2.2, 2.2, points),
            random.uniform(3, 7, points),
        ],
        1,
    )
    if kind == "pan":
        xyz *= 100
    homogeneous = torch.nn.functional.normalize(
        torch.from_numpy(np.concatenate([xyz, np.ones((points, 1))], 1)), dim=1
    )
    poses = camera_path(kind, frames)
    focal = (
        torch.from_numpy(focals)
        if focals is not None
        else torch.full((frames,), FOCAL, dtype=torch.float64)
    )
    lens = torch.tensor(radial, dtype=torch.float64), torch.tensor(SIZE, dtype=torch.float64) / 2
    truth = Reconstruction(
        rotations=poses[:, :3, :3],
        translations=poses[:, :3, 3],
        focals=focal,
        radial=lens[0],
        center=lens[1],
        points=homogeneous,
    )
    frame, point = (
        torch.from_numpy(a.ravel())
        for a in np.meshgrid(np.arange(frames), np.arange(points), indexing="ij")
    )
    everything = Observations(frame, point, torch.zeros(len(frame), 2, dtype=torch.float64))
    uv = project(truth, everything).numpy()
    inside = ((uv > 1) & (uv < np.array(SIZE) - 1)).all(1)
    tracks = make(
        frame.numpy()[inside],
        point.numpy()[inside],
        uv[inside] + noise * random.normal(size=(int(inside.sum()), 2)),
    )
    seen = np.unique(point.numpy()[inside])
    kept = Reconstruction(
        rotations=truth.rotations,
        translations=truth.translations,
        focals=focal,
        radial=lens[0],
        center=lens[1],
        points=homogeneous[torch.from_numpy(seen)],
    )
    long = tracks.lengths >= 3
    return Reconstruction(
        rotations=kept.rotations,
        translations=kept.translations,
        focals=focal,
        radial=lens[0],
        center=lens[1],
        points=kept.points[torch.from_numpy(long)],
    ), tracks.keep_points(long)


def position_error(found: Reconstruction, truth: Reconstruction) -> float:
    """Root mean square after a similarity, as a share of the path."""
    from backend.geometry.conventions import align_similarity

    ours, theirs = found.centers.numpy(), truth.centers.numpy()
    scale, turn, shift = align_similarity(ours, theirs)
    off = scale * ours @ turn.T + shift - theirs
    return float(
        np.sqrt(np.square(off).sum(1).mean())
        / np.linalg.norm(np.diff(theirs, axis=0), axis=1).sum()
    )
