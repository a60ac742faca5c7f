"""What filters and crops remember of a splat object, and of the volumes that crop it."""

from typing import Any

import bpy

from ..scene.splats import filtering, splats


def _changed(limits: Any, _context: bpy.types.Context) -> None:
    filtering.refresh(limits.id_data)


def _crop_changed(crop: Any, _context: bpy.types.Context) -> None:
    if crop.cloud is not None:
        filtering.refresh(crop.cloud)


class SplatsmithFilters(bpy.types.PropertyGroup):
    """Of a splat object: `object.splatsmith_filters`. 0 is off."""

    opacity: bpy.props.FloatProperty(
        name="Min Opacity",
        min=0,
        max=1,
        subtype="FACTOR",
        update=_changed,
        description="Filter out fainter splats; 0: off",
    )
    size: bpy.props.FloatProperty(
        name="Max Size",
        min=0,
        soft_max=100,
        update=_changed,
        description="Filter out splats that are longer than so many times the usual one; 0: off",
    )
    elongation: bpy.props.FloatProperty(
        name="Max Elongation",
        min=0,
        soft_max=100,
        update=_changed,
        description="Filter out needles: splats longer than so many times their width; 0: off",
    )
    distance: bpy.props.FloatProperty(
        name="Max Distance",
        min=0,
        soft_max=50,
        update=_changed,
        description="Filter out splats that are farther from the middle than so many times the "
        "usual one; 0: off",
    )
    views: bpy.props.IntProperty(
        name="Min Views",
        min=0,
        soft_max=20,
        update=_changed,
        description="Filter out splats that fewer pictures see; 0: off. Needs splats that were "
        "trained here",
    )


class SplatsmithCrop(bpy.types.PropertyGroup):
    """Of an empty that crops splats: `object.splatsmith_crop`."""

    cloud: bpy.props.PointerProperty(
        type=bpy.types.Object,
        poll=lambda _, obj: splats.is_splats(obj),
        name="Splats",
        description="The splats that it crops",
    )
    use: bpy.props.BoolProperty(
        name="Crop", default=True, update=_crop_changed, description="Crop the splats"
    )
    outside: bpy.props.BoolProperty(
        name="Keep Outside",
        default=False,
        update=_crop_changed,
        description="Filter out what lies inside, not what lies outside",
    )


CLASSES = (SplatsmithFilters, SplatsmithCrop)


def attach() -> None:
    """Adds both to objects; `detach` undoes it."""
    bpy.types.Object.splatsmith_filters = bpy.props.PointerProperty(type=SplatsmithFilters)
    bpy.types.Object.splatsmith_crop = bpy.props.PointerProperty(type=SplatsmithCrop)


def detach() -> None:
    """What is in the .blend stays there."""
    del bpy.types.Object.splatsmith_filters, bpy.types.Object.splatsmith_crop
