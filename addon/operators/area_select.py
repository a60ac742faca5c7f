"""Selecting splats by a box, a lasso or a circle that is drawn in the viewport."""

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ...backend.formats.splat_moves import matrices_of
from ..blender_types import OperatorResult
from ..scene.objects import areas, objects, painting
from ..scene.splats import marks, pointclouds, splats
from .objects import OnSplats

HELP = (
    "Drag: {} select   ·   Shift: add   ·   Ctrl: subtract   ·   F: {}   ·   Esc or right mouse: "
    "cancel"
)
SHAPES = [
    ("BOX", "Box", "Drag from one corner to the other"),
    ("LASSO", "Lasso", "Draw around what you want"),
    ("CIRCLE", "Circle", "Drag from the middle outward"),
]


class SPLATSMITH_OT_select_area(OnSplats, bpy.types.Operator):
    """Select the splats in a box, a lasso or a circle, through all that stands before them"""

    bl_idname = "splatsmith.select_area"
    bl_label = "Select Area"
    bl_options = {"UNDO"}

    shape: bpy.props.EnumProperty(name="Shape", items=SHAPES, options={"SKIP_SAVE"})
    footprint: bpy.props.BoolProperty(
        name="By Footprint",
        default=False,
        description="Take splats that reach into the area, not only those whose center lies in it",
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        if context.area is None or context.area.type != "VIEW_3D":
            self.report({"ERROR"}, "Run this in a 3D viewport.")
            return {"CANCELLED"}
        objects.demand_target(context)
        self._points: list[tuple[float, float]] = []
        self._region = next(r for r in context.area.regions if r.type == "WINDOW")
        self._draw = bpy.types.SpaceView3D.draw_handler_add(
            self._draw_outline, (), "WINDOW", "POST_PIXEL"
        )
        context.window_manager.modal_handler_add(self)
        context.window.cursor_modal_set("CROSSHAIR")
        self._tell(context)
        return {"RUNNING_MODAL"}

    def _tell(self, context: bpy.types.Context) -> None:
        by = "by footprint" if self.footprint else "by center"
        context.workspace.status_text_set(HELP.format(self.shape.lower(), by))

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends it: another file, a closed window."""
        self._stop(context)

    def _stop(self, context: bpy.types.Context) -> None:
        bpy.types.SpaceView3D.draw_handler_remove(self._draw, "WINDOW")
        context.workspace.status_text_set(None)
        if context.window is not None:
            context.window.cursor_modal_restore()
        if context.area is not None:
            context.area.tag_redraw()

    def _outline(self) -> areas.Outline | None:
        """What was drawn so far; None while it is no area."""
        if len(self._points) < 2 or self._points[0] == self._points[-1]:
            return None
        if self.shape == "BOX":
            return areas.box(self._points[0], self._points[-1])
        if self.shape == "CIRCLE":
            radius = float(np.hypot(*np.subtract(self._points[-1], self._points[0])))
            return areas.circle(self._points[0], radius)
        return np.array(self._points) if len(self._points) > 2 else None

    def _draw_outline(self) -> None:
        outline = self._outline() if bpy.context.region == self._region else None
        if outline is None:
            return
        shader = gpu.shader.from_builtin("UNIFORM_COLOR")
        closed = [(*map(float, p), 0.0) for p in (*outline, outline[0])]
        shader.uniform_float("color", (1.0, 0.6, 0.1, 0.9))
        batch_for_shader(shader, "LINE_STRIP", {"pos": closed}).draw(shader)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if context.area is None or self._region not in context.area.regions[:]:
            self._stop(context)
            return {"CANCELLED"}
        at = float(event.mouse_x - self._region.x), float(event.mouse_y - self._region.y)
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            self._stop(context)
            return {"CANCELLED"}
        if event.type == "F" and event.value == "PRESS":
            self.footprint = not self.footprint
            self._tell(context)
        elif event.type == "LEFTMOUSE" and event.value == "PRESS":
            self._points = [at]
        elif event.type == "MOUSEMOVE" and self._points:
            self._points = [*self._points, at] if self.shape == "LASSO" else [self._points[0], at]
            context.area.tag_redraw()
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE" and self._points:
            return self._finish(context, event)
        elif not self._points:
            return {"PASS_THROUGH"}
        return {"RUNNING_MODAL"}

    def _finish(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        outline = self._outline()
        self._stop(context)
        cloud = objects.target(context)
        if outline is None or cloud is None:
            return {"CANCELLED"}
        mode: marks.Mode = "ADD" if event.shift else "SUBTRACT" if event.ctrl else "SET"
        count = select_in(
            cloud,
            outline,
            np.array(self._region.data.perspective_matrix @ cloud.matrix_world, np.float64),
            (self._region.width, self._region.height),
            mode,
            self.footprint,
        )
        self.report({"INFO"}, f"{count:,} splats are selected")
        return {"FINISHED"}


def select_in(
    cloud: bpy.types.Object,
    outline: areas.Outline,
    matrix: np.ndarray,
    size: tuple[int, int],
    mode: marks.Mode,
    footprint: bool,
) -> int:
    """Selects what lies in an outline of the screen; how many splats are selected then. `matrix`
    (4, 4) carries the splats' own space to clip space; `size` is the region's.
    """
    data = splats.shown(cloud)
    means, opacities = pointclouds.positions(data), splats.base_of(cloud)[:, 3]
    places = painting.project(means, opacities, matrix, size).places
    taken = areas.inside(outline, places)
    scales = pointclouds.read_attribute(data, "scale", 3)
    quats = pointclouds.read_attribute(data, "rotation", 4)
    if footprint and scales is not None and quats is not None:
        open_ = np.flatnonzero(np.isfinite(places).all(1) & ~marks.away(cloud))
        axes = areas.screen_axes(
            means[open_], matrices_of(quats[open_]), scales[open_], matrix, size
        )
        taken[open_] = areas.reaching(outline, places[open_], axes, taken[open_])
    return marks.select(cloud, taken, mode, locked=objects.locked(cloud))


CLASSES = (SPLATSMITH_OT_select_area,)
