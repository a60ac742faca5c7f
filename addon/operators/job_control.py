"""Buttons of the job strip: cancel, resume, import, dismiss, unfold, open the folder,
copy a report.
"""

import platform
import textwrap
from pathlib import Path

import bpy

from ...backend.protocol import VERSION, InputError
from ...backend.verbs import read_request
from .. import preferences
from ..blender_types import OPERATORS, OperatorResult
from ..compute import state
from ..jobs import folders, foreign, lifecycle
from ..jobs.manager import make_record, manager
from ..jobs.record import JobRecord
from .common import bring_in, guarded, report_error, run_record


def _job(number: int, *statuses: str) -> JobRecord:
    """The job of that number; without a number (from a menu) the newest in one of the statuses."""
    newest = next((job for job in reversed(manager.jobs) if job.status in statuses), None)
    job = manager.find(number) if number else newest
    if job is None:
        raise InputError("There is no such job on the list.")
    return job


class SPLATSMITH_OT_cancel_job(bpy.types.Operator):
    """Stop the job. What it has reached is kept and can be gone on from"""

    bl_idname = "splatsmith.cancel_job"
    bl_label = "Cancel Job"

    job: bpy.props.IntProperty(options={"SKIP_SAVE"})

    @guarded
    def execute(self, _context: bpy.types.Context) -> OperatorResult:
        manager.cancel(_job(self.job, "running", "waiting"))
        return {"FINISHED"}


def _newest_unfinished() -> Path:
    ended = [
        job.folder
        for job in reversed(manager.jobs)
        if job.status in ("crashed", "cancelled", "failed")
    ]
    left = [*ended, *(item.folder for item in folders.find_unfinished())]
    if not left:
        raise InputError("No job is left unfinished.")
    return left[0]


class SPLATSMITH_OT_resume_job(bpy.types.Operator):
    bl_description = (
        "Go on with a job that was stopped, from its last checkpoint; or start it again where it "
        "has none"
    )
    bl_idname = "splatsmith.resume_job"
    bl_label = "Resume Job"

    folder: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    trust: bpy.props.StringProperty(
        name="Trust",
        description="Of a job that you have not started: its request, as it was shown to you",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        try:
            folder = Path(self.folder) if self.folder else _newest_unfinished()
            request, own = folders.read_own_request(folder)
        except InputError as error:
            return report_error(self, error)
        if own:
            return self.execute(context)
        self.folder, self.trust = str(folder), request.to_json()
        return context.window_manager.invoke_props_dialog(
            self, width=420, title="Run a Stranger's Job?", confirm_text="Run It"
        )

    def draw(self, _context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        deeds = foreign.deeds(Path(self.folder), read_request(self.trust))
        for number, text in enumerate((foreign.HEAD, *deeds)):
            for line in textwrap.wrap(text, 60):
                column.label(text=line, icon="NONE" if number else "ERROR")

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        folder = Path(self.folder) if self.folder else _newest_unfinished()
        request, own = folders.read_own_request(folder)
        if not own and self.trust != request.to_json():
            raise InputError(
                foreign.HEAD,
                "Press Look into in the Jobs panel to see what it would do.",
            )
        if (folder / "result" / "manifest.json").is_file():
            raise InputError("This job is finished.", "Import its result instead.")
        manager.jobs = [job for job in manager.jobs if job.active or job.folder != folder]
        folders.forget_unfinished()
        if request.verb == "setup":  # it runs with another Python, and before computing is ready
            return set(OPERATORS.splatsmith.compute_setup())
        return run_record(
            self,
            context,
            make_record(request, state.require(), preferences.ROOT, lifecycle.file_token(), folder),
        )


class SPLATSMITH_OT_import_result(bpy.types.Operator):
    """Bring the result of a finished job into the scene"""

    bl_idname = "splatsmith.import_result"
    bl_label = "Import Result"
    bl_options = {"REGISTER", "UNDO"}

    job: bpy.props.IntProperty(options={"HIDDEN", "SKIP_SAVE"})

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        job = _job(self.job, "done")
        if context.mode != "OBJECT" and context.object is not None:
            bpy.ops.object.mode_set(mode="OBJECT")
        self.report({"INFO"}, f"{job.request.title}: {bring_in(context, job)}")
        return {"FINISHED"}


class SPLATSMITH_OT_dismiss_job(bpy.types.Operator):
    """Take the job off the list. Its folder stays"""

    bl_idname = "splatsmith.dismiss_job"
    bl_label = "Dismiss Job"

    job: bpy.props.IntProperty(options={"SKIP_SAVE"})
    folder: bpy.props.StringProperty(options={"SKIP_SAVE"})

    @guarded
    def execute(self, _context: bpy.types.Context) -> OperatorResult:
        if not self.folder:
            manager.dismiss(_job(self.job, "done", "failed", "crashed", "cancelled"))
        else:
            folders.dismiss(Path(self.folder))
        folders.forget_unfinished()
        return {"FINISHED"}


class SPLATSMITH_OT_clear_finished(bpy.types.Operator):
    bl_description = (
        "Take all finished jobs off the list. Their folders stay; what can be resumed or imported "
        "stays on the list"
    )
    bl_idname = "splatsmith.clear_finished"
    bl_label = "Clear Finished"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if not manager.finished:
            cls.poll_message_set("No finished job is on the list")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> OperatorResult:
        for job in manager.finished:
            manager.dismiss(job)
        return {"FINISHED"}


class SPLATSMITH_OT_unfold_job(bpy.types.Operator):
    """Show or hide how the job went: figures, warnings"""

    bl_idname = "splatsmith.unfold_job"
    bl_label = "Job Details"

    job: bpy.props.IntProperty(options={"SKIP_SAVE"})

    @guarded
    def execute(self, _context: bpy.types.Context) -> OperatorResult:
        job = _job(self.job, "done")
        job.unfolded = not job.unfolded
        return {"FINISHED"}


class SPLATSMITH_OT_open_folder(bpy.types.Operator):
    """Show the job's folder in the system's file browser"""

    bl_idname = "splatsmith.open_folder"
    bl_label = "Open Folder"

    folder: bpy.props.StringProperty(options={"SKIP_SAVE"})

    def execute(self, _context: bpy.types.Context) -> OperatorResult:
        folder = Path(self.folder) if self.folder else folders.results_folder()
        if not folder.is_dir():  # a file would be opened, or run, by whatever the system has for it
            self.report({"ERROR"}, f"There is no folder {folder}. Its files were moved or removed.")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(folder))
        return {"FINISHED"}


class SPLATSMITH_OT_copy_report(bpy.types.Operator):
    """Copy what a bug report needs: versions, the error, the end of the log"""

    bl_idname = "splatsmith.copy_report"
    bl_label = "Copy Report"

    job: bpy.props.IntProperty(options={"SKIP_SAVE"})

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        job = _job(self.job, "failed", "crashed", "cancelled", "done")
        head = (
            f"Splatsmith {VERSION}, Blender {bpy.app.version_string}, {platform.platform()}, "
            f"{job.device or 'device unknown'}"
        )
        text = (
            f"{head}\n{job.request.verb} {job.request.preset}: {job.status}\n{job.error} "
            f"{job.advice}\n\n{folders.log_tail(job.folder, 30)}"
        )
        context.window_manager.clipboard = text.replace(str(Path.home()), "~")
        self.report({"INFO"}, "The report is in the clipboard")
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_cancel_job,
    SPLATSMITH_OT_resume_job,
    SPLATSMITH_OT_import_result,
    SPLATSMITH_OT_dismiss_job,
    SPLATSMITH_OT_clear_finished,
    SPLATSMITH_OT_unfold_job,
    SPLATSMITH_OT_open_folder,
    SPLATSMITH_OT_copy_report,
)
