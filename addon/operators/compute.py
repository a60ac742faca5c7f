"""Make, check and remove the compute environment."""

import sys
import textwrap
from pathlib import Path
from typing import Literal

import bpy

from ...backend.protocol import Request, SetupError
from ...backend.runtime import atomic, own_environment
from ...backend.runtime.setup_verb import SetupOptions
from .. import preferences
from ..blender_types import OperatorResult
from ..compute import pythons, state
from ..jobs import lifecycle, ownership
from ..jobs.manager import manager
from ..jobs.process import backend_command
from ..jobs.record import JobRecord
from .common import guarded, run_record

LINE = 60  # letters that the dialog has place for; paths are longer


def packages() -> Literal["cpu", "cuda"]:
    """The list that fits this machine."""
    linux = sys.platform == "linux"  # elsewhere the package index has no CUDA build of torch
    return "cuda" if linux and pythons.has_nvidia() and preferences.get().device != "cpu" else "cpu"


class SPLATSMITH_OT_compute_setup(bpy.types.Operator):
    bl_description = (
        "Make Splatsmith's private Python environment with everything that computing needs. "
        "Blender's own Python is left alone"
    )
    bl_idname = "splatsmith.compute_setup"
    bl_label = "Set Up Computing"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return not manager.busy

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        if not preferences.get().wheels and not bpy.app.online_access:
            return self.execute(context)  # says what to allow, before anything is promised
        return context.window_manager.invoke_props_dialog(self, width=420, confirm_text="Set Up")

    def draw(self, _context: bpy.types.Context) -> None:
        chosen = packages()
        download, disk = state.SIZES[chosen]
        column = self.layout.column(align=True)
        wheels = preferences.get().wheels
        column.label(text=f"{chosen.upper()} packages: PyTorch, COLMAP and helpers", icon="PACKAGE")
        origin = f"Download: about {download} MB, from the Python package index"
        for text in (
            f"From the folder {wheels}" if wheels else origin,
            f"On disk: about {disk} MB, in {state.environment()}",
        ):
            for line in textwrap.wrap(text, LINE):
                column.label(text=line)
        column.label(text="Licences: BSD, MIT, Apache, MPL; removed with the add-on or by Remove")

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        prefs = preferences.get()
        if not prefs.wheels and not bpy.app.online_access:
            raise SetupError(
                "Blender is not allowed to go online.",
                "Allow it in Preferences > System > Network, or choose a Wheels Folder in the "
                "add-on's preferences.",
            )
        base = pythons.find_base()
        if not base:
            raise SetupError(
                "No suitable Python was found on this machine.",
                "Install Python 3.11, or choose a Python Interpreter in the preferences.",
            )
        if manager.busy:
            raise SetupError("A job is running.", "Wait for it, or cancel it first.")
        own_environment.adopt(state.environment())
        folder = state.folder() / "job"
        folder.mkdir(exist_ok=True)
        options = SetupOptions(
            packages=packages(), wheels=bpy.path.abspath(prefs.wheels) if prefs.wheels else ""
        )
        request = Request(
            verb="setup",
            input=str(state.environment()),
            options=options,
            device="cpu",
            title="Set Up Computing",
        )
        atomic.write_bytes(folder / "request.json", request.to_json().encode())
        ownership.sign(folder, request)
        command, cwd = backend_command(base, preferences.ROOT, "setup", folder)
        return run_record(
            self,
            context,
            JobRecord(
                request=request,
                folder=folder,
                command=command,
                cwd=cwd,
                file_token=lifecycle.file_token(),
            ),
        )


class SPLATSMITH_OT_compute_check(bpy.types.Operator):
    """Run the backend's doctor with the chosen Python and remember what it says"""

    bl_idname = "splatsmith.compute_check"
    bl_label = "Check Computing"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return not manager.busy  # what is being set up can't be judged yet

    @guarded
    def execute(self, _context: bpy.types.Context) -> OperatorResult:
        own = preferences.get().python
        python = Path(bpy.path.abspath(own)) if own else state.environment_python()
        report = state.check(python)
        self.report({"INFO"}, report["device"].removeprefix("the "))
        return {"FINISHED"}


class SPLATSMITH_OT_compute_remove(bpy.types.Operator):
    """Delete Splatsmith's private Python environment. Your results stay"""

    bl_idname = "splatsmith.compute_remove"
    bl_label = "Remove Computing"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return state.environment().exists() and not manager.busy

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        return context.window_manager.invoke_confirm(self, event)

    @guarded
    def execute(self, _context: bpy.types.Context) -> OperatorResult:
        self.report({"INFO"}, state.remove())
        return {"FINISHED"}


CLASSES = (SPLATSMITH_OT_compute_setup, SPLATSMITH_OT_compute_check, SPLATSMITH_OT_compute_remove)
