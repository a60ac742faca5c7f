"""COLMAP in a process of its own: `python -m backend.cameras.colmap_process TASK.json`.

Speaks JSON lines: {"stage": …}, {"step": …, "total": …}, and at the end {"stats": {…}} or {"error": what, "advice": …}.
It ends when its standard input closes, because then the worker that started it is gone.
"""

import json
import os
import sqlite3
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image  # before pycolmap: loaded after it, Pillow's PNG writer corrupts the heap

import pycolmap  # isort: skip

from ..formats.capture import picture_size
from ..protocol import InputError, SolveError
from ..runtime.cancel import lines_of_stdin
from ..runtime.device import die_with_parent
from ..runtime.job import explain
from . import colmap_export
from .pairs import image_pairs
from .task import ColmapTask

FILM_BETTER = (
    "Move the camera sideways around the subject instead of turning on the spot, film slowly in good light, keep"
    " textured things in view, and let neighbouring pictures overlap by two thirds."
)


Image.init()


class Channel:
    """Lines to the worker, on a descriptor that COLMAP's own prints can't reach."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def send(self, **message: Any) -> None:
        os.write(self._descriptor, json.dumps(message).encode() + b"\n")


class CountRows:
    """Reports, twice a second, how many rows a table of the database has: COLMAP itself tells nothing on the way."""

    def __init__(self, channel: Channel, database: Path, table: str, total: int) -> None:
        self._channel, self._database, self._table, self._total = channel, database, table, total
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.5):
            try:
                with sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=0.1) as connection:
                    (count,) = connection.execute(f"SELECT COUNT(*) FROM {self._table}").fetchone()
            except sqlite3.Error:
                continue
            self._channel.send(step=min(count, self._total), total=self._total)


def extract_and_match(task: ColmapTask, channel: Channel, per_image: bool) -> Path:
    """Features and verified matches of all pictures in a new database."""
    database = Path(task.work) / "database.db"
    database.unlink(missing_ok=True)
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "SIMPLE_RADIAL" if len(task.names) < 12 else "OPENCV"
    if task.focal > 0 and not per_image:
        width, height = picture_size(Path(task.images) / task.names[0])
        centre = [width / 2, height / 2]
        values = [task.focal, *centre, 0] if reader.camera_model == "SIMPLE_RADIAL" else [task.focal, task.focal, *centre, 0, 0, 0, 0]
        reader.camera_params = ",".join(map(str, values))
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.num_threads, extraction.use_gpu = task.threads, False
    extraction.sift.max_num_features = task.features
    mode = pycolmap.CameraMode.PER_IMAGE if per_image else pycolmap.CameraMode.SINGLE
    channel.send(stage="Finding features")
    with CountRows(channel, database, "keypoints", len(task.names)):
        pycolmap.extract_features(
            database, task.images, image_names=task.names, camera_mode=mode, reader_options=reader,
            extraction_options=extraction, device=pycolmap.Device.cpu,
        )  # fmt: skip
    pairs = image_pairs(task.names, task.ordered)
    listing = Path(task.work) / "pairs.txt"
    listing.write_text("".join(f"{a} {b}\n" for a, b in pairs), encoding="utf-8")
    matching, pairing = pycolmap.FeatureMatchingOptions(), pycolmap.ImportedPairingOptions()
    matching.num_threads, matching.use_gpu = task.threads, False
    pairing.match_list_path, pairing.block_size = str(listing), 100
    channel.send(stage="Matching pictures")
    with CountRows(channel, database, "two_view_geometries", len(pairs)):
        pycolmap.match_image_pairs(database, matching_options=matching, pairing_options=pairing, device=pycolmap.Device.cpu)
    return database


def _why_nothing(database: Path, count: int) -> str:
    with sqlite3.connect(database) as connection:
        (features,) = connection.execute("SELECT AVG(rows) FROM keypoints").fetchone()
        (linked,) = connection.execute("SELECT COUNT(*) FROM two_view_geometries WHERE rows > 15").fetchone()
    if (features or 0) < 100:
        return "the pictures show too little texture (blank, dark or blurred)"
    if linked < count // 2:
        return "neighbouring pictures have too little in common"
    return "the camera moved too little for depth to be seen, or only turned"


def solve(task: ColmapTask, channel: Channel) -> tuple[pycolmap.Reconstruction, dict[str, Any]]:
    """Cameras from nothing but pictures; the model with most of them."""
    database = extract_and_match(task, channel, per_image=False)
    out = Path(task.work) / "models"
    out.mkdir(exist_ok=True)
    channel.send(stage="Solving cameras")
    registered = 2

    def one_more() -> None:
        nonlocal registered
        registered = min(registered + 1, len(task.names))
        channel.send(step=registered, total=len(task.names))

    if task.mapper == "global":
        options = pycolmap.GlobalPipelineOptions()
        options.num_threads, options.random_seed = task.threads, task.seed
        models = pycolmap.global_mapping(database, task.images, out, options)
    else:
        incremental = pycolmap.IncrementalPipelineOptions()
        incremental.num_threads, incremental.random_seed, incremental.min_model_size = task.threads, task.seed, 3
        incremental.ba_refine_focal_length = True
        models = pycolmap.incremental_mapping(database, task.images, out, incremental, next_image_callback=one_more)
    best = max(models.values(), key=lambda m: m.num_reg_images(), default=None)
    if best is None or best.num_reg_images() < 3:
        found = best.num_reg_images() if best else 0
        raise SolveError(
            f"No cameras could be found: {found} of {len(task.names)} pictures fit together; {_why_nothing(database, len(task.names))}.",
            FILM_BETTER,
        )
    return best, {"models": len(models)}


def _add_known(model: pycolmap.Reconstruction, name: str, ids: tuple[int, int], size: tuple[int, int], camera: Any) -> None:
    image_id, camera_id = ids
    flat = not any(camera.params[4:])
    params = camera.params[:4] if flat else camera.params
    known = pycolmap.Camera(model="PINHOLE" if flat else "OPENCV", width=size[0], height=size[1], params=params, camera_id=camera_id)
    if camera_id not in model.cameras:
        model.add_camera_with_trivial_rig(known)
    pose = pycolmap.Rigid3d(np.array(camera.viewmat)[:3])
    model.add_image_with_trivial_frame(pycolmap.Image(name=name, camera_id=camera_id, image_id=image_id), pose)


def triangulate(task: ColmapTask, channel: Channel) -> tuple[pycolmap.Reconstruction, dict[str, Any]]:
    """Points for cameras that are given, which stay as they are."""
    by_name = {camera.name: camera for camera in task.known}
    shared = len({tuple(camera.params) for camera in task.known}) == 1
    model = pycolmap.Reconstruction()
    if task.points:
        for index, name in enumerate(task.names):
            size = picture_size(Path(task.images) / name)
            _add_known(model, name, (index + 1, 1 if shared else index + 1), size, by_name[name])
        return model, {}
    database = extract_and_match(task, channel, per_image=not shared)
    with pycolmap.Database.open(database) as db:
        images, cameras = db.read_all_images(), {c.camera_id: c for c in db.read_all_cameras()}
        for image in sorted(images, key=lambda i: i.name):
            size = cameras[image.camera_id].width, cameras[image.camera_id].height
            _add_known(model, image.name, (image.image_id, image.camera_id), size, by_name[image.name])
        for camera in model.cameras.values():
            db.update_camera(camera)
    channel.send(stage="Triangulating points")
    out = Path(task.work) / "triangulated"
    out.mkdir(exist_ok=True)
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads, options.random_seed = task.threads, task.seed
    return pycolmap.triangulate_points(model, database, task.images, out, options=options), {}


def read_model(task: ColmapTask, channel: Channel) -> tuple[pycolmap.Reconstruction, dict[str, Any]]:
    """A COLMAP model, binary or text; images whose picture is missing are left out."""
    channel.send(stage="Reading the COLMAP model")
    try:
        model = pycolmap.Reconstruction(task.model)
    except (ValueError, RuntimeError, IndexError, OSError) as error:
        raise InputError("The COLMAP model is damaged or incomplete.", "It needs cameras, images and points3D, as .bin or .txt.") from error
    return model, {}


def main() -> int:
    die_with_parent()
    channel = Channel()
    threading.Thread(target=lambda: (list(lines_of_stdin()), os._exit(70)), daemon=True).start()
    pycolmap.logging.minloglevel = 1
    task = ColmapTask.read(Path(sys.argv[1]))
    pycolmap.set_random_seed(task.seed)
    steps = {"solve": solve, "known": triangulate, "model": read_model}
    try:
        model, stats = steps[task.kind](task, channel)
        channel.send(stage="Writing the capture")
        stats |= colmap_export.export(model, task)
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
