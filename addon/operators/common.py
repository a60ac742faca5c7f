"""What every operator that starts a job does alike: submit in a window, wait without one."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ...backend.protocol import DiskError, InputError, Request, SplatsmithError
from ...backend.runtime import atomic
from .. import preferences
from ..blender_types import OperatorMixin, OperatorResult
from ..compute import state
from ..jobs import lifecycle
from ..jobs.flags import in_window
from ..jobs.manager import make_record, manager
from ..jobs.record import JobRecord
from ..jobs.told_verdicts import failure_in
from ..scene import importers

log = logging.getLogger(__name__)
ANYWAY = "Nothing came into the scene; Import Result brings it in anyway."


def report_error(operator: bpy.types.Operator, error: SplatsmithError) -> OperatorResult:
    """One sentence with its advice."""
    operator.report({"ERROR"}, in_window(f"{error.what} {error.advice}".strip()))
    return {"CANCELLED"}


def guarded(
    execute: Callable[[Any, bpy.types.Context], OperatorResult],
) -> Callable[[Any, bpy.types.Context], OperatorResult]:
    """An operator's execute whose SplatsmithErrors become reports."""

    def wrapper(self: Any, context: bpy.types.Context) -> OperatorResult:
        try:
            return execute(self, context)
        except SplatsmithError as error:
            return report_error(self, error)
        except RuntimeError as error:  # Blender's own: a file that it can't load
            return report_error(self, InputError(str(error).strip(), ""))
        except OSError as error:
            return report_error(
                self,
                DiskError(
                    f"{error.filename or 'A file'}: {error.strerror or error}.",
                    "Choose another folder, or free some space.",
                ),
            )

    return wrapper


class _Teller:
    """What a blocking run tells: every stage, and how far it is every few seconds."""

    def __init__(self) -> None:
        self._stage, self._time = "", 0.0

    def __call__(self, job: JobRecord) -> None:
        if job.stage == self._stage and time.monotonic() - self._time < 5:
            return
        if job.stage:
            share = f" {job.factor:.0%}" if job.stage == self._stage and job.total else ""
            left = f", {job.eta:.0f} s left" if job.eta > 0 and share else ""
            log.info("%d/%d %s%s%s", job.stage_index, job.stage_count, job.stage, share, left)
        self._stage, self._time = job.stage, time.monotonic()


def compute_ready(operator: type[bpy.types.Operator]) -> bool:
    """For `poll`: whether jobs can run; says why not."""
    if not state.current().ready:
        operator.poll_message_set("Set up computing first: panel 0, Compute")
        return False
    return True


def capture_ready(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """For `poll`: whether jobs can run, and there is a capture to run them on; says why not."""
    if not compute_ready(operator):
        return False
    if not context.scene.splatsmith.capture:
        operator.poll_message_set("Solve the cameras first (panel 2), or choose a capture folder")
        return False
    return True


def chosen_capture(context: bpy.types.Context) -> tuple[str, str]:
    """The capture's folder, and a name for what is made of it."""
    capture = bpy.path.abspath(context.scene.splatsmith.capture).rstrip("/\\")
    return capture, Path(capture).parent.name.rpartition("_cameras_")[2] if Path(
        capture
    ).name == "result" else Path(capture).name


def run_in_folder(
    operator: bpy.types.Operator, context: bpy.types.Context, request: Request[Any], folder: Path
) -> OperatorResult:
    """Runs a request whose input was written into the job's own folder."""
    atomic.write_bytes(folder / "request.json", request.to_json().encode())
    return run_record(
        operator,
        context,
        make_record(request, state.require(), preferences.ROOT, lifecycle.file_token(), folder),
    )


def run_job(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    request: Request[Any],
    folder: Path | None = None,
) -> OperatorResult:
    """Submits the request. In background mode it blocks until the result is in the scene."""
    return run_record(
        operator,
        context,
        make_record(
            request.checked(), state.require(), preferences.ROOT, lifecycle.file_token(), folder
        ),
    )


def run_record(
    operator: bpy.types.Operator, context: bpy.types.Context, job: JobRecord
) -> OperatorResult:
    """Submits a prepared job, or runs it to its end where there is no window."""
    manager.submit(job)
    if not bpy.app.background:
        operator.report(
            {"INFO"},
            f"{job.request.title or job.request.verb}: started; results go to {job.folder}",
        )
        return {"FINISHED"}
    manager.wait(job, _Teller())
    if job.status != "done":
        operator.report({"ERROR"}, f"{job.error} {job.advice}".strip() or "Cancelled.")
        return {"CANCELLED"}
    job.held_back = failure_in(job.result)
    if job.held_back:
        operator.report({"WARNING"}, f"{job.summary}. {job.held_back} {ANYWAY}")
        return {"FINISHED"}
    text = bring_in(context, job)
    operator.report({"INFO"}, f"{job.summary}: {text}")
    return {"FINISHED"}


def bring_in(context: bpy.types.Context, job: JobRecord) -> str:
    """Brings a finished job's result into the scene; a line about it. InputError where it is
    damaged.
    """
    try:
        text = importers.import_result(context, job.request, job.result)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("the result in %s can't be used", job.result, exc_info=error)
        raise InputError("The job's result is damaged.", "Run the job again.") from error
    job.imported, job.line, job.held_back = True, text, ""
    job.film = next(map(str, sorted(job.result.glob("*.mp4"))), "")
    job.unfolded = bool(job.film or job.warnings)  # what the scene does not show is read
    return text


def active_object(context: bpy.types.Context) -> bpy.types.Object:
    """InputError where there is none, though `poll` has seen one."""
    if context.object is None:
        raise InputError("No object is active.", "Select one first.")
    return context.object


class OnCompute(OperatorMixin):
    """An operator that starts a job."""

    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return compute_ready(cls)


class FolderChooser(OperatorMixin):
    """An operator that asks for a folder first."""

    directory: bpy.props.StringProperty(subtype="DIR_PATH")
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}
