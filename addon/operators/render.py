"""Stills and animations by the backend's rasteriser, through the scene camera: the true 3DGS look,
with alpha.
"""

import json

import bpy
import numpy as np

from ...backend.formats import semantics_file, splat_ply
from ...backend.formats.splat_ply import SplatArrays
from ...backend.protocol import InputError, Request
from ...backend.runtime import atomic
from ...backend.semantics.rendering.render_verb import RenderOptions
from .. import preferences
from ..blender_types import OperatorResult
from ..jobs import folders
from ..scene.captures.solved_camera import pose_record
from ..scene.objects import objects
from ..scene.splats import marks, splats
from ..scene.viewport.splat_colors import to_srgb
from .common import compute_ready, guarded, run_in_folder


def camera_records(scene: bpy.types.Scene, frames: list[int]) -> list[dict[str, object]]:
    """The scene camera at each frame, in the scene's own space."""
    scale = scene.render.resolution_percentage / 100
    width, height = (
        max(1, int(side * scale)) for side in (scene.render.resolution_x, scene.render.resolution_y)
    )
    if scene.camera is None:
        raise InputError("The scene has no camera.", "Add one, or make one active.")
    current, records = scene.frame_current, []
    try:
        for number in frames:
            scene.frame_set(number)
            record = pose_record(scene, scene.camera, width, height)
            records.append({**record, "file_path": f"{number:06d}.png"})
    finally:
        scene.frame_set(current)
    return records


def all_shown(
    context: bpy.types.Context, records: list[dict[str, object]] | None = None
) -> SplatArrays:
    """Every splat that the viewport shows, where it stands in the scene. With a list of `records`,
    which grows by the objects of all splats, each has the number of its object (or group of
    objects) there and how well words fit, and no other properties.
    """
    shown = []
    for cloud in [c for c in splats.visible_splats(context) if not c.hide_render]:
        arrays = splats.read_moved(cloud, in_scene=True)
        if records is not None:
            arrays.extra = _marks_of(cloud, len(arrays), records)
        shown.append(splat_ply.take(arrays, ~marks.away(cloud)))
    if not any(len(each) for each in shown):
        raise InputError("All splats are hidden.", "Show some again: panel 4, or the Outliner.")
    return splat_ply.joined([each for each in shown if len(each)])


def _marks_of(
    cloud: bpy.types.Object, count: int, records: list[dict[str, object]]
) -> dict[str, np.ndarray]:
    """By splat: the number of its object among those of all splats, which `records` grows by, and
    how well the last words fit.
    """
    numbers: dict[int, int] = {}
    for group in objects.groups_of(cloud, list(cloud.splatsmith_objects)):
        numbers |= {item.number: len(records) for item in group}
        color = [float(c) for c in to_srgb(tuple(group[0].color))]
        records.append({"id": len(records), "name": group[0].name, "color": color})
    nothing = semantics_file.NOTHING
    labels = np.full(count, nothing, np.uint16)
    if numbers:
        labels = objects.of_each(cloud, numbers, nothing, np.uint16)
    fit = marks.fit(cloud)
    fits = np.zeros(count, np.float32) if fit is None else fit
    return {semantics_file.LABEL: labels, marks.FIT: fits}


class SPLATSMITH_OT_render_splats(bpy.types.Operator):
    bl_description = (
        "Render the splats through the scene camera with the splat rasteriser, with a transparent "
        "background"
    )
    bl_idname = "splatsmith.render_splats"
    bl_label = "Render Splats"

    animation: bpy.props.BoolProperty(
        name="Animation",
        options={"SKIP_SAVE"},
        description="The scene's whole frame range, and a video of it",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not compute_ready(cls):
            return False
        if splats.chosen(context) is None or context.scene.camera is None:
            cls.poll_message_set("Splats and a scene camera are both needed")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        scene, cloud = context.scene, splats.demand(context)
        frames = (
            list(range(scene.frame_start, scene.frame_end + 1))
            if self.animation
            else [scene.frame_current]
        )
        settings = scene.splatsmith
        listed: list[dict[str, object]] = []
        arrays = all_shown(context, listed)
        has_objects = settings.render_look == "OBJECTS" or settings.render_labels
        if has_objects and not listed:
            raise InputError("No splats have objects.", "Press Find Objects first (panel 4).")
        if settings.render_look == "FIT" and not arrays.extra[marks.FIT].any():
            raise InputError("No words were asked yet.", "Type some in panel 4.")
        records = camera_records(scene, frames)
        folder = folders.new_folder("render", cloud.name)
        splats.export_ply(arrays, folder / "splats.ply")
        atomic.write_json(folder / semantics_file.OBJECTS, listed)
        (folder / "cameras").mkdir()
        (folder / "cameras" / "transforms.json").write_text(
            json.dumps({"frames": records}), encoding="utf-8"
        )
        fps = scene.render.fps / scene.render.fps_base if self.animation else 0.0
        options = RenderOptions(
            capture=str(folder / "cameras"),
            video=float(fps),
            objects=settings.render_look == "OBJECTS",
            heat_of=marks.FIT if settings.render_look == "FIT" else "",
            labels=settings.render_labels,
        )
        request = Request(
            verb="render",
            input=str(folder / "splats.ply"),
            options=options,
            device=preferences.get().device,
            title=cloud.name,
        )
        return run_in_folder(self, context, request, folder)


CLASSES = (SPLATSMITH_OT_render_splats,)
