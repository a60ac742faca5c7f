"""A CLIP model for words: named by the user, or fetched with consent."""

import bpy

from ...backend.protocol import Request, SetupError
from ...backend.semantics.model_verb import ModelOptions
from ..blender_types import OperatorResult
from ..compute import state
from ..jobs import folders
from .common import compute_ready, guarded, run_in_folder

MODELS = [
    ("ViT-B-32", "ViT-B/32", "The quick one: right for processors. 605 MB, MIT licence"),
    (
        "ViT-B-16",
        "ViT-B/16",
        "Finer, four times the work: right for graphics cards. 599 MB, MIT licence",
    ),
]


class SPLATSMITH_OT_get_model(bpy.types.Operator):
    """Download a CLIP model, which words need, from the Hugging Face hub; after you have agreed"""

    bl_idname = "splatsmith.get_model"
    bl_label = "Download Model"

    name: bpy.props.EnumProperty(name="Model", items=MODELS)

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
        column = self.layout.column()
        column.prop(self, "name", expand=True)
        text = next(description for key, _, description in MODELS if key == self.name)
        column.label(text=text, icon="IMPORT")
        column.label(text=f"By LAION, trained on LAION-2B; kept in {state.folder() / 'models'}")

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


CLASSES = (SPLATSMITH_OT_get_model,)
