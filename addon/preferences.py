"""The add-on's preferences: where computing happens and where results go."""

from pathlib import Path

import bpy

from .compute import state
from .compute.setup_box import draw_fields, draw_state

BASE = __package__.rpartition(".addon")[0] or __package__
ROOT = Path(__file__).resolve().parents[1]  # the extension's folder: holds backend/ and wheels/


class SplatsmithPreferences(bpy.types.AddonPreferences):
    """What the user sets once, for every file."""

    bl_idname = BASE

    python: bpy.props.StringProperty(
        name="Python Interpreter",
        subtype="FILE_PATH",
        update=state.forget,
        description="A Python that already has the compute packages. Empty: Splatsmith's own "
        "environment",
    )
    results: bpy.props.StringProperty(
        name="Results Folder",
        subtype="DIR_PATH",
        description="Where jobs and their results go. Empty: splatsmith_jobs beside the .blend "
        "file, or Splatsmith in your home folder while the file is not saved",
    )
    wheels: bpy.props.StringProperty(
        name="Wheels Folder",
        subtype="DIR_PATH",
        description="For machines without internet: the compute packages as wheel files. Empty: "
        "download them",
    )
    device: bpy.props.EnumProperty(
        name="Device",
        default="auto",
        description="Where to compute",
        items=[
            ("auto", "Automatic", "The graphics card where it can be used, else the processor"),
            ("cpu", "CPU", "The processor"),
            ("cuda", "CUDA", "An NVIDIA graphics card with gsplat"),
        ],
    )

    def draw(self, context: bpy.types.Context) -> None:
        draw_state(self.layout, self)
        draw_fields(self.layout, self)
        column = self.layout.column()
        column.prop(self, "device")
        column.prop(self, "results")


def get() -> SplatsmithPreferences:
    """The preferences of this add-on."""
    return bpy.context.preferences.addons[BASE].preferences  # type: ignore[return-value]


CLASSES = (SplatsmithPreferences,)
