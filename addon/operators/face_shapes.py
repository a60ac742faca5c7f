"""ARKit's shapes for characters that have none: landmarks, and the job that carries the shapes
over.
"""

import bpy

from ...backend.formats import character_file
from ...backend.formats.character_file import LANDMARKS
from ...backend.protocol import InputError, Request
from ...backend.talking_head.shapes_verb import ShapesOptions
from ..blender_types import OperatorResult
from ..jobs import folders
from ..scene.faces import character, landmarks
from .common import OnCompute, active_object, guarded, run_in_folder

CHOICES = [
    (name, text.capitalize(), f"The {text}, as the character sees it")
    for name, text in LANDMARKS.items()
]


def _head(context: bpy.types.Context) -> bpy.types.Object:
    """The mesh that is active; of an active landmark its mesh."""
    obj = active_object(context)
    if obj.type == "EMPTY" and landmarks.KEY in obj and obj.parent is not None:
        obj = obj.parent
    if obj.type != "MESH":
        raise InputError(f"{obj.name} is no mesh.", "Make the character's head active.")
    return obj


def _has_head(context: bpy.types.Context) -> bool:
    obj = context.object
    return obj is not None and (obj.type == "MESH" or landmarks.KEY in obj)


class _OnHead(OnCompute):
    """A job on the active head, and what else is selected."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if not _has_head(context):
            cls.poll_message_set("Make the mesh of a character's head active")
            return False
        if context.mode != "OBJECT":
            cls.poll_message_set("Leave Edit Mode first")
            return False
        return True

    def submit(
        self, context: bpy.types.Context, options: ShapesOptions, replace: bool = False
    ) -> OperatorResult:
        """Writes the meshes into the job's folder, and starts it."""
        head = _head(context)
        others = [o for o in context.selected_objects if o.type == "MESH" and o != head]
        if options.only_landmarks:
            others = []
        meshes = list({o.data: o for o in reversed([head, *others])}.values())[::-1]
        gathered = character.gather(head, meshes)
        folder = folders.new_folder("shapes", head.name)
        path = folder / character_file.NAME
        character_file.write(path, gathered)
        request = Request(
            verb="shapes",
            input=str(path),
            options=options,
            device="cpu",
            title=head.name,
            context=character.context_of(meshes, replace),
        )
        return run_in_folder(self, context, request.checked(), folder)


class SPLATSMITH_OT_place_landmarks(_OnHead, bpy.types.Operator):
    bl_description = (
        "Place landmarks on the active head, which looks forward (along -Y): corners of eyes and "
        "mouth, nose, chin, brows. Move those that are off, then press Add ARKit Shapes"
    )
    bl_idname = "splatsmith.place_landmarks"
    bl_label = "Place Landmarks"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        landmarks.clear(_head(context))
        options = ShapesOptions(rig=_rig(context), only_landmarks=True)
        return self.submit(context, options)


class SPLATSMITH_OT_mark_landmark(bpy.types.Operator):
    """Put a landmark at the selected vertex in Edit Mode, at the 3D cursor in Object Mode"""

    bl_idname = "splatsmith.mark_landmark"
    bl_label = "Mark Landmark"
    bl_options = {"REGISTER", "UNDO"}

    landmark: bpy.props.EnumProperty(name="Landmark", items=CHOICES)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _has_head(context):
            cls.poll_message_set("Make the mesh of a character's head active")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        head = _head(context)
        if head.mode == "EDIT":
            place = landmarks.active_vertex(head)
        else:
            local = head.matrix_world.inverted_safe() @ context.scene.cursor.location
            hit, point, _, _ = head.closest_point_on_mesh(local)
            place = point if hit else local
        landmarks.mark(head, self.landmark, place)
        return {"FINISHED"}


class SPLATSMITH_OT_clear_landmarks(bpy.types.Operator):
    """Take the landmarks off the active head"""

    bl_idname = "splatsmith.clear_landmarks"
    bl_label = "Clear Landmarks"
    bl_options = {"REGISTER", "UNDO"}

    poll = SPLATSMITH_OT_mark_landmark.poll

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        self.report({"INFO"}, f"{landmarks.clear(_head(context))} landmarks taken off")
        return {"FINISHED"}


class SPLATSMITH_OT_add_arkit_shapes(_OnHead, bpy.types.Operator):
    bl_description = (
        "Give the active head ARKit's 52 shapes, carried over from the Face Model. Eyes, teeth "
        "and tongue come along if they are selected too, in the same mesh or in others"
    )
    bl_idname = "splatsmith.add_arkit_shapes"
    bl_label = "Add ARKit Shapes"

    existing: bpy.props.EnumProperty(
        name="Existing Shape Keys",
        items=[
            ("KEEP", "Keep", "Shape keys of these names stay as they are"),
            ("REPLACE", "Replace", "Shape keys of these names are made anew"),
        ],
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        meshes = [obj for obj in (context.object, *context.selected_objects) if obj is not None]
        if character.own_shapes(meshes):
            return context.window_manager.invoke_props_dialog(self, title="Shape Keys Are There")
        return self.execute(context)

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        own = character.own_shapes(context.selected_objects)
        column.label(text=f"{len(own)} of ARKit's names are taken", icon="SHAPEKEY_DATA")
        column.row().prop(self, "existing", expand=True)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        options = ShapesOptions(rig=_rig(context))
        return self.submit(context, options, self.existing == "REPLACE")


def _rig(context: bpy.types.Context) -> str:
    return bpy.path.abspath(context.scene.splatsmith.face_rig).rstrip("/\\")


CLASSES = (
    SPLATSMITH_OT_place_landmarks,
    SPLATSMITH_OT_mark_landmark,
    SPLATSMITH_OT_clear_landmarks,
    SPLATSMITH_OT_add_arkit_shapes,
)
