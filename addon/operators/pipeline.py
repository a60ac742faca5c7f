"""The two steps of the main job: cameras from footage, splats from cameras."""

from pathlib import Path
from typing import Any

import bpy

from ...backend.cameras.cameras_verb import CamerasOptions
from ...backend.protocol import InputError, Request
from ...backend.splats.splats_verb import SplatsOptions
from .. import preferences
from ..blender_types import OperatorResult
from ..scene.captures import solved_camera
from .common import capture_ready, chosen_capture, compute_ready, guarded, run_job


def _request(
    context: bpy.types.Context,
    verb: str,
    source: str,
    options: CamerasOptions | SplatsOptions,
    title: str,
) -> Request:
    settings = context.scene.splatsmith
    return Request(
        verb=verb,
        input=source,
        options=options,
        preset=settings.preset,
        device=preferences.get().device,
        seed=settings.seed,
        title=title,
    )


class SPLATSMITH_OT_solve_cameras(bpy.types.Operator):
    """Find the camera of every picture of the footage, and points of the scene"""

    bl_idname = "splatsmith.solve_cameras"
    bl_label = "Solve Cameras"
    bl_options = {"REGISTER"}  # the undo step comes with the result

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not compute_ready(cls):
            return False
        if not context.scene.splatsmith.footage():
            cls.poll_message_set("Choose the footage first: panel 1, Source")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        footage = Path(settings.footage())
        if not footage.exists():
            raise InputError(
                f"There is no file or folder {footage}.", "Choose the footage again in panel 1."
            )
        options: dict[str, Any] = {"frames": settings.frames}
        if settings.source == "BLENDER":
            options["poses"] = str(solved_camera.write_poses(context.scene, settings.clip))
        if settings.focal:
            options |= {"focal_mm": settings.focal, "lock_focal": settings.lock_focal}
        if settings.masks:
            options["masks"] = bpy.path.abspath(settings.masks)
        if settings.depth_model:
            options["depth_model"] = bpy.path.abspath(settings.depth_model)
        options |= {"solver": settings.solver, "depth": settings.depth}
        return run_job(
            self,
            context,
            _request(
                context,
                "cameras",
                str(footage),
                CamerasOptions(**options),
                footage.stem or "Footage",
            ),
        )


class SPLATSMITH_OT_train_splats(bpy.types.Operator):
    """Train Gaussian splats on the solved pictures"""

    bl_idname = "splatsmith.train_splats"
    bl_label = "Train Splats"
    bl_options = {"REGISTER"}  # the undo step comes with the result

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return capture_ready(cls, context)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        capture, name = chosen_capture(context)
        options = SplatsOptions(
            steps=settings.steps,
            max_splats=settings.max_splats,
            refine_cameras=settings.refine_cameras,
            exposure=settings.exposure,
            beyond=settings.beyond,
            blend=settings.blend,
        )
        return run_job(self, context, _request(context, "splats", capture, options, name))


CLASSES = (SPLATSMITH_OT_solve_cameras, SPLATSMITH_OT_train_splats)
