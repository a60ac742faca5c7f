"""Start view and camera path of a web page: cameras as its viewer takes them, with places, what
they look at, and angles. numpy only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...geometry.arrays import Doubles
from ..capture_types import Frame
from ..footage_times import seconds_of
from ..splat_arrays import SplatArrays, opacities_of

LEVEL = 1.0  # degrees that a camera may be rolled unseen
CENTERED = 0.01  # of a picture's size that its principal point may be off unseen
SQUARE = 1e-3  # relative difference of two focal lengths that may go unseen
CLOSED = 0.02  # of a path's extent that its ends may lie apart, for it to go round
SHORTEST = 0.01  # seconds of a path
RATE = 30.0  # of the path's key times; they fall between its frames too
FOV, ACROSS = 60.0, 36.0  # degrees, of a view that no camera tells, in a window of 16 : 9


@dataclass(frozen=True, kw_only=True)
class CameraPath:
    """Cameras in order of time, one at least; a single one is a start view."""

    camera_to_world: Doubles  # (N, 4, 4), OpenGL axes, in the splats' world
    fovs: Doubles  # (N,) degrees along the picture's longer side
    seconds: Doubles  # (N,) rising
    told: tuple[str, ...] = ()  # what of the cameras the viewer can't show, in words


def path_of(frames: list[Frame], fps: float) -> CameraPath:
    """Cameras, one at least, at their times; where not all have one, as many a second as `fps`
    tells, or a second apart where that is 0.
    """
    told = _not_as_shown(frames)
    times = seconds_of([frame.time for frame in frames], fps)
    if times is not None:
        seconds, first = np.unique(times, return_index=True)
        if twice := len(frames) - len(first):
            told.append(f"{twice} of {len(frames)} cameras, at a time that has another")
        if len(seconds) > 1 and seconds[-1] < SHORTEST:
            told.append(f"a path of {seconds[-1]:.2g} seconds, which is too short to play")
            seconds, first = seconds[:1], first[:1]
        frames = [frames[i] for i in first]
    else:
        seconds = np.arange(len(frames)) / (fps or 1.0)
    return CameraPath(
        camera_to_world=np.stack([frame.camera_to_world for frame in frames]),
        fovs=np.array([_fov(frame) for frame in frames]),
        seconds=seconds,
        told=tuple(told),
    )


def _fov(frame: Frame) -> float:
    across = max(frame.width / frame.fl_x, frame.height / frame.fl_y)
    return float(np.rad2deg(2 * np.arctan(across / 2)))


def _not_as_shown(frames: list[Frame]) -> list[str]:
    """What of the lenses the viewer has not."""
    off = [max(abs(f.cx / f.width - 0.5), abs(f.cy / f.height - 0.5)) > CENTERED for f in frames]
    counts = {
        "lens distortion": sum(not f.is_pinhole for f in frames),
        "a picture that is not centered": sum(off),
        "pixels that are not square": sum(abs(f.fl_x / f.fl_y - 1) > SQUARE for f in frames),
    }
    return [f"{what} ({count} of {len(frames)} cameras)" for what, count in counts.items() if count]


def rolled(path: CameraPath, to_page: Doubles) -> int:
    """How many cameras are rolled where y is up, which the viewer's never are."""
    linear = to_page[:3, :3] @ path.camera_to_world[:, :3, :3]
    axes = linear / np.maximum(np.linalg.norm(linear, axis=1, keepdims=True), 1e-12)
    lean = np.abs(axes[:, 1, 0])  # the camera's own x, which lies level where it is not rolled
    turned_over = axes[:, 1, 1] < 0
    return int(np.count_nonzero((lean > np.sin(np.deg2rad(LEVEL))) | turned_over))


def camera_settings(a: SplatArrays, path: CameraPath | None, to_page: Doubles) -> dict[str, Any]:
    """The viewer's settings `cameras`, `animTracks` and `startMode`.

    Args:
        a: the splats.
        path: the cameras, in the splats' world; None for a view of all.
        to_page: (4, 4) from that world to the page's (y up).
    """
    center, radius = _middle(a, to_page)
    if path is None:
        distance = radius / np.sin(np.deg2rad(ACROSS / 2))
        direction = np.array([0.0, 0.35, 1.0]) / np.hypot(0.35, 1.0)
        return _start(center + distance * direction, center, FOV)
    placed = to_page @ path.camera_to_world
    forward = -placed[:, :3, 2] / np.linalg.norm(placed[:, :3, 2], axis=1, keepdims=True)
    eyes = placed[:, :3, 3]
    # as far as what is looked at, so that orbiting begins about it
    ahead = np.einsum("nk,nk->n", center - eyes, forward)
    targets = eyes + np.maximum(ahead, 0.1 * radius)[:, None] * forward
    settings = _start(eyes[0], targets[0], float(path.fovs[0]))
    if len(eyes) > 1:
        settings["startMode"] = "animTrack"
        settings["animTracks"] = [_track(eyes, targets, path)]
    return settings


def _start(eye: Doubles, target: Doubles, fov: float) -> dict[str, Any]:
    pose = {"position": _numbers(eye), "target": _numbers(target), "fov": round(fov, 4)}
    return {"cameras": [{"initial": pose}], "animTracks": [], "startMode": "default"}


def _track(eyes: Doubles, targets: Doubles, path: CameraPath) -> dict[str, Any]:
    """A path that ends where it began goes round; others go there and back."""
    extent = np.linalg.norm(np.ptp(eyes, axis=0))
    closed = len(eyes) > 3 and np.linalg.norm(eyes[-1] - eyes[0]) < CLOSED * extent
    return {
        "name": "Camera",
        "duration": round(float(path.seconds[-1]), 6),
        "frameRate": RATE,
        "loopMode": "repeat" if closed else "pingpong",
        "interpolation": "spline",
        "smoothness": 1,
        "keyframes": {
            "times": _numbers(path.seconds * RATE),
            "values": {
                "position": _numbers(eyes),
                "target": _numbers(targets),
                "fov": _numbers(path.fovs),
            },
        },
    }


def _middle(a: SplatArrays, to_page: Doubles) -> tuple[Doubles, float]:
    """Center (3,) and radius, in the page, of what is seen without surroundings and strays."""
    seen = opacities_of(a) > 0.1
    around = a.extra.get("surroundings")
    if around is not None and (seen & (around == 0)).any():
        seen &= around == 0
    means = np.asarray(a.means[seen] if seen.any() else a.means, np.float64)
    means = means @ to_page[:3, :3].T + to_page[:3, 3]
    center = np.median(means, axis=0)
    away = np.linalg.norm(means - center, axis=1)
    return center, max(float(np.quantile(away, 0.9)), 1e-6)


def _numbers(values: Doubles) -> list[float]:
    """Flat, with the digits that a viewer of single precision has."""
    return [float(f"{v:.7g}") for v in np.asarray(values).ravel()]
