"""COLMAP in a process of its own: `python -m backend.cameras.colmap.process TASK.json`.

Speaks JSON lines: {"stage": …}, {"step": …, "total": …}, {"count": table, "total": …}, and at the
end {"stats": {…}} or {"error": what, "advice": …}. It ends when its standard input closes, because
then the worker that started it is gone.
"""

import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image  # before pycolmap: loaded after it, Pillow's PNG writer corrupts the heap

import pycolmap  # isort: skip

from ...formats.capture import image_size
from ...formats.natural_order import natural_key
from ...protocol import InputError
from ...runtime.explain import explain
from ...runtime.parent import die_with_parent
from ...runtime.stdin_lines import lines_of_stdin
from . import export as colmap_export
from .channel import Channel
from .colmap_command import ColmapTask, KnownCamera
from .gate import GatedModel, pass_gate, read_model
from .mapping import THREADS, map_cameras
from .match import matched_database, read_tracks, why_nothing
from .solved import Solved, load as load_solved
from .sound_lenses import with_sound_lenses

Image.init()
# pixels; a lens that bends rays back on themselves sends points beyond all bounds
FARTHEST_MISS = 1e3


def match(task: ColmapTask, channel: Channel) -> dict[str, Any]:
    """Tracks of the pictures, left in `task.solved`."""
    with matched_database(task, channel, per_image=False) as database:
        tracks, none = read_tracks(database, task.names), np.zeros(0)
        Solved(
            frames=none.astype(np.int64),
            viewmats=none.reshape(0, 4, 4),
            focals=none,
            radial=np.zeros(2),
            tracks=tracks,
        ).save(Path(task.solved))
        return {"why_nothing": why_nothing(database, len(task.names))}


def write(task: ColmapTask, channel: Channel) -> pycolmap.Reconstruction:
    """A model of the cameras, points and tracks in `task.solved`."""
    solved = load_solved(Path(task.solved))
    model, one_lens = pycolmap.Reconstruction(), bool(np.ptp(solved.focals) < 1e-9)
    sizes = [image_size(Path(task.images) / task.names[i]) for i in solved.frames]
    keypoints = [solved.tracks.uv[solved.tracks.frame == i] for i in solved.frames]
    for number, frame in enumerate(solved.frames):
        (width, height), camera_id = sizes[number], 1 if one_lens else number + 1
        focal, flat = float(solved.focals[number]), not solved.radial.any()
        params = (
            [focal, focal, width / 2, height / 2]
            if flat
            else [focal, width / 2, height / 2, *solved.radial]
        )
        if camera_id not in model.cameras:
            camera = pycolmap.Camera(
                model="PINHOLE" if flat else "RADIAL",
                width=width,
                height=height,
                params=params,
                camera_id=camera_id,
            )
            model.add_camera_with_trivial_rig(camera)
        image = pycolmap.Image(
            name=task.names[frame],
            camera_id=camera_id,
            image_id=int(frame) + 1,
            keypoints=keypoints[number],
        )
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(solved.viewmats[number][:3]))
    _add_points(model, solved)
    model.update_point_3d_errors()
    for point in [number for number, p in model.points3D.items() if not p.error < FARTHEST_MISS]:
        model.delete_point3D(point)
    if model.num_points3D():
        model.extract_colors_for_all_images(task.images)
    return model


def _add_points(model: pycolmap.Reconstruction, solved: Solved) -> None:
    """Tracks with their points; an observation's number is its place among those of its frame, as
    in `write`.
    """
    number = np.zeros(len(solved.tracks.frame), np.int64)
    for frame in solved.frames:
        mine = np.flatnonzero(solved.tracks.frame == frame)
        number[mine] = np.arange(len(mine))
    bounds = np.searchsorted(solved.tracks.point, np.arange(solved.tracks.points + 1))
    for point, xyz in enumerate(solved.points):
        rows = range(bounds[point], bounds[point + 1])
        elements = [
            pycolmap.TrackElement(int(solved.tracks.frame[r]) + 1, int(number[r])) for r in rows
        ]
        model.add_point3D(xyz, pycolmap.Track(elements))


def _add_known(model: pycolmap.Reconstruction, ids: tuple[int, int], camera: KnownCamera) -> None:
    image_id, camera_id = ids
    if camera_id not in model.cameras:
        known = pycolmap.Camera(
            model=camera.model,
            width=camera.size[0],
            height=camera.size[1],
            params=camera.params,
            camera_id=camera_id,
        )
        model.add_camera_with_trivial_rig(known)
    pose = pycolmap.Rigid3d(np.array(camera.viewmat)[:3])
    model.add_image_with_trivial_frame(
        pycolmap.Image(name=camera.name, camera_id=camera_id, image_id=image_id), pose
    )


def triangulate(task: ColmapTask, channel: Channel) -> pycolmap.Reconstruction:
    """Points for cameras that are given, which stay as they are."""
    by_name = {camera.name: camera for camera in task.known}
    lenses = list(dict.fromkeys(camera.lens for camera in task.known))
    shared, model = len(lenses) == 1, pycolmap.Reconstruction()
    if task.points:
        for number, name in enumerate(task.names, 1):
            camera = by_name[name]
            _add_known(model, (number, lenses.index(camera.lens) + 1), camera)
        return model
    if len(task.names) < 2:
        raise InputError(
            "Only one camera of the input can be used, and it came without points.",
            "Points are found between two pictures or more: bring the others, or a point cloud.",
        )
    with matched_database(task, channel, per_image=not shared) as database:
        with pycolmap.Database.open(database) as db:
            for image in sorted(db.read_all_images(), key=lambda i: natural_key(i.name)):
                _add_known(model, (image.image_id, image.camera_id), by_name[image.name])
            for camera in model.cameras.values():
                db.update_camera(camera)
        return _triangulated(task, channel, database, model)


def _triangulated(
    task: ColmapTask, channel: Channel, database: Path, model: Any
) -> pycolmap.Reconstruction:
    channel.send(stage="Triangulating points")
    out = Path(task.work) / "triangulated"
    out.mkdir(exist_ok=True)
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads, options.random_seed = THREADS, task.seed
    return pycolmap.triangulate_points(model, database, task.images, out, options=options)


def read_and_gate(task: ColmapTask, channel: Channel) -> GatedModel:
    """A COLMAP model, binary or text, with what of it can be used."""
    channel.send(stage="Reading the COLMAP model")
    return pass_gate(read_model(task), task)


def main() -> int:
    """Runs the task whose file the command line names; the exit status."""
    die_with_parent()
    channel = Channel()
    threading.Thread(target=lambda: (list(lines_of_stdin()), os._exit(70)), daemon=True).start()
    pycolmap.logging.minloglevel = 1
    task = ColmapTask.read(Path(sys.argv[1]))
    pycolmap.set_random_seed(task.seed)
    try:
        if task.kind in ("match", "map"):
            channel.send(
                stats=match(task, channel) if task.kind == "match" else map_cameras(task, channel)
            )
            return 0
        if task.kind == "model":
            gated = read_and_gate(task, channel)
            channel.send(stage="Writing the capture")
            stats = colmap_export.export(gated.model, gated.task)
            stats |= {"dropped": gated.dropped, "told": [*gated.told, *stats["told"]]}
        else:
            told: list[str] = []
            if task.kind == "known":
                task, told = with_sound_lenses(task)
            model = (triangulate if task.kind == "known" else write)(task, channel)
            channel.send(stage="Writing the capture")
            stats = colmap_export.export(model, task)
            stats["told"] = [*told, *stats["told"]]
        channel.send(stats=stats)
    except Exception as error:  # noqa: BLE001 - this process's boundary: the worker gets a sentence, the log the rest
        known = explain(error)
        if known is not error:
            traceback.print_exc()
        channel.send(error=known.what, advice=known.advice, code=known.code)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
