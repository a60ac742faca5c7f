"""A brush that selects splats in the viewport, one by one or by whole objects."""

import bpy
import gpu
import numpy as np
from gpu_extras.presets import draw_circle_2d

from ...backend.protocol import SplatsmithError
from ..blender_types import OperatorResult
from ..scene.objects import neighbors, objects, painting
from ..scene.splats import marks, pointclouds, splats
from .common import report_error
from .objects import OnSplats

HELP = (
    "Drag: select   ·   Ctrl: deselect   ·   [ ]: size   ·   X: through ({})   ·   Ctrl+Z: one "
    "back   ·   Enter: done   ·   Esc: cancel"
)
SIZES = {"LEFT_BRACKET": 0.8, "RIGHT_BRACKET": 1.25}


class SPLATSMITH_OT_brush(OnSplats, bpy.types.Operator):
    """Paint the selection onto what can be seen of the splats"""

    bl_idname = "splatsmith.brush"
    bl_label = "Brush"
    bl_options = {"UNDO"}

    whole: bpy.props.BoolProperty(
        name="Whole Objects",
        options={"SKIP_SAVE"},
        description="Touching a splat takes its whole object",
    )

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        return "Click or drag in the viewport to select " + (
            "whole objects" if properties.whole else "splats"
        )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        if context.area is None or context.area.type != "VIEW_3D":
            self.report({"ERROR"}, "Run this in a 3D viewport.")
            return {"CANCELLED"}
        cloud = objects.demand_target(context)
        self._name, self._uid = cloud.name, cloud.data.session_uid
        self._points = pointclouds.positions(cloud.data)
        self._reach = neighbors.typical_reach(self._points)
        try:
            self._labels = objects.numbers_of(cloud) if self.whole else None
        except SplatsmithError as error:
            return report_error(self, error)
        self._refresh(cloud)
        self._start = self._mask
        self._before: list[np.ndarray] = []
        self._painting, self._erasing, self._through, self._at = False, False, False, (0.0, 0.0)
        self._region = next(r for r in context.area.regions if r.type == "WINDOW")
        self._draw = bpy.types.SpaceView3D.draw_handler_add(
            self._draw_circle, (), "WINDOW", "POST_PIXEL"
        )
        context.window_manager.modal_handler_add(self)
        self._tell(context)
        return {"RUNNING_MODAL"}

    def _refresh(self, cloud: bpy.types.Object) -> None:
        """What may have changed since the last stroke: buttons work while the brush is out."""
        self._mask = marks.read(cloud, marks.SELECTED)
        self._locked = objects.locked(cloud)
        self._opacities = splats.base_of(cloud)[:, 3] * ~marks.away(cloud)
        self._seen: tuple[np.ndarray, painting.Projected] | None = None

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends it: another file, a closed window."""
        self._stop(context)

    def _tell(self, context: bpy.types.Context) -> None:
        context.workspace.status_text_set(HELP.format("on" if self._through else "off"))
        if context.area is not None:
            context.area.tag_redraw()

    def _draw_circle(self) -> None:
        if bpy.context.region != self._region:
            return
        gpu.state.blend_set("ALPHA")
        color = (0.4, 0.7, 1.0, 0.9) if self._erasing else (1.0, 0.6, 0.1, 0.9)
        draw_circle_2d(self._at, color, bpy.context.scene.splatsmith.brush_radius, segments=48)
        gpu.state.blend_set("NONE")

    def _cloud(self) -> bpy.types.Object | None:
        """The splats that are painted; None when they are gone or are others now."""
        cloud = bpy.data.objects.get(self._name)
        if cloud is None or not splats.is_splats(cloud):
            return None
        return cloud if cloud.data.session_uid == self._uid else None

    def _stop(self, context: bpy.types.Context) -> None:
        bpy.types.SpaceView3D.draw_handler_remove(self._draw, "WINDOW")
        context.workspace.status_text_set(None)
        if context.area is not None:
            context.area.tag_redraw()

    def _store(self, cloud: bpy.types.Object, mask: np.ndarray) -> None:
        self._mask = mask
        marks.select(cloud, mask, "SET", locked=self._locked)

    def _paint(self, context: bpy.types.Context, cloud: bpy.types.Object) -> None:
        matrix = np.array(self._region.data.perspective_matrix @ cloud.matrix_world, np.float64)
        if self._seen is None or not np.allclose(self._seen[0], matrix):
            size = (self._region.width, self._region.height)
            self._seen = (matrix, painting.project(self._points, self._opacities, matrix, size))
        radius = context.scene.splatsmith.brush_radius
        under = painting.touched(self._seen[1], self._at, radius, 3 * self._reach, self._through)
        mask = self._mask.copy()
        if self._labels is None:
            mask[under] = not self._erasing
        else:
            taken = objects.with_groups(cloud, painting.main_objects(self._labels[under]))
            mask[np.isin(self._labels, taken)] = not self._erasing
        self._store(cloud, mask)

    def _inside(self, context: bpy.types.Context, event: bpy.types.Event) -> bool:
        """Over the viewport itself, not over the panels that lie on it."""

        def holds(region: bpy.types.Region) -> bool:
            return (
                0 <= event.mouse_x - region.x < region.width
                and 0 <= event.mouse_y - region.y < region.height
            )

        return holds(self._region) and not any(
            holds(r) for r in context.area.regions if r.type != "WINDOW"
        )

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        cloud = self._cloud()
        if cloud is None or context.area is None or self._region not in context.area.regions[:]:
            self._stop(context)
            return {"CANCELLED"}
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            self._store(cloud, self._start)
            self._stop(context)
            return {"CANCELLED"}
        if event.type in {"RET", "NUMPAD_ENTER"}:
            self._stop(context)
            return {"FINISHED"}
        self._at = float(event.mouse_x - self._region.x), float(event.mouse_y - self._region.y)
        return self._handle(context, event, cloud)

    def _handle(
        self, context: bpy.types.Context, event: bpy.types.Event, cloud: bpy.types.Object
    ) -> OperatorResult:
        settings = context.scene.splatsmith
        if event.type in SIZES and event.value == "PRESS":
            larger = SIZES[event.type] > 1
            settings.brush_radius = (
                round(settings.brush_radius * SIZES[event.type]) + larger
            )  # never stuck at 1
        elif event.type == "X" and event.value == "PRESS":
            self._through = not self._through
            self._tell(context)
        elif event.type == "Z" and event.ctrl:
            if event.value == "PRESS" and self._before:
                self._store(cloud, self._before.pop())
        elif event.type == "LEFTMOUSE" and event.value == "PRESS" and self._inside(context, event):
            self._refresh(cloud)
            self._before.append(self._mask)
            self._painting, self._erasing = True, event.ctrl
            self._paint(context, cloud)
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE":
            self._painting = self._erasing = False
        elif event.type == "MOUSEMOVE":
            context.area.tag_redraw()
            if not self._painting:
                return {"PASS_THROUGH"}
            self._paint(context, cloud)
        else:
            return {"PASS_THROUGH"}
        context.area.tag_redraw()
        return {"RUNNING_MODAL"}


CLASSES = (SPLATSMITH_OT_brush,)
