"""Published networks, fetched with consent: for words, masks, segments, depth, voices and faces."""

import bpy

from ...backend.networks.registry import BY_NAME, PUBLISHED, PURPOSES
from ...backend.protocol import Request, SetupError
from ...backend.semantics.model_verb import ModelOptions
from ..blender_types import OperatorResult
from ..compute import state
from ..jobs import folders
from .common import compute_ready, guarded, run_in_folder

MODELS = [
    (
        model.name,
        f"{model.title}, {model.size}",
        f"{PURPOSES[model.purpose][0]}. {model.use}. {model.licence} licence",
    )
    for model in PUBLISHED
]


class SPLATSMITH_OT_get_model(bpy.types.Operator):
    """Download a network from the Hugging Face hub, after you have agreed to its licence"""

    bl_idname = "splatsmith.get_model"
    bl_label = "Get a Model"

    name: bpy.props.EnumProperty(name="Model", items=MODELS, default="MobileSAM")

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return compute_ready(cls)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        if not bpy.app.online_access:
            return self.execute(context)  # says what to allow, before anything is promised
        return context.window_manager.invoke_props_dialog(
            self, width=420, confirm_text="Agree and Download"
        )

    def draw(self, _context: bpy.types.Context) -> None:
        draw_models(self.layout.column(), self)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        if not bpy.app.online_access:
            raise SetupError(
                "Blender is not allowed to go online.",
                "Allow it in Preferences > System > Network, or name a folder that holds a model "
                "under Advanced.",
            )
        request = Request(
            verb="model",
            input=str(state.folder() / "models"),
            options=ModelOptions(name=self.name, agree=True),
            device="cpu",
            title=self.name,
        )
        return run_in_folder(self, context, request, folders.new_folder("model", self.name))


def draw_models(column: bpy.types.UILayout, operator: SPLATSMITH_OT_get_model) -> None:
    """Every model under what it is for, and of the chosen one what it does, its size, its licence,
    and where it comes from and goes.
    """
    for purpose, (text, _) in PURPOSES.items():
        column.label(text=text)
        for model in PUBLISHED:
            if model.purpose == purpose:
                column.prop_enum(operator, "name", model.name)
    model = BY_NAME[operator.name]
    column.separator()
    column.label(text=model.use, icon="INFO")
    column.label(text=f"{model.size}, {model.licence} licence", icon="IMPORT")
    column.label(text=f"By {model.by}")
    column.label(text=f"From {model.page}")
    column.label(text=f"Kept in {state.folder() / 'models'}")


CLASSES = (SPLATSMITH_OT_get_model,)
