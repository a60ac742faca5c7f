"""The manual's page of a panel: on the project's website where the manifest names one, else the
page that comes with the extension, in a Text Editor.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import bpy

from .. import preferences
from ..blender_types import OperatorResult
from .common import guarded

PAGES = tuple(path.stem for path in sorted((preferences.ROOT / "docs" / "panels").glob("*.md")))
TEXT = "Splatsmith Help"  # the data-block
_PICTURE = re.compile(r"^!\[.*\n", re.MULTILINE)


def website() -> str:
    """Of the project, without a slash at its end; empty while the manifest names none."""
    with open(preferences.ROOT / "blender_manifest.toml", "rb") as file:
        return str(tomllib.load(file).get("website", "")).rstrip("/")


def page_file(page: str) -> Path:
    """The page that comes with the extension."""
    return preferences.ROOT / "docs" / "panels" / f"{page}.md"


class SPLATSMITH_OT_help(bpy.types.Operator):
    """Show the manual's page about this panel"""

    bl_idname = "splatsmith.help"
    bl_label = "Splatsmith Help"

    page: bpy.props.EnumProperty(
        name="Page",
        items=[(page, page[2:].replace("-", " ").title(), "") for page in PAGES],
        options={"SKIP_SAVE"},
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        site = website()
        if site:
            bpy.ops.wm.url_open(url=f"{site}/panels/{self.page}.html")
            return {"FINISHED"}
        text = bpy.data.texts.get(TEXT) or bpy.data.texts.new(TEXT)
        text.from_string(_PICTURE.sub("", page_file(self.page).read_text(encoding="utf-8")))
        if not bpy.app.background:
            _show(context, text)
        return {"FINISHED"}


def _show(context: bpy.types.Context, text: bpy.types.Text) -> None:
    """In the Text Editor that shows it already, else in a new window."""
    spaces = _editors(context, text)
    if not spaces:
        bpy.ops.wm.window_new()
        area = max(context.window_manager.windows[-1].screen.areas, key=lambda a: a.width)
        area.type = "TEXT_EDITOR"
        spaces = [area.spaces.active]
    for space in spaces:
        space.text, space.top, space.show_word_wrap = text, 0, True
        space.show_line_numbers = space.show_syntax_highlight = False


def _editors(context: bpy.types.Context, text: bpy.types.Text) -> list[Any]:
    return [
        space
        for window in context.window_manager.windows
        for area in window.screen.areas
        for space in (area.spaces.active,)
        if isinstance(space, bpy.types.SpaceTextEditor) and space.text == text
    ]


def manual_map() -> tuple[str, tuple[tuple[str, str], ...]]:
    """For *Online Manual* in the context menus of our buttons."""
    return f"{website()}/panels/", (
        *((f"bpy.ops.splatsmith.{name}*", page) for name, page in _page_of_operators()),
        ("bpy.ops.splatsmith*", "0-compute.html"),
    )


def _page_of_operators() -> list[tuple[str, str]]:
    rows = {
        "1-source": "demo_clip",
        "2-cameras": "solve_cameras pick_ depth_mesh tracks_clip import_capture export_capture",
        "3-splats": "train_splats render_splats turntable fly_through import_splats export_splats "
        "export_page apply_transform splats_to_mesh",
        "4-objects": "segment select brush click_select merge_objects split_object recolor_objects "
        "mask_nodes extract_objects delete_objects export_objects hide_splats label_selection "
        "get_model",
        "5-talking-face": "speak bake_again sound_of_strip import_motion add_head read_face "
        "talk_video import_head export_face face_row match_face add_face_targets "
        "remove_face_target place_landmarks mark_landmark clear_landmarks add_arkit_shapes",
        "6-animated-mesh": "make_mesh mask_frame one_mesh find_bones bake_mesh import_mesh "
        "export_still",
    }
    return [(name, f"{page}.html") for page, names in rows.items() for name in names.split()]


def attach() -> None:
    """*Online Manual* knows our buttons where there is a website; `detach` undoes it."""
    if website():
        bpy.utils.register_manual_map(manual_map)


def detach() -> None:
    """Nothing is left with Blender."""
    if website():
        bpy.utils.unregister_manual_map(manual_map)


CLASSES = (SPLATSMITH_OT_help,)
