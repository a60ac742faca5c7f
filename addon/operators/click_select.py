"""Click to select: the thing under the mouse, its part or its group."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np

from ...backend.protocol import InputError
from ..blender_types import OperatorResult
from ..compute import state
from ..scene.objects import objects
from ..scene.splats import marks
from ..words import clicking
from ..words.click_view import ClickView, view_of
from .common import guarded
from .objects import OnSplats

LEVELS = [
    ("PART", "Part", "The smallest thing that the click may mean"),
    ("THING", "Thing", "What the click most likely means"),
    ("GROUP", "Group", "The largest thing that the click may mean"),
]
KEYS = {"P": "PART", "T": "THING", "G": "GROUP"}
HELP = (
    "Click: select   ·   Shift: add   ·   Ctrl: take away   ·   P T G: part, thing, group ({})   "
    "·   Enter: done"
)


class SPLATSMITH_OT_click_select(OnSplats, bpy.types.Operator):
    bl_description = (
        "Click on things in the viewport or camera view: with a SAM, whatever is seen there; "
        "without, the object of Find Objects"
    )
    bl_idname = "splatsmith.click_select"
    bl_label = "Click"
    bl_options = {"REGISTER"}  # the undo step comes with the answer

    level: bpy.props.EnumProperty(name="Level", items=LEVELS, default="THING")
    mode: bpy.props.EnumProperty(name="Mode", items=marks.MODES, options={"SKIP_SAVE"})
    view: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # a ClickView as JSON
    place: bpy.props.FloatVectorProperty(size=2, options={"HIDDEN", "SKIP_SAVE"})  # its pixels

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        if context.area is None or context.area.type != "VIEW_3D":
            self.report({"ERROR"}, "Run this in a 3D viewport.")
            return {"CANCELLED"}
        self._region = next(r for r in context.area.regions if r.type == "WINDOW")
        context.window_manager.modal_handler_add(self)
        context.window.cursor_modal_set("EYEDROPPER")
        self._tell(context)
        return {"RUNNING_MODAL"}

    def _tell(self, context: bpy.types.Context) -> None:
        context.workspace.status_text_set(HELP.format(self.level.lower()))

    def _stop(self, context: bpy.types.Context) -> None:
        context.workspace.status_text_set(None)
        if context.window is not None:
            context.window.cursor_modal_restore()

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends it: another file, a closed window."""
        self._stop(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        gone = context.area is None or self._region not in context.area.regions[:]
        if gone or event.type in {"ESC", "RIGHTMOUSE", "RET", "NUMPAD_ENTER"}:
            self._stop(context)
            return {"FINISHED"}
        if event.type in KEYS and event.value == "PRESS":
            self.level = KEYS[event.type]
            self._tell(context)
            return {"RUNNING_MODAL"}
        if event.type != "LEFTMOUSE" or event.value != "PRESS" or not self._holds(context, event):
            return {"PASS_THROUGH"}
        plain = context.scene.splatsmith.select_mode
        self.mode = "ADD" if event.shift else "SUBTRACT" if event.ctrl else plain
        self._click(context, event)
        return {"RUNNING_MODAL"}

    def _holds(self, context: bpy.types.Context, event: bpy.types.Event) -> bool:
        """Over the viewport itself, not over the panels that lie on it."""

        def holds(region: bpy.types.Region) -> bool:
            x, y = event.mouse_x - region.x, event.mouse_y - region.y
            return 0 <= x < region.width and 0 <= y < region.height

        return holds(self._region) and not any(
            holds(r) for r in context.area.regions if r.type != "WINDOW"
        )

    @guarded
    def _click_guarded(self, context: bpy.types.Context) -> OperatorResult:
        data, region = self._region.data, self._region
        seen, shown = (np.array(m, np.float64) for m in (data.view_matrix, data.window_matrix))
        view = view_of(seen, shown, region.width, region.height)
        self.place = view.place(*self._at, region.height)
        self.view = json.dumps(dataclasses.asdict(view))
        return self.execute(context)

    def _click(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        self._at = (event.mouse_x - self._region.x, event.mouse_y - self._region.y)
        self._click_guarded(context)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        if not self.view:
            raise InputError("Nothing was clicked.", "Press Click, then click in the viewport.")
        cloud, settings = objects.demand_target(context), context.scene.splatsmith
        view, place = _read(json.loads(self.view)), list(self.place)
        if settings.sam:
            if not state.current().ready:
                raise InputError("Set up computing first: panel 0, Compute.", "")
            folder = bpy.path.abspath(settings.sam)
            clicking.click(cloud, view, [place], [1], self.level, folder, self.mode)
        else:
            self._take_object(cloud, view, place)
        return {"FINISHED"}

    def _take_object(self, cloud: bpy.types.Object, view: ClickView, place: list[float]) -> None:
        if self.level != "THING" or not cloud.splatsmith_objects:
            raise InputError(
                "Parts, groups, and things that Find Objects has not found, need a SAM.",
                "Get a Model > MobileSAM, under Advanced.",
            )
        count = clicking.select(cloud, clicking.under_mouse(cloud, view, place), self.mode)
        self.report({"INFO"}, f"{count:,} splats are selected")
        if not bpy.app.background:
            bpy.ops.ed.undo_push(message="Click to Select")


def _read(told: Mapping[str, Any]) -> ClickView:
    try:
        return ClickView(**told)
    except TypeError as error:
        raise InputError("That is no view.", "Click in the viewport.") from error


CLASSES = (SPLATSMITH_OT_click_select,)
