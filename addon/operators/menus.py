"""Menu entries, so that F3 finds everything: 3D View > Object > Splatsmith, File > Import and
Export.
"""

import bpy

from .splat_files import SPLATSMITH_FH_splats

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
        "click_select",
        "select_area",
        "merge_objects",
        "split_object",
        "recolor_objects",
        "mask_nodes",
    ),
    ("clean_up", "isolate_largest", "add_crop", "clear_filters", "delete_hidden"),
    ("extract_objects", "fill_behind", "delete_objects", "export_objects", "export_each_object"),
    ("hide_splats", "get_model", "splats_to_mesh", "export_still"),
    ("import_capture", "export_capture"),
    ("import_splats", "export_splats", "export_page", "apply_transform"),
)

SUBMENUS = {
    "Talking Face": (
        ("add_face_targets", "remove_face_target", "match_face", "face_row", "sound_of_strip"),
        (
            "speak",
            "bake_again",
            "import_motion",
            "add_head",
            "import_head",
            "add_face_videos",
            "remove_face_video",
            "read_face",
            "talk_video",
        ),
        ("place_landmarks", "clear_landmarks", "add_arkit_shapes"),
    ),
    "Animated Mesh": (
        ("make_mesh", "mask_frame", "one_mesh", "find_bones"),
        ("import_mesh", "import_mesh_files", "import_mesh_cache"),
    ),
    "Jobs": (
        ("cancel_job", "resume_job", "import_result", "dismiss_job", "clear_finished"),
        ("unfold_job", "copy_report", "open_folder"),
    ),
}
# operator -> its property, which has an entry for each of its choices
CHOICES = {
    "selection": "action",
    "label_selection": "to",
    "bake_mesh": "kind",
    "export_face": "kind",
    "mark_landmark": "landmark",
    "help": "page",
}


class SPLATSMITH_MT_main(bpy.types.Menu):
    bl_idname = "SPLATSMITH_MT_main"
    bl_label = "Splatsmith"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        _draw_groups(layout, ENTRIES)
        for submenu in SUBMENU_CLASSES:
            layout.menu(submenu.bl_idname)
        for name, choice in CHOICES.items():
            layout.operator_menu_enum(f"splatsmith.{name}", choice)
        layout.separator()
        layout.operator("splatsmith.render_splats").animation = False
        layout.operator("splatsmith.render_splats", text="Render Splat Animation").animation = True


def _draw_groups(layout: bpy.types.UILayout, groups: tuple[tuple[str, ...], ...]) -> None:
    for group in groups:
        for name in group:
            layout.operator(f"splatsmith.{name}")
        layout.separator()


def _submenu(label: str) -> type[bpy.types.Menu]:
    """The menu of one room's operators."""

    def draw(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
        _draw_groups(self.layout, SUBMENUS[label])

    name = f"SPLATSMITH_MT_{label.lower().replace(' ', '_')}"
    return type(name, (bpy.types.Menu,), {"bl_idname": name, "bl_label": label, "draw": draw})


SUBMENU_CLASSES: tuple[type[bpy.types.Menu], ...] = tuple(_submenu(label) for label in SUBMENUS)


def _main(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.menu(SPLATSMITH_MT_main.bl_idname)


def _import(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.operator("splatsmith.import_splats", text=SPLATS)
    self.layout.operator("splatsmith.import_capture", text="Capture (transforms.json)")


def _export(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.operator("splatsmith.export_splats", text=SPLATS)
    self.layout.operator("splatsmith.export_page", text="Gaussian Splats as Web Page (.html)")


SPLATS = "Gaussian Splats (.ply, .spz, .sog, .splat, .ksplat, .glb, .usd)"
MENUS: tuple[type[bpy.types.Menu], ...] = (*SUBMENU_CLASSES, SPLATSMITH_MT_main)
PLACES = (
    ("VIEW3D_MT_object", _main),
    ("VIEW3D_MT_add", _main),
    ("TOPBAR_MT_file_import", _import),
    ("TOPBAR_MT_file_export", _export),
)


def attach() -> None:
    """Adds our menu entries, and what is done with dropped files; `detach` undoes it."""
    bpy.utils.register_class(SPLATSMITH_FH_splats)
    for menu in MENUS:
        bpy.utils.register_class(menu)
    for name, entry in PLACES:
        getattr(bpy.types, name).append(entry)


def detach() -> None:
    """Takes our entries out of Blender's menus."""
    for name, entry in PLACES:
        getattr(bpy.types, name).remove(entry)
    for menu in MENUS:
        bpy.utils.unregister_class(menu)
    bpy.utils.unregister_class(SPLATSMITH_FH_splats)
