"""From a COLMAP reconstruction to a capture: undistorted pictures, pinhole cameras, sparse
points.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap

from ...formats import capture, points_ply, tracks_file
from ...formats.capture import Frame, World
from ...formats.natural_order import natural_key
from ...geometry.conventions import from_viewmat
from .colmap_command import ColmapTask
from .turn_back import turn_back
from .undistort import StraightPictures, straighten

TRACKS, SHORTEST_TRACK = 300, 4  # that are kept for people to look at
MOST_GIVEN = 20_000  # points without tracks that depth starts from
# cells along a picture's side; relative depth from which a point is hidden by another of its cell
HIDING, BEHIND = (
    24,
    1.1,
)


def _order(model: pycolmap.Reconstruction, task: ColmapTask) -> list[pycolmap.Image]:
    by_name = {image.name: image for image in model.images.values() if image.has_pose}
    return [by_name[name] for name in task.names if name in by_name]


def _frames(straight: StraightPictures, task: ColmapTask) -> list[Frame]:
    """Puts the pictures and their masks into the capture, numbered, so that every program takes
    them for a sequence.
    """
    times = dict(zip(task.names, task.times, strict=True)) if task.times else {}
    sources = dict(zip(task.names, task.sources, strict=True)) if task.sources else {}
    images, masks = Path(task.output) / "images", Path(task.output) / "masks"
    images.mkdir(exist_ok=True)
    frames = []
    for number, image in enumerate(_order(straight.model, task), 1):
        name, camera = image.name, straight.model.cameras[image.camera_id]
        place = images / f"{number:04d}{Path(name).suffix.lower()}"
        shutil.copyfile(straight.images / name, place)
        mask = straight.masks / f"{name}.png" if straight.masks else None
        if mask is not None and mask.is_file():
            masks.mkdir(exist_ok=True)
            shutil.copyfile(mask, masks / f"{place.stem}.png")
        viewmat = np.vstack([image.cam_from_world().matrix(), [0, 0, 0, 1]])
        frames.append(
            Frame(
                image=place,
                camera_to_world=from_viewmat(viewmat),
                fl_x=camera.focal_length_x,
                fl_y=camera.focal_length_y,
                cx=camera.principal_point_x,
                cy=camera.principal_point_y,
                width=camera.width,
                height=camera.height,
                time=times.get(name),
                source=sources.get(name, name),
                mask=p if (p := masks / f"{place.stem}.png").is_file() else None,
            )
        )
        image.name = place.name
    return frames


def _world(task: ColmapTask) -> World:
    applied = None if task.applied is None else np.array(task.applied, np.float64)
    return World(offset=np.array(task.offset or (0.0, 0.0, 0.0)), applied=applied)


def _points(model: pycolmap.Reconstruction, task: ColmapTask) -> tuple[np.ndarray, np.ndarray]:
    if task.points:
        return points_ply.read(Path(task.points))[:2]
    good = [p for p in model.points3D.values() if np.isfinite(p.xyz).all()]
    points = np.array([p.xyz for p in good], np.float32).reshape(-1, 3)
    return _near(points, np.array([p.color for p in good], np.uint8).reshape(-1, 3))


def _near(points: np.ndarray, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without points that lie fifty times as far out as most: two rays that hardly crossed."""
    if not len(points):
        return points, colors
    distance = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    keep = distance <= 50 * max(float(np.median(distance)), 1e-9)
    return points[keep], colors[keep]


def _unhidden(
    points: np.ndarray, model: pycolmap.Reconstruction, image: pycolmap.Image
) -> np.ndarray:
    """Indices of the points (N, 3) that fall into the picture and have none clearly before them
    nearby.
    """
    camera, pose = model.cameras[image.camera_id], image.cam_from_world().matrix()
    local = points @ pose[:, :3].T + pose[:, 3]
    depth = local[:, 2]
    with np.errstate(all="ignore"):
        u = camera.focal_length_x * local[:, 0] / depth + camera.principal_point_x
        v = camera.focal_length_y * local[:, 1] / depth + camera.principal_point_y
    here = np.flatnonzero(
        (depth > 1e-6) & (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height)
    )
    side = max(camera.width, camera.height) / HIDING
    cell = (u[here] // side).astype(np.int64) * HIDING + (v[here] // side).astype(np.int64)
    nearest = np.full(HIDING * HIDING, np.inf)
    np.minimum.at(nearest, cell, depth[here])
    return np.asarray(here[depth[here] < BEHIND * nearest[cell]])


def _visible(model: pycolmap.Reconstruction, task: ColmapTask) -> None:
    """Which points every picture of the capture sees, for the dense depth that follows."""
    images, path = _placed(model), Path(task.work) / "visible.npz"
    if task.points:  # they came without tracks
        xyz = points_ply.read(Path(task.points)).positions.astype(np.float64)
        xyz = xyz[:: -(-len(xyz) // MOST_GIVEN) or 1]
        visible = [_unhidden(xyz, model, image) for image in images]
        np.savez(
            path,
            points=xyz,
            counts=np.array([len(f) for f in visible], np.int64),
            seen=np.concatenate(visible),
        )
        return
    ids = sorted(model.points3D)
    number = {point: i for i, point in enumerate(ids)}
    xyz = np.array([model.points3D[i].xyz for i in ids], np.float64).reshape(-1, 3)
    seen = [[number[p.point3D_id] for p in image.points2D if p.has_point3D()] for image in images]
    counts = np.array([len(s) for s in seen], np.int64)
    np.savez(path, points=xyz, counts=counts, seen=np.array([i for s in seen for i in s], np.int64))


def _tracks(model: pycolmap.Reconstruction, output: Path) -> None:
    """The longest tracks, for matchmoving: where they were seen in the capture's pictures."""
    best = sorted(model.points3D.values(), key=lambda p: -p.track.length())[:TRACKS]
    order = {image.image_id: number for number, image in enumerate(_placed(model), 1)}
    rows = []
    for number, point in enumerate(p for p in best if p.track.length() >= SHORTEST_TRACK):
        for element in point.track.elements:
            image = model.images[element.image_id]
            camera, xy = model.cameras[image.camera_id], image.points2D[element.point2D_idx].xy
            rows.append(
                (order[element.image_id], number, xy[0] / camera.width, xy[1] / camera.height)
            )
    if rows:
        tracks_file.write(output / "tracks.npz", np.array(sorted(rows, key=lambda r: (r[1], r[0]))))


def _placed(model: pycolmap.Reconstruction) -> list[pycolmap.Image]:
    """In the order of the capture's frames."""
    return sorted(
        (i for i in model.images.values() if i.has_pose), key=lambda i: natural_key(i.name)
    )


def export(model: pycolmap.Reconstruction, task: ColmapTask) -> dict[str, Any]:
    """Writes the capture into the task's output folder; returns figures about the solve."""
    output = Path(task.output)
    error = model.compute_mean_reprojection_error() if model.num_points3D() else 0.0
    sensor = next(iter(model.cameras.values()))
    straight = straighten(model, task)
    turns = dict(zip(task.names, task.turns, strict=True)) if task.turns else {}
    straight = turn_back(straight, turns, Path(task.work))
    model = straight.model
    frames = _frames(straight, task)
    _visible(model, task)
    _tracks(model, output)
    points, colors = _points(model, task)
    sparse = output / "sparse" / "0"
    sparse.mkdir(parents=True, exist_ok=True)
    model.write(sparse)
    points_ply.write(output / "points3D.ply", points, colors)
    capture.write(output, frames, output / "points3D.ply", world=_world(task), fps=task.fps)
    return {
        "registered": len(frames),
        "dropped": 0,
        "told": straight.told,
        "points": len(points),
        "reprojection_px": float(error),
        "track_length": float(model.compute_mean_track_length()) if model.num_points3D() else 0.0,
        "focal_px": frames[0].fl_x,
        "camera_model": sensor.model.name,
        "camera_params": [float(p) for p in sensor.params],
    }
