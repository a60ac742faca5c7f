"""Animated meshes, made from footage or of other meshes by the backend."""

from pathlib import Path

import bpy

from ...backend.dynamic_mesh.bones_verb import BonesOptions
from ...backend.dynamic_mesh.mesh_verb import MeshOptions
from ...backend.dynamic_mesh.register_verb import RegisterOptions
from ...backend.formats import capture as captures, mesh_sequence as sequences, splat_ply
from ...backend.protocol import InputError, Request
from .. import preferences
from ..blender_types import OperatorResult
from ..jobs import folders
from ..scene.captures import collections, picture_times
from ..scene.meshes import mask_images, mesh_sequence, moving
from ..scene.meshes.mesh_frames import FRAMES_KEY
from ..scene.splats import marks, splats
from .common import (
    active_object,
    capture_ready,
    chosen_capture,
    compute_ready,
    guarded,
    run_in_folder,
    run_job,
)


class SPLATSMITH_OT_make_mesh(bpy.types.Operator):
    """Reconstruct the moving object of the solved footage as one animated mesh"""

    bl_idname = "splatsmith.make_mesh"
    bl_label = "Reconstruct Mesh"
    bl_options = {"REGISTER"}  # the undo step comes with the result

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return capture_ready(cls, context)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        capture, name = chosen_capture(context)
        cloud, masks = settings.mesh_splats, bpy.path.abspath(settings.mesh_masks).rstrip("/\\")
        chosen = marks.read(cloud, marks.SELECTED) if cloud is not None else None
        folder = folders.new_folder("mesh", name)
        if cloud is not None and chosen is not None:
            masks = str(folder / "object.ply")
            every = splats.read(cloud)
            some = splat_ply.take(every, chosen) if chosen.any() else every
            splats.export_ply(some, Path(masks))
        options = MeshOptions(
            mode=settings.mesh_mode,
            masks=masks,
            fps=settings.mesh_fps,
            faces=settings.mesh_faces,
            texture=settings.mesh_texture,
        )
        request = Request(
            verb="mesh",
            input=capture,
            options=options,
            preset=settings.preset,
            device=preferences.get().device,
            seed=settings.seed,
            title=name,
        )
        return run_in_folder(self, context, request.checked(), folder)


class SPLATSMITH_OT_mask_frame(bpy.types.Operator):
    bl_description = (
        "Say where the object is in this frame, by an outline drawn in the Image Editor's Mask "
        "mode over this picture of the capture. Layers whose name begins with Hidden outline what "
        "stands before it. A few frames are enough: the others' masks are carried over along the "
        "motion"
    )
    bl_idname = "splatsmith.mask_frame"
    bl_label = "Mask This Frame"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.splatsmith
        if not settings.capture or settings.mesh_outline is None:
            cls.poll_message_set("Choose a capture, and a mask with the outline")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings, number = context.scene.splatsmith, context.scene.frame_current
        folder = Path(bpy.path.abspath(settings.capture))
        images = captures.read(folder)
        root = collections.find_root(context.scene, settings.capture)
        index = picture_times.picture_at(root, images, number)
        if index is None:
            last = picture_times.of(images).frames.max()
            raise InputError(
                f"The footage has no frame {number}.", f"Go to one of 1 to {last:.0f}."
            )
        frame = images.frames[index]
        inside = mask_images.draw_mask(settings.mesh_outline, frame.width, frame.height)
        if not inside.any():
            raise InputError(
                f"The mask {settings.mesh_outline.name} has no outline in the picture.",
                "Draw one around the object.",
            )
        hidden = mask_images.draw_hidden(settings.mesh_outline, frame.width, frame.height)
        path = folder / mask_images.FOLDER / f"{frame.image.stem}.png"
        mask_images.write(path, inside, hidden)
        settings.mesh_masks = str(path.parent)
        done = len(list(path.parent.glob("*.png")))
        behind = f", {hidden.mean():.0%} may hide it" if hidden.any() else ""
        self.report(
            {"INFO"},
            f"Frame {number}: the object covers {(inside & ~hidden).mean():.0%} of the picture"
            f"{behind}; {done} frames have masks",
        )
        return {"FINISHED"}


class SPLATSMITH_OT_one_mesh(bpy.types.Operator):
    bl_description = (
        "Make one mesh of fixed topology of the active object, which is another mesh in every "
        "frame: its first one follows the others"
    )
    bl_idname = "splatsmith.one_mesh"
    bl_label = "Fix Topology"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.object is None or FRAMES_KEY not in context.object:
            cls.poll_message_set("Select a mesh of free topology")
            return False
        return compute_ready(cls)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        animated = active_object(context)
        request = Request(
            verb="register",
            input=str(animated[FRAMES_KEY]),
            options=RegisterOptions(),
            title=animated.name,
            context={"object": animated.name},
        )
        return run_job(self, context, request)


class SPLATSMITH_OT_find_bones(bpy.types.Operator):
    bl_description = (
        "Find bones that move the active mesh as it moves now, whatever moves it: a cache, shape "
        "keys, a simulation"
    )
    bl_idname = "splatsmith.find_bones"
    bl_label = "Find Bones"
    bl_options = {"REGISTER"}

    bones: bpy.props.IntProperty(name="Bones", default=40, min=1, max=1000, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not mesh_sequence.is_animated_mesh(context.object):
            cls.poll_message_set("Select the animated mesh")
            return False
        if not moving.moves(context.object):
            cls.poll_message_set("This mesh does not move: nothing tells where its bones are")
            return False
        return compute_ready(cls)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        animated = active_object(context)
        folder = folders.new_folder("bones", animated.name)
        sequences.write(folder / "moving.npz", mesh_sequence.as_sequence(context, animated))
        request = Request(
            verb="bones",
            input=str(folder / "moving.npz"),
            options=BonesOptions(bones=self.bones),
            title=animated.name,
            context={"object": animated.name, "start": context.scene.frame_start},
        )
        return run_in_folder(self, context, request, folder)


CLASSES = (
    SPLATSMITH_OT_make_mesh,
    SPLATSMITH_OT_mask_frame,
    SPLATSMITH_OT_one_mesh,
    SPLATSMITH_OT_find_bones,
)
