"""What the panels remember in the .blend: footage, presets, results."""

import os

import bpy

from ...backend.verbs import VERBS
from . import mesh_properties, object_properties, splat_properties, talking_properties
from .paths import RELATIVE

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


def _fill_in(path: str) -> str:
    return bpy.path.abspath(path)


class SplatsmithSettings(
    talking_properties.TalkingSettings,
    mesh_properties.MeshSettings,
    splat_properties.SplatSettings,
    object_properties.ObjectSettings,
    bpy.types.PropertyGroup,
):
    """Of a scene: `scene.splatsmith`."""

    source: bpy.props.EnumProperty(
        name="Source", items=SOURCES, default="VIDEO", description="What you start from"
    )
    video: bpy.props.StringProperty(
        name="Video",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="The video file to start from",
    )
    photos: bpy.props.StringProperty(
        name="Photos",
        subtype="DIR_PATH",
        options=RELATIVE,
        description="The folder of photos to start from",
    )
    solved: bpy.props.StringProperty(
        name="Solved Folder",
        subtype="DIR_PATH",
        options=RELATIVE,
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
        options=RELATIVE,
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
        options=RELATIVE,
        description="Folder of a network that tells depth from single pictures, such as Depth "
        "Anything: FlowMap starts from it",
    )
    capture: bpy.props.StringProperty(
        name="Capture",
        subtype="DIR_PATH",
        options=RELATIVE,
        description="The folder with the solved pictures; step 2 fills it in",
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


CLASSES = (*talking_properties.CLASSES, SplatsmithSettings, object_properties.SplatsmithObject)


def attach() -> None:
    """Adds the settings to scenes and the objects to splats; `detach` undoes it."""
    bpy.types.Scene.splatsmith = bpy.props.PointerProperty(type=SplatsmithSettings)
    object_properties.attach()


def detach() -> None:
    """What is in the .blend stays there."""
    object_properties.detach()
    del bpy.types.Scene.splatsmith
