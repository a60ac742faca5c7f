"""Objects of splats: found, and taken out, away, to a file; what is selected likewise."""

from pathlib import Path

import bpy
import numpy as np

from ...backend.formats import splat_ply
from ...backend.protocol import InputError, Request
from ...backend.semantics.segment_verb import SegmentOptions
from .. import preferences
from ..blender_types import ExportHelper, OperatorMixin, OperatorResult
from ..jobs import folders
from ..scene.objects import cutting, object_edits, objects
from ..scene.splats import marks, splats
from .common import compute_ready, guarded, run_in_folder

WHAT = [
    ("OBJECTS", "Objects", "The objects that are ticked in the list, or the active one"),
    ("SELECTION", "Selection", "The splats that are selected"),
]


class SPLATSMITH_OT_segment(bpy.types.Operator):
    """Find the objects in the splats, from the pictures that they were trained on"""

    bl_idname = "splatsmith.segment"
    bl_label = "Find Objects"
    bl_options = {"REGISTER"}  # the undo step comes with the result

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not compute_ready(cls):
            return False
        if splats.chosen(context) is None or not context.scene.splatsmith.capture:
            cls.poll_message_set(
                "Splats and the capture that they were trained on are both needed (panel 3)"
            )
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings, cloud = context.scene.splatsmith, splats.demand(context)
        folder = folders.new_folder("segment", cloud.name)
        splats.export_ply(splats.read(cloud), folder / "splats.ply")
        options = SegmentOptions(
            capture=bpy.path.abspath(settings.capture),
            model=settings.clip_model and bpy.path.abspath(settings.clip_model),
            regions=settings.regions and bpy.path.abspath(settings.regions),
            sam=settings.sam and bpy.path.abspath(settings.sam),
            segmenter=settings.segmenter and bpy.path.abspath(settings.segmenter),
        )
        request = Request(
            verb="segment",
            input=str(folder / "splats.ply"),
            options=options,
            preset=settings.preset,
            device=preferences.get().device,
            title=cloud.name,
        )
        return run_in_folder(self, context, request, folder)


class OnObjects(OperatorMixin):
    """An operator on splats that have objects."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if objects.segmented(context) is None:
            cls.poll_message_set("Find the objects of some splats first")
            return False
        return True


class OnSplats(OperatorMixin):
    """An operator on splats, whether they have objects or not."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if splats.chosen(context) is None:
            cls.poll_message_set("There are no splats")
            return False
        return True


class OnSome(OnSplats):
    """On some of the splats: of the chosen objects, or the selection; or on all others."""

    what: bpy.props.EnumProperty(name="What", items=WHAT, options={"SKIP_SAVE"})

    def wanted(self, context: bpy.types.Context) -> tuple[bpy.types.Object, np.ndarray, str]:
        """The splat object, which of its splats (N,) bool, and a name for them."""
        if self.what == "SELECTION":
            cloud = objects.demand_target(context)
            return cloud, marks.selected(cloud), f"{cloud.name} Selection"
        cloud = objects.demand_segmented(context)
        items = objects.chosen_items(cloud)
        mask = objects.of_items(cloud, items)
        if not mask.any():
            raise InputError("No splats are of the chosen objects.", "Choose others.")
        groups = objects.chosen_groups(cloud)
        return cloud, mask, groups[0][0].name if len(groups) == 1 else f"{len(groups)} Objects"


class SPLATSMITH_OT_delete_objects(OnSome, bpy.types.Operator):
    """Take the splats away"""

    bl_idname = "splatsmith.delete_objects"
    bl_label = "Delete Objects"

    fill: bpy.props.BoolProperty(
        name="Fill Behind",
        default=False,
        options={"SKIP_SAVE"},
        description="Continue the surfaces behind across the hole, in plain colors",
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud, mask, _ = self.wanted(context)
        mask = objects.unlocked(cloud, mask)
        if mask.all():
            raise InputError(
                "That would leave no splats.", "Choose fewer, or delete the whole object."
            )
        filling = cutting.fill(cloud, mask) if self.fill else None
        object_edits.keep(cloud, ~mask)
        more = ""
        if filling is not None:
            cutting.close(cloud, filling)
            more = f"; {cutting.told(filling, cloud)}"
        object_edits.drop_empty(cloud)
        self.report({"INFO"}, f"{int(mask.sum()):,} splats were taken away{more}")
        return {"FINISHED"}


class SPLATSMITH_OT_export_objects(OnSome, ExportHelper, bpy.types.Operator):
    """Export the splats, or all others, as a plain 3DGS PLY file that every splat viewer opens"""

    bl_idname = "splatsmith.export_objects"
    bl_label = "Export Objects"

    filename_ext = ".ply"
    filter_glob: bpy.props.StringProperty(default="*.ply", options={"HIDDEN"})
    rest: bpy.props.BoolProperty(
        name="Others", description="Everything but these", options={"SKIP_SAVE"}
    )
    labels: bpy.props.BoolProperty(
        name="With Labels",
        default=False,
        description="Write object numbers too; some viewers refuse files with more than splats",
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud, mask, _ = self.wanted(context)
        mask = ~mask if self.rest else mask
        if not mask.any():
            raise InputError("That is all splats: nothing is left over.", "Choose fewer.")
        some = splat_ply.take(splats.read_moved(cloud), mask)
        count = splats.export_ply(some, Path(bpy.path.abspath(self.filepath)), self.labels)
        self.report({"INFO"}, f"{count:,} splats written to {self.filepath}")
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_segment,
    SPLATSMITH_OT_delete_objects,
    SPLATSMITH_OT_export_objects,
)
