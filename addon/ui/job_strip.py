"""The strip on top of the tab: what runs, how far, how long still; what is left unfinished from
before. What ended is below it: `ended_jobs.py`.
"""

from pathlib import Path

import bpy
import bpy.utils.previews

from ..blender_types import Icon
from ..jobs import folders
from ..jobs.manager import manager
from ..jobs.record import JobRecord

_previews: bpy.utils.previews.ImagePreviewCollection | None = None
METRIC_LINES = (
    {"psnr": "Between cameras {:.2f} dB", "ssim": "SSIM {:.3f}"},
    {"beyond_psnr": "Beyond {:.2f} dB", "beyond_ssim": "SSIM {:.3f}"},
    {"splats": "{:,.0f} splats", "loss": "loss {:.4f}"},
)


def format_seconds(seconds: float) -> str:
    """42 s, 3 m 12 s, 1 h 05 m."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} m {whole % 60:02d} s"
        if whole < 3600
        else f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    )


def panel_width(context: bpy.types.Context) -> int:
    """Of the region, in pixels of an interface that is not enlarged: letters and icons grow with
    it.
    """
    return round(context.region.width / (context.preferences.system.ui_scale or 1.0))


def wrap(layout: bpy.types.UILayout, text: str, width: int, icon: Icon = "NONE") -> None:
    """Text over as many lines as the panel's width asks for."""
    per_line = max(16, width // 8 - (4 if icon != "NONE" else 0))  # letters; an icon takes some
    column = layout.column(align=True)
    column.scale_y = 0.8
    for line in broken(text, per_line):
        column.label(text=line, icon=icon)
        icon = "BLANK1" if icon != "NONE" else "NONE"


def broken(text: str, per_line: int) -> list[str]:
    """Lines of so many letters at most; a longer word, as paths are, is broken too."""
    lines = [""]
    for word in text.split():
        for piece in (word[i : i + per_line] for i in range(0, len(word), per_line)):
            if len(lines[-1]) + len(piece) + 1 > per_line and lines[-1]:
                lines.append(piece)
            else:
                lines[-1] = f"{lines[-1]} {piece}".strip()
    return lines


def _preview_icon(path: str) -> int:
    """An icon of the job's latest picture; 0 while there is none."""
    global _previews
    if not path or not Path(path).is_file():
        return 0
    if _previews is None:
        _previews = bpy.utils.previews.new()
    if path not in _previews:
        _previews.clear()
        _previews.load(path, path, "IMAGE")
    return _previews[path].icon_id


def _stage_line(job: JobRecord) -> str:
    """Which stage it is in; the time left in it while that of the whole is not known."""
    alone = f": {format_seconds(job.eta)} left" if job.left < 0 <= job.eta else ""
    return f"{job.stage_index}/{job.stage_count} {job.stage}{alone}"


def _draw_running(layout: bpy.types.UILayout, job: JobRecord, width: int) -> None:
    box = layout.box()
    row = box.row()
    row.label(text=job.name, icon="SORTTIME")
    row.operator("splatsmith.cancel_job", text="", icon="CANCEL").job = job.number
    left = f" · {format_seconds(job.left)} left" if job.left >= 0 else ""
    text = "Stopping…" if job.cancelling else f"{job.share:.0%}{left}"
    box.progress(factor=job.share, text="Waiting" if job.status == "waiting" else text)
    if job.stage:
        box.label(text=_stage_line(job))
    for formats in METRIC_LINES:
        numbers = " · ".join(
            text.format(job.metrics[name]) for name, text in formats.items() if name in job.metrics
        )
        if numbers:
            box.label(text=numbers)
    icon = _preview_icon(job.preview)
    if icon:
        box.template_icon(icon_value=icon, scale=max(5.0, min(14.0, width / 24)))
    if job.silent:
        wrap(
            box, "No news for a minute: the process may be stuck. Cancel stops it.", width, "ERROR"
        )
    for text in job.warnings[-2:]:
        wrap(box, text, width, "INFO")


def _draw_unfinished(layout: bpy.types.UILayout) -> None:
    listed = {job.folder for job in manager.jobs}
    left = [u for u in folders.unfinished() if u.folder not in listed]
    if not left:
        return
    box = layout.box()
    box.label(text="Unfinished Jobs", icon="RECOVER_LAST")
    for item in left[:5]:
        row = box.row(align=True)
        verb = "Resume" if item.own else "Look into"
        resume = row.operator(
            "splatsmith.resume_job",
            text=f"{verb} {item.verb}: {item.title}",
            icon="PLAY" if item.own else "ERROR",
        )
        resume.folder = str(item.folder)
        dismiss = row.operator("splatsmith.dismiss_job", text="", icon="X")
        dismiss.folder = str(item.folder)


class SPLATSMITH_PT_jobs(bpy.types.Panel):
    bl_label = "Jobs"
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "Splatsmith"
    bl_order = 0

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return bool(manager.jobs) or bool(folders.unfinished())

    def draw(self, context: bpy.types.Context) -> None:
        for job in manager.jobs:
            if job.active:
                _draw_running(self.layout, job, panel_width(context))
        _draw_unfinished(self.layout)


def unload() -> None:
    """Gives the previews back."""
    global _previews
    if _previews is not None:
        bpy.utils.previews.remove(_previews)
        _previews = None


CLASSES = (SPLATSMITH_PT_jobs,)
