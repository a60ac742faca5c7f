"""Lists of panel 5: what is moved, by which curves, and the videos of a person."""

from pathlib import Path
from typing import Any

import bpy

from .job_strip import panel_width


class SPLATSMITH_UL_face_targets(bpy.types.UIList):
    """Meshes that are moved, with how many of their shape keys are."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        if item.obj is None:
            layout.label(text="(gone)", icon="ERROR")
            return
        row = layout.row()
        if item.obj.type == "ARMATURE":
            row.label(text=item.obj.name, icon="ARMATURE_DATA")
            return
        row.label(text=item.obj.name, icon="SHAPEKEY_DATA")
        count = row.row()
        count.alignment = "RIGHT"
        count.label(text=f"{len({r.key for r in item.rows})} shape keys")


class SPLATSMITH_UL_face_rows(bpy.types.UIList):
    """Which curve moves which shape key, and how far."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        is_mesh = data.obj is not None and data.obj.type == "MESH"
        keys = data.obj.data.shape_keys if is_mesh else None
        wide = _is_wide(context) and keys is not None
        row = layout.split(factor=0.4 if wide else 0.68, align=True)
        row.prop(item, "curve", text="", emboss=False)
        if wide:
            row = row.split(factor=0.7, align=True)
            row.prop_search(item, "key", keys, "key_blocks", text="")
        row.prop(item, "gain", text="")


class SPLATSMITH_UL_face_videos(bpy.types.UIList):
    """More videos of the person."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        path = Path(bpy.path.abspath(item.path))
        there = path.is_file()
        name = path.name if there else f"{path.name} (gone)"
        layout.label(text=name, icon="FILE_MOVIE" if there else "ERROR")


def _is_wide(context: bpy.types.Context) -> bool:
    """Whether a row has place for the shape key beside the curve: it stands below the list too."""
    return panel_width(context) > 400


CLASSES = (SPLATSMITH_UL_face_targets, SPLATSMITH_UL_face_rows, SPLATSMITH_UL_face_videos)
