"""What a solve leaves behind: the task that writes the capture, and what the manifest says of every
picture.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..media.tracks.tracks import Tracks
from ..runtime.device import core_count
from .bundle.state import Observations, errors, unit_of
from .colmap.colmap_command import ColmapTask
from .colmap.solved import Solved
from .estimation.problem import Estimate
from .footage.triage import Triage
from .run_solvers import SolveContext

MOST_POINTS = 60_000
LEAST_SEEN = 40  # tracks of a picture that make for full confidence


def confidence(estimate: Estimate) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every camera: 0..1, its median error in pixels, its tracks. Few tracks, large errors or a
    loose hold lower it.
    """
    n, unit = len(estimate.frames), unit_of(estimate.solve)
    error = errors(estimate.solve, Observations.of(estimate.tracks)).numpy()
    counts = np.bincount(estimate.tracks.frame, minlength=n)
    order = np.lexsort((error, estimate.tracks.frame))
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    median = np.array(
        [error[order[f + c // 2]] if c else np.inf for f, c in zip(firsts, counts, strict=True)]
    )
    held = 1 / (1 + (estimate.uncertainty.positions / 0.01) ** 2)
    value = (
        np.minimum(counts / LEAST_SEEN, 1)
        * np.exp(-((median / (1.5 * unit)) ** 2))
        * np.nan_to_num(held)
    )
    return value, median, counts


def _finite_points(estimate: Estimate) -> tuple[Tracks, np.ndarray]:
    """Tracks whose points are somewhere, and where; at most MOST_POINTS, the longest."""
    points = estimate.solve.points.numpy()
    good = points[:, 3] > 1e-6
    lengths = estimate.tracks.lengths * good
    good[np.argsort(-lengths, kind="stable")[MOST_POINTS:]] = False
    tracks = estimate.tracks.keep_points(good)
    return tracks, points[good, :3] / points[good, 3:]


def write_task(context: SolveContext, estimate: Estimate, masks: Path | None) -> ColmapTask:
    """Cameras, points and tracks in a file for the COLMAP process, which undistorts the pictures
    and their masks (a folder of NAME.png), and writes the capture.
    """
    tracks, xyz = (
        _finite_points(estimate) if estimate.verdict.kind == "moving" else (None, np.zeros((0, 3)))
    )
    path = context.work / "estimate.npz"
    solve = estimate.solve
    own = (
        Tracks(estimate.frames[tracks.frame], tracks.point, tracks.uv)
        if tracks is not None
        else None
    )
    cameras = Solved(
        frames=estimate.frames.astype(np.int64),
        viewmats=solve.viewmats.numpy(),
        focals=solve.focals.numpy(),
        radial=solve.radial.numpy(),
    )
    (cameras if own is None else replace(cameras, tracks=own, points=xyz)).save(path)
    footage = context.footage
    return ColmapTask(
        kind="write",
        images=str(footage.folder),
        work=str(context.work),
        output=str(context.job.folder.staging),
        names=footage.names,
        ordered=footage.ordered,
        times=footage.times,
        fps=footage.fps,
        sources=footage.sources,
        turns=footage.turns,
        masks=str(masks or ""),
        solved=str(path),
        threads=core_count(),
    )


def details(context: SolveContext, estimate: Estimate, triage: Triage | None) -> dict[str, Any]:
    """For the manifest."""
    value, median, counts = confidence(estimate)
    names = [
        f"{i:04d}{Path(context.footage.names[f]).suffix.lower()}"
        for i, f in enumerate(estimate.frames, 1)
    ]
    images = [
        {
            "image": n,
            "confidence": round(float(v), 3),
            "error_px": round(float(m), 3) if np.isfinite(m) else None,
            "tracks": int(c),
        }
        for n, v, m, c in zip(names, value, median, counts, strict=True)
    ]
    seen = (
        {}
        if triage is None
        else {
            "motion_percent": triage.motion,
            "shots": len(triage.shots),
            "doubles": len(triage.doubles),
            "blurred": len(triage.blurred),
            "light_stops": triage.light,
        }
    )
    zoom = bool(np.ptp(estimate.solve.focals.numpy()) > 1e-9)
    return {
        "verdict": estimate.verdict.as_json(),
        "solver": estimate.solver,
        "zoom": zoom,
        "triage": seen,
        "pictures": images,
    }
