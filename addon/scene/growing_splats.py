"""Splats that grow in the viewport while they train: a stand-in that goes when the result comes."""

from pathlib import Path

import bpy

from ...backend.formats import splat_ply
from ...backend.protocol import InputError
from ..jobs.record import JobRecord
from .captures import cameras, collections
from .splats import pointclouds, splats

HIDES = "splatsmith_hides_points"  # on a stand-in: the capture's points were to be seen before


def stand_in(number: int) -> bpy.types.Object | None:
    """The object of a job's splats so far."""
    return next((o for o in bpy.data.objects if o.get(splats.GROWING) == number), None)


def follow(job: JobRecord) -> None:
    """Shows what a training has so far, where its previews hold splats."""
    path = Path(job.preview).with_name(splat_ply.FILE)
    if job.request.verb == "splats":
        show(bpy.context.scene, job.number, path, job.request.input)


def show(scene: bpy.types.Scene, number: int, path: Path, capture: str) -> None:
    """The splats of the file as the job's stand-in; where the file can't be read, or its capture is
    not in the scene, the viewport stays as it is.
    """
    root = collections.find_root(scene, capture)
    if root is None or not path.is_file():
        return
    try:
        arrays = splats.read_file(path)
    except InputError:  # half a file of a worker that was killed
        return
    before = stand_in(number)
    hides = before[HIDES] if before else cameras.hide_points(root)
    if before:
        _take_away(before)
    cloud = splats.add_one(arrays, "", "Training", root.users_collection[0], root)
    cloud[splats.GROWING], cloud.hide_select, cloud.hide_render = number, True, True
    cloud[HIDES] = hides
    del cloud[splats.MARK]


def remove(number: int | None = None) -> None:
    """Takes a job's stand-in away, and shows the capture's points again where it hid them; without
    a number all that were left in a file.
    """
    for cloud in [o for o in bpy.data.objects if splats.GROWING in o]:
        if number is None or cloud[splats.GROWING] == number:
            points = cameras.points_of(cloud.parent) if cloud.get(HIDES) and cloud.parent else None
            if points and points.name in bpy.context.view_layer.objects:
                points.hide_set(False)
            _take_away(cloud)


def _take_away(cloud: bpy.types.Object) -> None:
    data = cloud.data
    bpy.data.objects.remove(cloud)
    pointclouds.discard(data)
