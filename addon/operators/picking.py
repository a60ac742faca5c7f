"""Floor and scale by clicking on the capture's points in the viewport."""

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

from ...backend.protocol import InputError
from ..blender_types import OperatorMixin, OperatorResult
from ..scene.captures import cameras, collections, ground
from ..scene.splats import pointclouds
from .common import guarded

REACH = 18  # pixels from the mouse within which a point is taken
BLUNT = 4  # pixels off by which a point counts as twice as far away


def _root(context: bpy.types.Context) -> bpy.types.Object | None:
    folder = context.scene.splatsmith.capture
    return collections.find_root(context.scene, folder) if folder else None


def nearest_point(
    points: np.ndarray, matrix: np.ndarray, size: tuple[int, int], at: tuple[float, float]
) -> int:
    """Index of the point (N, 3) that `matrix` (world to clip space) puts nearest to a place of the
    region; among those within reach the one in front. -1: none is within reach.
    """
    clip = np.concatenate([points, np.ones((len(points), 1))], 1) @ matrix.T
    front = clip[:, 3] > 1e-6
    place = (clip[:, :2] / np.where(front, clip[:, 3], 1.0)[:, None] + 1) / 2 * np.array(size)
    distance = np.where(front, np.linalg.norm(place - np.array(at), axis=1), np.inf)
    close = np.flatnonzero(distance < REACH)
    if not len(close):
        return -1
    return int(close[np.argmin(clip[close, 3] * (1 + (distance[close] / BLUNT) ** 2))])


def _holds(region: bpy.types.Region, event: bpy.types.Event) -> bool:
    return (
        0 <= event.mouse_x - region.x < region.width
        and 0 <= event.mouse_y - region.y < region.height
    )


class _Picker(OperatorMixin):
    """A modal operator that gathers `wanted` points of the capture, then hands them to `place`,
    also when it is run again.
    """

    wanted, what = 3, ""

    def place(self, root: bpy.types.Object, points: list[Vector]) -> None:
        """What becomes of the capture under that root."""
        raise NotImplementedError

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _root(context) is None:
            cls.poll_message_set("Solve the cameras first: points of the scene are what is picked")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        if context.area is None or context.area.type != "VIEW_3D":
            self.report({"ERROR"}, "Run this in a 3D viewport.")
            return {"CANCELLED"}
        root = _root(context)
        cloud = cameras.points_of(root) if root is not None else None
        if cloud is None:
            self.report({"ERROR"}, "The capture has no points to pick. Solve its cameras first.")
            return {"CANCELLED"}
        self._hidden = cloud.hide_get()
        cloud.hide_set(False)
        local = pointclouds.positions(cloud.data)
        matrix = np.array(cloud.matrix_world)
        self._points = local @ matrix[:3, :3].T + matrix[:3, 3]
        self._clicked: list[Vector] = []
        self._region = next(r for r in context.area.regions if r.type == "WINDOW")
        self._draw = bpy.types.SpaceView3D.draw_handler_add(
            self._draw_picked, (), "WINDOW", "POST_PIXEL"
        )
        context.window_manager.modal_handler_add(self)
        self._tell(context)
        return {"RUNNING_MODAL"}

    def _tell(self, context: bpy.types.Context) -> None:
        left = self.wanted - len(self._clicked)
        context.workspace.status_text_set(
            f"Click {left} more point{'s' if left > 1 else ''} {self.what}   ·   Ctrl+Z: one back  "
            f" ·   Esc: cancel"
        )
        context.area.tag_redraw()

    def _draw_picked(self) -> None:
        import blf

        if bpy.context.region != self._region:  # the handler draws in every viewport
            return
        for number, point in enumerate(self._clicked, 1):
            place = location_3d_to_region_2d(self._region, self._region.data, point)
            if place is not None:
                blf.size(0, 22)
                blf.color(0, 1.0, 0.65, 0.1, 1.0)
                blf.position(0, place.x - 5, place.y - 8, 0)
                blf.draw(0, f"⊕ {number}")

    def _stop(self, context: bpy.types.Context) -> None:
        bpy.types.SpaceView3D.draw_handler_remove(self._draw, "WINDOW")
        context.workspace.status_text_set(None)
        root = _root(context)  # looked up anew: it may be gone
        cloud = cameras.points_of(root) if root is not None else None
        if cloud is not None:
            cloud.hide_set(self._hidden)
        if context.area is not None:
            context.area.tag_redraw()

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends it: another file, a closed window."""
        self._stop(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        gone = (
            context.area is None or self._region not in context.area.regions[:]
        )  # the viewport was closed or changed
        if gone or event.type in {"ESC", "RIGHTMOUSE"}:
            self._stop(context)
            return {"CANCELLED"}
        if event.type == "Z" and (
            event.ctrl or event.oskey
        ):  # takes the last point back, and leaves the file alone
            if event.value == "PRESS" and self._clicked:
                self._clicked.pop()
                self._tell(context)
            return {"RUNNING_MODAL"}
        over = [
            r for r in context.area.regions if r.type != "WINDOW" and _holds(r, event)
        ]  # they lie above the viewport
        inside = _holds(self._region, event) and not over
        if event.type != "LEFTMOUSE" or event.value != "PRESS" or not inside:
            return {"PASS_THROUGH"}
        at = event.mouse_x - self._region.x, event.mouse_y - self._region.y
        size = self._region.width, self._region.height
        index = nearest_point(
            self._points, np.array(self._region.data.perspective_matrix), size, at
        )
        if index < 0:
            self.report({"INFO"}, "There is no point there: click on one of the capture's points.")
            return {"RUNNING_MODAL"}
        self._clicked.append(Vector(self._points[index].tolist()))
        if len(self._clicked) < self.wanted:
            self._tell(context)
            return {"RUNNING_MODAL"}
        self._stop(context)
        self.picked = [value for point in self._clicked for value in point]
        return self.execute(context)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        root = _root(context)
        if root is None:
            raise InputError("No capture is in this scene.", "Solve the cameras first.")
        context.view_layer.update()  # run again after an undo, matrices are not worked out yet
        self.place(root, [Vector(self.picked[i : i + 3]) for i in range(0, 3 * self.wanted, 3)])
        return {"FINISHED"}


class SPLATSMITH_OT_pick_floor(_Picker, bpy.types.Operator):
    """Click three points of the floor: the scene is moved so that they lie on the grid"""

    bl_idname = "splatsmith.pick_floor"
    bl_label = "Pick Floor"
    bl_options = {"REGISTER", "UNDO"}

    wanted, what = 3, "of the floor"
    picked: bpy.props.FloatVectorProperty(size=9, options={"HIDDEN", "SKIP_SAVE"})

    def place(self, root: bpy.types.Object, points: list[Vector]) -> None:
        """Lays the floor through them."""
        ground.set_floor(root, points)


class SPLATSMITH_OT_pick_length(_Picker, bpy.types.Operator):
    """Click two points whose distance you know, then type it: the scene gets its true size"""

    bl_idname = "splatsmith.pick_length"
    bl_label = "Pick Length"
    bl_options = {"REGISTER", "UNDO"}

    wanted, what = 2, "whose distance you know"
    picked: bpy.props.FloatVectorProperty(size=6, options={"HIDDEN", "SKIP_SAVE"})
    length: bpy.props.FloatProperty(
        name="Length",
        default=1.0,
        min=1e-4,
        soft_max=100,
        subtype="DISTANCE",
        description="How far apart the two points are",
    )

    def place(self, root: bpy.types.Object, points: list[Vector]) -> None:
        """Scales the scene so that they are the length apart."""
        ground.set_length(root, points, self.length)
        self.report(
            {"INFO"},
            f"They are {self.length:g} m apart now: type the true length under Pick Length, at the "
            f"lower left",
        )


CLASSES = (SPLATSMITH_OT_pick_floor, SPLATSMITH_OT_pick_length)
