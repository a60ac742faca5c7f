"""What panel 4 remembers in the .blend: how objects are found and shown, and the objects."""

import contextlib
from typing import Any

import bpy

from ...backend.protocol import InputError
from ..blender_types import OPERATORS
from ..scene.objects import granularity, objects
from ..scene.splats import marks, splat_nodes, splats
from ..scene.viewport import native_looks
from ..words import asking
from .paths import RELATIVE

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


class ObjectSettings:
    """A part of `scene.splatsmith`."""

    regions: bpy.props.StringProperty(
        name="Regions",
        subtype="DIR_PATH",
        options=RELATIVE,
        description="Folder of label images named like the capture's, as SAM writes them",
    )
    sam: bpy.props.StringProperty(
        name="SAM",
        subtype="DIR_PATH",
        options=RELATIVE,
        description="Folder of a SAM, such as MobileSAM: outlines things in the pictures, and what "
        "is clicked",
    )
    segmenter: bpy.props.StringProperty(
        name="Segmenter",
        subtype="DIR_PATH",
        options=RELATIVE,
        description="Folder of a network that tells kinds of things apart, such as DeepLabV3",
    )
    clip_model: bpy.props.StringProperty(
        name="CLIP Model",
        subtype="DIR_PATH",
        options=RELATIVE,
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


def attach() -> None:
    """Adds the objects to splats; `detach` undoes it."""
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
        bpy.types.Object.splatsmith_objects,
        bpy.types.Object.splatsmith_object,
        bpy.types.Object.splatsmith_granularity,
    )
