"""Menu entries, so that F3 finds everything: 3D View > Object > Splatsmith, File > Import and
Export.
"""

import bpy

ENTRIES = (
    ("compute_setup", "compute_check", "compute_remove"),
    ("demo_clip", "solve_cameras", "train_splats"),
    ("turntable", "fly_through"),
    ("pick_floor", "pick_length", "depth_mesh", "tracks_clip"),
    (
        "segment",
        "select_words",
        "select_objects",
        "brush",
        "merge_objects",
        "split_object",
        "recolor_objects",
        "mask_nodes",
    ),
    ("extract_objects", "delete_objects", "export_objects", "hide_splats", "get_model"),
    ("import_capture", "export_capture", "import_splats", "export_splats", "apply_transform"),
    ("cancel_job", "resume_job", "import_result", "dismiss_job", "clear_finished"),
    ("unfold_job", "copy_report", "open_folder"),
)


class SPLATSMITH_MT_main(bpy.types.Menu):
    bl_idname = "SPLATSMITH_MT_main"
    bl_label = "Splatsmith"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        for group in ENTRIES:
            for name in group:
                layout.operator(f"splatsmith.{name}")
            layout.separator()
        layout.operator("splatsmith.render_splats").animation = False
        layout.operator("splatsmith.render_splats", text="Render Splat Animation").animation = True


def _main(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.menu(SPLATSMITH_MT_main.bl_idname)


def _import(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.operator("splatsmith.import_splats", text="Gaussian Splats (.ply)")
    self.layout.operator("splatsmith.import_capture", text="Capture (transforms.json)")


def _export(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.operator("splatsmith.export_splats", text="Gaussian Splats (.ply)")


PLACES = (
    ("VIEW3D_MT_object", _main),
    ("VIEW3D_MT_add", _main),
    ("TOPBAR_MT_file_import", _import),
    ("TOPBAR_MT_file_export", _export),
)


def attach() -> None:
    """Adds our entries to Blender's menus; `detach` undoes it."""
    bpy.utils.register_class(SPLATSMITH_MT_main)
    for name, entry in PLACES:
        getattr(bpy.types, name).append(entry)


def detach() -> None:
    """Takes our entries out of Blender's menus."""
    for name, entry in PLACES:
        getattr(bpy.types, name).remove(entry)
    bpy.utils.unregister_class(SPLATSMITH_MT_main)
