"""The jobs that ended: a line for each that is done, and what to do about each that is not."""

from pathlib import Path

import bpy

from ..blender_types import Icon
from ..jobs.manager import manager
from ..jobs.record import JobRecord
from .job_strip import panel_width, wrap

MOST = 8  # that are listed
MARKS: dict[str, Icon] = {"done": "CHECKMARK", "cancelled": "PAUSE"}  # ERROR is for all others


def draw_line(layout: bpy.types.UILayout, job: JobRecord) -> None:
    """What it was; its details, its video, its folder, and away with it."""
    row = layout.row(align=True)
    fold = row.row(align=True)
    fold.alignment = "LEFT"
    if job.status == "done":
        icon: Icon = "DOWNARROW_HLT" if job.unfolded else "RIGHTARROW"
        fold.operator("splatsmith.unfold_job", text="", icon=icon, emboss=False).job = job.number
    icon = "INFO" if job.status == "done" and job.warnings else MARKS.get(job.status, "ERROR")
    row.label(text=job.name, icon=icon)
    if job.status == "done" and not job.imported:
        row.operator("splatsmith.import_result", text="", icon="IMPORT").job = job.number
    if job.film:
        row.operator("wm.path_open", text="", icon="PLAY").filepath = job.film
    folder = Path(job.film).parent if job.film else job.folder
    row.operator("splatsmith.open_folder", text="", icon="FILE_FOLDER").folder = str(folder)
    row.operator("splatsmith.dismiss_job", text="", icon="X").job = job.number


def draw_details(layout: bpy.types.UILayout, job: JobRecord, width: int) -> None:
    """How it ended, and what to press."""
    if job.status == "done":
        wrap(layout, job.summary, width)
        if job.line and not job.summary.startswith(job.line):  # "53 objects in …", "53 objects"
            wrap(layout, job.line.replace(str(Path.home()), "~"), width)
        if job.advice:
            wrap(layout, job.advice, width, "ERROR")
        if job.held_back:
            _draw_held_back(layout, job, width)
    else:
        text = "Cancelled." if job.status == "cancelled" else f"{job.error} {job.advice}"
        wrap(layout, text, width)
    for text in job.warnings[-3:]:
        wrap(layout, text, width, "INFO")
    if job.film:
        film, column = Path(job.film), layout.column(align=True)
        column.operator("wm.path_open", text=f"Play {film.name}", icon="PLAY").filepath = job.film
        folder = column.operator("splatsmith.open_folder", icon="FILE_FOLDER")
        folder.folder = str(film.parent)
    row = layout.row(align=True)
    if job.status != "done":
        again = job.status == "failed" and not job.resumable
        row.operator(
            "splatsmith.resume_job", text="Start Again" if again else "Resume", icon="PLAY"
        ).folder = str(job.folder)
    if job.status in ("failed", "crashed"):
        row.operator("splatsmith.copy_report", icon="COPYDOWN").job = job.number


def _draw_held_back(layout: bpy.types.UILayout, job: JobRecord, width: int) -> None:
    """Nothing came into the scene: pictures to see it by, and the click that brings it in. Why is
    among the warnings.
    """
    wrap(layout, "Not brought into the scene: look at it first.", width, "COLORSET_01_VEC")
    seen = job.result / "heldout.png"
    if seen.is_file():
        shown = layout.operator("wm.path_open", text="Show Pictures", icon="IMAGE_DATA")
        shown.filepath = str(seen)
    anyway = layout.operator("splatsmith.import_result", text="Bring In Anyway", icon="IMPORT")
    anyway.job = job.number


class SPLATSMITH_PT_ended_jobs(bpy.types.Panel):
    bl_label = "Ended Jobs"
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "Splatsmith"
    bl_parent_id = "SPLATSMITH_PT_jobs"
    bl_options = {"HIDE_HEADER"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return any(not job.active for job in manager.jobs)

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        ended = [job for job in manager.jobs if not job.active]
        for job in ended[-MOST:]:
            box = column.box()
            draw_line(box, job)
            if not job.folded:
                draw_details(box, job, panel_width(context))
        if len(manager.finished) > 1:
            column.operator("splatsmith.clear_finished", icon="TRASH")


CLASSES = (SPLATSMITH_PT_ended_jobs,)
