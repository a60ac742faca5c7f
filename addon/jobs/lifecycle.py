"""What keeps jobs going while Blender does other things: a persistent timer, a few handlers."""

import atexit
import logging
import time
from collections.abc import Callable

import bpy

from ..blender_types import OPERATORS, persistent
from ..compute import state
from .manager import manager
from .record import JobRecord
from .told_verdicts import failure_in

log = logging.getLogger(__name__)
INTERVAL = 0.1
SILENT = 1.0  # seconds without news after which the bar goes on by the clock
_drawn = 0.0
_previewed = ""  # the preview that the scene shows
_show: Callable[[JobRecord], None] = lambda job: None  # noqa: E731
_forget: Callable[[int], None] = lambda number: None  # noqa: E731
_opened = 0  # counts opened files: a job's result belongs to the file that it was started in


def file_token() -> int:
    """Names the file that is open now; undo keeps it, opening another changes it."""
    return _opened


@persistent
def _on_load(_path: object) -> None:
    global _opened
    _opened += 1


def _redraw() -> None:
    """What shows jobs; not the viewports themselves, where millions of splats may be drawn."""
    global _drawn
    _drawn = time.monotonic()
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
            elif area.type in ("PREFERENCES", "IMAGE_EDITOR"):
                area.tag_redraw()


def _remember_setup(job: JobRecord) -> None:
    state.remember_result(job.result)
    job.imported = True


def _on_end(job: JobRecord) -> None:
    """A finished result goes into the scene at once if its file is still open and the job itself
    finds it good for something; else it waits for the user's click.
    """
    _forget(job.number)
    if job.status == "done" and job.request.verb == "setup" and not bpy.app.background:
        try:
            _remember_setup(job)  # no undo step: the scene is not touched
        except (OSError, ValueError, KeyError) as error:
            job.advice = "Press Check Computing."
            log.warning("the set-up's record can't be read: %s", error)
        return
    if job.status == "done":
        job.held_back = failure_in(job.result)
    if (
        job.status != "done"
        or job.held_back
        or bpy.app.background
        or job.file_token != _opened
        or not bpy.context.window_manager.windows
    ):
        return
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        try:
            OPERATORS.splatsmith.import_result("EXEC_DEFAULT", True, job=job.number)
        except RuntimeError as error:  # a report: the job is fine and can be imported again
            job.advice = str(error).strip()
            log.warning("import failed: %s", error)


def show_previews(show: Callable[[JobRecord], None], forget: Callable[[int], None]) -> None:
    """Who shows in the scene what a running job has so far, and takes it away when the job of that
    number ends.
    """
    global _show, _forget
    _show, _forget = show, forget


def _preview() -> None:
    """A preview of a job whose file is open is shown once; a failure is not the job's."""
    global _previewed
    job = manager.running
    if job is None or not job.preview or job.preview == _previewed or job.file_token != _opened:
        return
    _previewed = job.preview
    try:
        _show(job)
    except (OSError, RuntimeError) as error:
        log.warning("the preview can't be shown: %s", error)


def _tick() -> float:
    manager.pump()
    _preview()
    if manager.running is not None and time.monotonic() - _drawn > SILENT:
        _redraw()
    return INTERVAL if manager.busy else 0.5


def start() -> None:
    """The timer and handlers of the jobs; `stop` undoes it."""
    manager.on_end = _on_end
    manager.on_news = _redraw
    manager.is_online = lambda: bool(bpy.app.online_access)
    bpy.app.handlers.load_post.append(_on_load)
    if not bpy.app.background:
        bpy.app.timers.register(_tick, first_interval=INTERVAL, persistent=True)
    atexit.register(manager.stop_all)


def stop() -> None:
    """No process, timer or handler of ours stays behind."""
    manager.stop_all()
    manager.jobs.clear()
    atexit.unregister(manager.stop_all)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    if _on_load in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_on_load)
