"""What panel 3 remembers in the .blend: how splats are trained."""

from typing import Any

import bpy

from ..scene.splats import native
from ..scene.viewport import photo_wipe

BLENDS = [
    ("linear", "Blender 5.3", "EEVEE and Cycles of Blender 5.3 and later"),
    ("srgb", "Other Viewers", "Splat viewers, game engines, and Blender before 5.3"),
]

LOOKS = [
    ("COLOR", "Color", "The splats' own colors"),
    ("OBJECTS", "Objects", "Every object in the color of the list"),
    ("FIT", "Match", "How well the words match, from blue to red"),
]


COMPARE = [
    ("WIPE", "Wipe", "The photo on the left of a line, the splats on its right"),
    ("FADE", "Fade", "The photo over the splats, as solid as the slider says"),
]


def _compare(settings: Any, context: bpy.types.Context) -> None:
    """Lays the photo over the splats as the slider says; at 0 it is behind them again."""
    background = photo_wipe.background_of(context.scene)
    if background is None:
        return
    is_fading = settings.compare == "FADE" and settings.photo > 0
    background.display_depth = "FRONT" if is_fading else "BACK"
    background.alpha = settings.photo if is_fading else 0.5
    photo_wipe.show_frame(context.scene)


PAINTS = [
    ("splats", "Splats", "The colors that the splats show, from all their views"),
    ("photos", "Photos", "The capture's pictures: sharper, with what stood in front left out"),
]


class SplatSettings:
    """A part of the scene's settings."""

    surface_closed: bpy.props.BoolProperty(
        name="Closed",
        default=False,
        description="Take what no camera has seen to be empty for solid: no holes, but undersides "
        "and backs are guesses",
    )
    surface_paint: bpy.props.EnumProperty(
        name="Paint From", items=PAINTS, description="What the texture is painted from"
    )
    steps: bpy.props.IntProperty(
        name="Steps", min=0, description="Training steps; 0: Auto, as the preset says"
    )
    max_splats: bpy.props.IntProperty(
        name="Max Splats", min=0, description="At most so many; 0: Auto, as the preset says"
    )
    refine_cameras: bpy.props.BoolProperty(
        name="Refine Cameras",
        default=False,
        description="Correct the cameras a little while training",
    )
    beyond: bpy.props.BoolProperty(
        name="Measure Beyond",
        default=False,
        description="Hold out a fifth of the pictures too, all at one end of the path, to measure "
        "how right splats are where the camera did not go. They are missed in the training",
    )
    exposure: bpy.props.BoolProperty(
        name="Even Out Exposure",
        default=False,
        description="Allow each picture its own exposure and white balance while training. "
        "Done unasked where the brightness of the same places differs",
    )
    blend: bpy.props.EnumProperty(
        name="Look For",
        items=BLENDS,
        default="linear" if native.is_known() else "srgb",
        description="Where the splats must look like the photos: Blender lays them over each other "
        "in linear light, everyone else in sRGB",
    )
    render_look: bpy.props.EnumProperty(
        name="Show",
        items=LOOKS,
        default="COLOR",
        description="What pictures that the splat rasteriser renders show",
    )
    render_labels: bpy.props.BoolProperty(
        name="Labels and Masks",
        default=False,
        description="Also write label images of 16 bits (0: no object, else its number + 1), and a "
        "mask for every object: for compositing",
    )
    photo: bpy.props.FloatProperty(
        name="Photo",
        min=0,
        max=1,
        subtype="FACTOR",
        update=_compare,
        description="In the camera view: from the splats alone (0) to the photo alone (1)",
    )
    compare: bpy.props.EnumProperty(
        name="Compare",
        items=COMPARE,
        default="WIPE",
        update=_compare,
        description="How the photo is laid over the splats",
    )
