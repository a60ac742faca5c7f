"""Cameras to show splats or a capture with: around the subject, or along the solved path."""

import bpy

from ..blender_types import OperatorMixin, OperatorResult
from ..scene import framing
from ..scene.captures import camera_paths
from ..scene.splats import splats
from .common import guarded


class _OnPath(OperatorMixin):
    bl_options = {"REGISTER", "UNDO"}

    frames: bpy.props.IntProperty(
        name="Frames",
        default=120,
        min=2,
        max=100_000,
        description="How long it takes; the scene becomes as long",
    )

    def shown(self, context: bpy.types.Context, camera: bpy.types.Object) -> OperatorResult:
        """Viewports look through it, and a report says what it is called."""
        framing.select_alone(context, camera)
        framing.look_through_camera(context)
        self.report({"INFO"}, f"{camera.name} is the scene's camera, for {self.frames} frames")
        return {"FINISHED"}


class SPLATSMITH_OT_turntable(_OnPath, bpy.types.Operator):
    bl_description = (
        "Add a camera that goes around the subject once, as high and as far off as the footage was "
        "filmed"
    )
    bl_idname = "splatsmith.turntable"
    bl_label = "Turntable"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cloud = splats.chosen(context)
        if cloud is None and camera_paths.capture_of(context, None) is None:
            cls.poll_message_set("Train or import splats first, or a capture")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = splats.chosen(context)
        root = camera_paths.capture_of(context, cloud)
        context.view_layer.update()
        return self.shown(context, camera_paths.add_turntable(context, cloud, root, self.frames))


class SPLATSMITH_OT_fly_through(_OnPath, bpy.types.Operator):
    bl_description = (
        "Add a camera that flies along the path of the footage, smoothed, by a few keyframes that "
        "can be edited"
    )
    bl_idname = "splatsmith.fly_through"
    bl_label = "Fly Through"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if camera_paths.capture_of(context, splats.chosen(context)) is None:
            cls.poll_message_set("A capture is needed in the scene: solve cameras, or import one")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        root = camera_paths.capture_of(context, splats.chosen(context))
        if root is None:
            return {"CANCELLED"}
        return self.shown(context, camera_paths.add_fly_through(context, root, self.frames))


CLASSES = (SPLATSMITH_OT_turntable, SPLATSMITH_OT_fly_through)
