"""From a COLMAP reconstruction to a capture: undistorted pictures, pinhole cameras, sparse
points.
"""

import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pycolmap
from PIL import Image

from ...formats import capture, points_ply, tracks_file
from ...formats.capture import Frame
from ...geometry.conventions import from_viewmat
from ...protocol import InputError
from .colmap_command import ColmapTask

TRACKS, SHORTEST_TRACK = 300, 4  # that are kept for people to look at
MOST_GIVEN = 20_000  # points without tracks that depth starts from
# cells along a picture's side; relative depth from which a point is hidden by another of its cell
HIDING, BEHIND = (
    24,
    1.1,
)
PINHOLE = ("PINHOLE", "SIMPLE_PINHOLE")


def _drop_missing(model: pycolmap.Reconstruction, folder: Path) -> int:
    """Takes images without a pose or without a picture out of the model; how many."""
    for image in model.images.values():
        name = PurePosixPath(image.name.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in image.name:
            raise InputError(
                f"The model names a picture outside its folder: {image.name!r}.",
                "Move the pictures beside the model.",
            )
    gone = [
        image
        for image in list(model.images.values())
        if not (image.has_pose and (folder / image.name).is_file())
    ]
    if len(gone) == len(model.images):
        raise InputError(
            "None of the model's pictures was found.",
            f"Put the pictures into {folder.name}/ beside the model.",
        )
    for image in gone:
        if image.has_pose:
            model.deregister_frame(image.frame_id)
    return len(gone)


def _fit_to_images(model: pycolmap.Reconstruction, folder: Path) -> None:
    """Models are often solved on larger pictures than those that lie beside them."""
    fitted, scales = set(), {}
    for image in model.images.values():
        if image.has_pose and image.camera_id not in fitted:
            camera, size = model.cameras[image.camera_id], capture.image_size(folder / image.name)
            if (camera.width, camera.height) != size:
                scales[image.camera_id] = np.array(size) / (camera.width, camera.height)
                camera.rescale(*size)
            fitted.add(image.camera_id)
    for image in model.images.values():
        if image.camera_id in scales:
            for point in image.points2D:
                point.xy = point.xy * scales[image.camera_id]


def _undistort_alpha(
    folder: Path, names: list[str], solved: Path, work: Path, threads: int
) -> None:
    """COLMAP keeps colours only: the transparency goes the same way as a grey picture and is put
    back.
    """
    with Image.open(folder / names[0]) as first:
        if "A" not in first.getbands():
            return
    for name in names:
        (work / "alpha" / name).parent.mkdir(parents=True, exist_ok=True)
        with Image.open(folder / name) as image:
            image.convert("RGBA").getchannel("A").save(work / "alpha" / name)
    pycolmap.undistort_images(
        work / "undistorted-alpha", solved, work / "alpha", image_names=names, num_threads=threads
    )
    for name in names:
        place = work / "undistorted" / "images" / name
        with (
            Image.open(place) as color,
            Image.open(work / "undistorted-alpha" / "images" / name) as alpha,
        ):
            merged = color.convert("RGB")
            merged.putalpha(alpha.convert("L"))
        merged.save(place)


def _undistort(
    model: pycolmap.Reconstruction, task: ColmapTask
) -> tuple[pycolmap.Reconstruction, Path]:
    """The model with pinhole cameras and the folder of its pictures."""
    if all(camera.model.name in PINHOLE for camera in model.cameras.values()):
        return model, Path(task.images)
    work = Path(task.work)
    (work / "solved").mkdir(exist_ok=True)
    model.write(work / "solved")
    names = [image.name for image in model.images.values() if image.has_pose]
    pycolmap.undistort_images(
        work / "undistorted",
        work / "solved",
        task.images,
        image_names=names,
        jpeg_quality=95,
        num_threads=task.threads,
    )
    _undistort_alpha(Path(task.images), names, work / "solved", work, task.threads)
    return pycolmap.Reconstruction(work / "undistorted" / "sparse"), work / "undistorted" / "images"


def _order(model: pycolmap.Reconstruction, task: ColmapTask) -> list[pycolmap.Image]:
    by_name = {image.name: image for image in model.images.values() if image.has_pose}
    return [by_name[name] for name in (task.names or sorted(by_name)) if name in by_name]


def _frames(model: pycolmap.Reconstruction, folder: Path, task: ColmapTask) -> list[Frame]:
    """Puts the pictures into the capture, numbered, so that every program takes them for a
    sequence.
    """
    times = dict(zip(task.names, task.times, strict=True)) if task.times else {}
    sources = dict(zip(task.names, task.sources, strict=True)) if task.sources else {}
    images = Path(task.output) / "images"
    images.mkdir(exist_ok=True)
    frames = []
    for number, image in enumerate(_order(model, task), 1):
        name, camera = image.name, model.cameras[image.camera_id]
        place = images / f"{number:04d}{Path(name).suffix.lower()}"
        shutil.copyfile(folder / name, place)
        viewmat = np.vstack([image.cam_from_world().matrix(), [0, 0, 0, 1]])
        source = sources.get(name, name)
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
                source=source,
            )
        )
        image.name = place.name
    return frames


def _points(model: pycolmap.Reconstruction, task: ColmapTask) -> tuple[np.ndarray, np.ndarray]:
    if task.points:
        return points_ply.read(Path(task.points))
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
    images, path = sorted(_placed(model), key=lambda i: i.name), Path(task.work) / "visible.npz"
    if task.points:  # they came without tracks
        xyz = points_ply.read(Path(task.points))[0].astype(np.float64)
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
    order = {
        image.image_id: number
        for number, image in enumerate(sorted(_placed(model), key=lambda i: i.name), 1)
    }
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
    return [image for image in model.images.values() if image.has_pose]


def export(model: pycolmap.Reconstruction, task: ColmapTask) -> dict[str, Any]:
    """Writes the capture into the task's output folder; returns figures about the solve."""
    output = Path(task.output)
    dropped = _drop_missing(model, Path(task.images))
    _fit_to_images(model, Path(task.images))
    error = model.compute_mean_reprojection_error() if model.num_points3D() else 0.0
    sensor = next(iter(model.cameras.values()))
    model, folder = _undistort(model, task)
    frames = _frames(model, folder, task)
    _visible(model, task)
    _tracks(model, output)
    points, colors = _points(model, task)
    sparse = output / "sparse" / "0"
    sparse.mkdir(parents=True, exist_ok=True)
    model.write(sparse)
    points_ply.write(output / "points3D.ply", points, colors)
    capture.write(output, frames, output / "points3D.ply", task.fps)
    return {
        "registered": len(frames),
        "dropped": dropped,
        "points": len(points),
        "reprojection_px": float(error),
        "track_length": float(model.compute_mean_track_length()) if model.num_points3D() else 0.0,
        "focal_px": frames[0].fl_x,
        "camera_model": sensor.model.name,
        "camera_params": [float(p) for p in sensor.params],
    }
