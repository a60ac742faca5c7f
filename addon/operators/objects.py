"""Objects of splats: found, taken out, taken away, joined."""

import bpy
import numpy as np

from ...backend.protocol import InputError, Request, SegmentOptions
from .. import preferences
from ..jobs import folders
from ..scene import collections, objects, splats
from .common import compute_ready, guarded, run_in_folder


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
            cls.poll_message_set("Splats and the capture that they were trained on are both needed: panel 3")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        settings, cloud = context.scene.splatsmith, splats.chosen(context)
        folder = folders.new_folder("segment", cloud.name)
        splats.export_ply(cloud, folder / "splats.ply")
        options = SegmentOptions(
            capture=bpy.path.abspath(settings.capture), model=settings.clip_model and bpy.path.abspath(settings.clip_model),
            regions=settings.regions and bpy.path.abspath(settings.regions),
        )  # fmt: skip
        request = Request("segment", str(folder / "splats.ply"), options, settings.preset, preferences.get().device, title=cloud.name)
        return run_in_folder(self, context, request, folder)


class _OnObjects:
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if objects.segmented(context) is None:
            cls.poll_message_set("Find the objects of some splats first")
            return False
        return True

    @staticmethod
    def wanted(cloud: bpy.types.Object) -> tuple[list[int], np.ndarray]:
        """Numbers of the objects to work on, and their splats (N,) bool."""
        numbers = [item.number for item in objects.chosen_items(cloud)]
        mask = np.isin(objects.numbers_of(cloud), numbers)
        if not mask.any():
            raise InputError("No splats are of the chosen objects.", "Choose others.")
        return numbers, mask


class SPLATSMITH_OT_extract_objects(_OnObjects, bpy.types.Operator):
    """Copy the chosen objects' splats, or all others, to a splat object and a collection of their own"""

    bl_idname = "splatsmith.extract_objects"
    bl_label = "Extract"

    rest: bpy.props.BoolProperty(name="The Rest", description="Everything but the chosen objects")  # type: ignore[valid-type]

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        cloud = objects.segmented(context)
        _, mask = self.wanted(cloud)
        mask = ~mask if self.rest else mask
        if not mask.any():
            raise InputError("All splats are of the chosen objects.", "Choose fewer.")
        names = [item.name for item in objects.chosen_items(cloud)]
        name = f"{cloud.name} Rest" if self.rest else names[0] if len(names) == 1 else f"{len(names)} Objects"
        fresh = objects.extract(cloud, mask, name, collections.new_collection(context.scene, name))
        self.report({"INFO"}, f"{int(mask.sum()):,} splats are in {fresh.name} now")
        return {"FINISHED"}


class SPLATSMITH_OT_delete_objects(_OnObjects, bpy.types.Operator):
    """Take the chosen objects' splats away"""

    bl_idname = "splatsmith.delete_objects"
    bl_label = "Delete"

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        cloud = objects.segmented(context)
        numbers, mask = self.wanted(cloud)
        if mask.all():
            raise InputError("That would leave no splats.", "Choose fewer objects, or delete the whole.")
        objects.keep(cloud, ~mask)
        objects.drop(cloud, numbers)
        self.report({"INFO"}, f"{int(mask.sum()):,} splats were taken away")
        return {"FINISHED"}


class SPLATSMITH_OT_merge_objects(_OnObjects, bpy.types.Operator):
    """Make one object of all that are chosen; it takes the name of the first"""

    bl_idname = "splatsmith.merge_objects"
    bl_label = "Merge"

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        cloud = objects.segmented(context)
        items = objects.chosen_items(cloud)
        if len(items) < 2:
            raise InputError("Merging takes two objects or more.", "Tick them in the list.")
        first, others = items[0], [item.number for item in items[1:]]
        labels = objects.numbers_of(cloud)
        labels[np.isin(labels, others)] = first.number
        cloud.data.attributes[objects.LABEL].data.foreach_set("value", labels)
        first.count = int((labels == first.number).sum())
        objects.drop(cloud, others)
        cloud.data.update_tag()
        return {"FINISHED"}


CLASSES = (SPLATSMITH_OT_segment, SPLATSMITH_OT_extract_objects, SPLATSMITH_OT_delete_objects, SPLATSMITH_OT_merge_objects)
