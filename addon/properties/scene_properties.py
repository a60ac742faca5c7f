"""What the panels remember in the .blend: footage, presets, results."""

import contextlib
import os
from typing import Any

import bpy

from ...backend.protocol import InputError
from ...backend.verbs import VERBS
from ..blender_types import OPERATORS
from ..scene.objects import granularity, objects
from ..scene.splats import marks, splat_nodes, splats
from ..scene.viewport import native_looks
from ..words import asking
from . import mesh_properties, splat_properties, talking_properties

PRESETS = [
    (preset, preset.title(), f"Splats on two cores: {time}")
    for preset, time in VERBS["splats"].estimates.items()
]
SOLVERS = [
    ("auto", "Automatic", "Several solvers, until two agree; and a word on how far to trust them"),
    (
        "straight",
        "Straight Paths",
        "Our own, from tracks alone: forward motion, small movements, zooms",
    ),
    ("incremental", "COLMAP Incremental", "The classic: photos, large jumps, loops"),
    ("global", "COLMAP Global", "All at once: faster on many photos"),
    ("flowmap", "FlowMap", "From optical flow, trained on the clip itself: smooth video"),
]
SOURCES = [
    ("VIDEO", "Video", "A video file"),
    ("PHOTOS", "Photos", "A folder of photos of one size"),
    ("CLIP", "Clip", "A movie clip or image sequence that is already in this file"),
    (
        "SOLVED",
        "Solved",
        "Cameras solved elsewhere: a COLMAP folder or a transforms.json (nerfstudio, instant-ngp)",
    ),
    (
        "BLENDER",
        "Scene Camera",
        "The scene's camera, solved in Blender, with the clip that it was solved from",
    ),
]
VIEWS = [
    ("OWN", "Color", "The splats' own colors"),
    ("OBJECTS", "Objects", "Every object in the color of the list"),
    ("FIT", "Match", "How well the words match, from blue to red"),
]


def _ask(_settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Enter in the field of words asks at once."""
    if context.scene.splatsmith.prompt.strip() and OPERATORS.splatsmith.select_words.poll():
        with contextlib.suppress(RuntimeError):  # the operator has reported it
            OPERATORS.splatsmith.select_words()


def _follow(_settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    cloud = objects.segmented(context)
    if cloud is not None:
        with contextlib.suppress(InputError):  # its numbers were taken away
            asking.follow(context, cloud)


def _recolor(item: Any, _context: bpy.types.Context) -> None:
    native_looks.refresh(item.id_data)


def _redraw(_settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    for cloud in context.scene.objects:
        if splats.is_splats(cloud):
            native_looks.refresh(cloud)
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            area.tag_redraw()


def _eye(item: Any, _context: bpy.types.Context) -> None:
    with contextlib.suppress(InputError):
        splat_nodes.refresh(item.id_data)
        objects.follow_eye(item.id_data, item)


def _lock(item: Any, _context: bpy.types.Context) -> None:
    with contextlib.suppress(InputError):
        objects.follow_lock(item.id_data, item)


def _regroup(cloud: Any, _context: bpy.types.Context) -> None:
    with contextlib.suppress(InputError):
        granularity.follow(cloud)
        native_looks.refresh(cloud)


def _fill_in(path: str) -> str:
    return bpy.path.abspath(path)


class SplatsmithSettings(
    talking_properties.TalkingSettings,
    mesh_properties.MeshSettings,
    splat_properties.SplatSettings,
    bpy.types.PropertyGroup,
):
    """Of a scene: `scene.splatsmith`."""

    source: bpy.props.EnumProperty(
        name="Source", items=SOURCES, default="VIDEO", description="What you start from"
    )
    video: bpy.props.StringProperty(
        name="Video", subtype="FILE_PATH", description="The video file to start from"
    )
    photos: bpy.props.StringProperty(
        name="Photos", subtype="DIR_PATH", description="The folder of photos to start from"
    )
    solved: bpy.props.StringProperty(
        name="Solved Folder",
        subtype="DIR_PATH",
        description="A COLMAP folder, or a folder with transforms.json and its pictures",
    )
    clip: bpy.props.PointerProperty(
        type=bpy.types.MovieClip, name="Clip", description="The clip to start from"
    )
    preset: bpy.props.EnumProperty(
        name="Preset", items=PRESETS, default="fast", description="How much time to spend"
    )
    seed: bpy.props.IntProperty(
        name="Seed", min=0, description="Equal seeds give equal results on the CPU"
    )
    frames: bpy.props.IntProperty(
        name="Frames",
        min=0,
        max=5000,
        description="Frames to use at most; 0: Auto, as the preset says",
    )
    focal: bpy.props.FloatProperty(
        name="Focal Length",
        min=0,
        max=1000,
        description="In mm for a 36 mm wide sensor, if you know it; 0: Auto, found by the solver",
    )
    lock_focal: bpy.props.BoolProperty(
        name="Lock Focal Length", default=False, description="Keep it as it is set"
    )
    solver: bpy.props.EnumProperty(
        name="Solver", items=SOLVERS, default="auto", description="Who finds the cameras"
    )
    masks: bpy.props.StringProperty(
        name="Masks",
        subtype="DIR_PATH",
        description="Folder of masks named like the pictures; black is left out: movement, the sky",
    )
    depth: bpy.props.BoolProperty(
        name="Dense Depth",
        default=True,
        description="Depth of every picture, and dense points for the splats",
    )
    depth_model: bpy.props.StringProperty(
        name="Depth Network",
        subtype="DIR_PATH",
        description="Folder of a network that tells depth from single pictures, such as Depth "
        "Anything: FlowMap starts from it",
    )
    capture: bpy.props.StringProperty(
        name="Capture",
        subtype="DIR_PATH",
        description="The folder with the solved pictures; step 2 fills it in",
    )
    regions: bpy.props.StringProperty(
        name="Regions",
        subtype="DIR_PATH",
        description="Folder of label images named like the capture's, as SAM writes them",
    )
    sam: bpy.props.StringProperty(
        name="SAM",
        subtype="DIR_PATH",
        description="Folder of a SAM, such as MobileSAM: outlines things in the pictures, and what "
        "is clicked",
    )
    segmenter: bpy.props.StringProperty(
        name="Segmenter",
        subtype="DIR_PATH",
        description="Folder of a network that tells kinds of things apart, such as DeepLabV3",
    )
    clip_model: bpy.props.StringProperty(
        name="CLIP Model",
        subtype="DIR_PATH",
        description="A folder in open_clip's layout, or with two ONNX encoders: what words "
        "need; objects are found without it",
    )
    prompt: bpy.props.StringProperty(
        name="Words",
        update=_ask,
        description='What to select: "chair, stool; lamp -ceiling lamp". Commas: synonyms; '
        "semicolons: several things; a minus: not that",
    )
    threshold: bpy.props.FloatProperty(
        name="Threshold",
        default=0.5,
        min=0,
        max=1,
        precision=3,
        step=0.5,
        subtype="FACTOR",
        update=_follow,
        description="How well words must match: more selects less. From 0.5 on, no common noun "
        "matches better, and the match is better than chance",
    )
    select_mode: bpy.props.EnumProperty(
        name="Mode", items=marks.MODES, default="SET", description="What becomes of the selection"
    )
    splat_view: bpy.props.EnumProperty(
        name="Splat Color",
        items=VIEWS,
        default="OWN",
        update=_redraw,
        description="Colors of splats in the viewport",
    )
    brush_radius: bpy.props.IntProperty(
        name="Brush", default=40, min=1, max=500, subtype="PIXEL", description="Radius of the brush"
    )
    show_overlay: bpy.props.BoolProperty(
        name="Show in Viewport", default=True, description="Draw splats in the 3D viewport"
    )

    def footage(self) -> str:
        """Path of the chosen footage; empty while nothing is chosen."""
        if self.source == "VIDEO":
            return _fill_in(self.video)
        if self.source == "PHOTOS":
            return _fill_in(self.photos)
        if self.source == "SOLVED":
            return _fill_in(self.solved)
        return clip_path(self.clip)


def clip_path(clip: bpy.types.MovieClip | None) -> str:
    """The video file of a clip, or the folder of its image sequence."""
    if clip is None:
        return ""
    path = bpy.path.abspath(clip.filepath, library=clip.library)
    return path if clip.source == "MOVIE" else os.path.dirname(path)


class SplatsmithObject(bpy.types.PropertyGroup):
    """One object of some splats; `name`, which comes with every PropertyGroup, is the artist's to
    change.
    """

    number: bpy.props.IntProperty(description="What the splats' attribute object_id says")
    color: bpy.props.FloatVectorProperty(
        subtype="COLOR", size=3, min=0, max=1, update=_recolor, description="Its color in lists"
    )
    count: bpy.props.IntProperty(description="Splats")
    score: bpy.props.FloatProperty(
        description="How much its splats are of this object and no other, 0 to 1"
    )
    fit: bpy.props.FloatProperty(description="How well the last words match, 0 to 1")
    parts: bpy.props.StringProperty(description="Rows of the words' table that it answers to")
    hide: bpy.props.BoolProperty(
        name="Hide", update=_eye, description="Hide its splats in the viewport and in renders"
    )
    lock: bpy.props.BoolProperty(
        name="Lock", update=_lock, description="Its splats can't be selected or changed"
    )
    group: bpy.props.IntProperty(
        default=-1, description="Number of the object that its group is called after; -1: none"
    )
    chosen: bpy.props.BoolProperty(
        name="Choose", description="Extract, merge and delete work on chosen objects"
    )


CLASSES = (*talking_properties.CLASSES, SplatsmithSettings, SplatsmithObject)


def attach() -> None:
    """Adds the settings to scenes and the objects to splats; `detach` undoes it."""
    bpy.types.Scene.splatsmith = bpy.props.PointerProperty(type=SplatsmithSettings)
    bpy.types.Object.splatsmith_objects = bpy.props.CollectionProperty(type=SplatsmithObject)
    bpy.types.Object.splatsmith_object = bpy.props.IntProperty(name="Active Object")
    bpy.types.Object.splatsmith_granularity = bpy.props.FloatProperty(
        name="Granularity",
        default=1.0,
        min=0,
        max=1,
        subtype="FACTOR",
        update=_regroup,
        description="From the whole (0) to the parts that were found (1): what belongs together "
        "is listed, colored and taken as one. Merge makes it so for good",
    )


def detach() -> None:
    """What is in the .blend stays there."""
    del (
        bpy.types.Scene.splatsmith,
        bpy.types.Object.splatsmith_objects,
        bpy.types.Object.splatsmith_object,
        bpy.types.Object.splatsmith_granularity,
    )
