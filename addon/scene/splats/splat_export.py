"""Splats of the scene as files of any format, and what such files say of how they stand."""

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from ....backend.formats.splat_ply import SplatArrays
from ....backend.formats.splats import files
from ....backend.formats.splats.files import SplatFormat
from ....backend.runtime.atomic import atomic_path
from . import file_tools, splats


def export(arrays: SplatArrays, path: Path, chosen: SplatFormat) -> tuple[str, ...]:
    """Writes a file of any format; what of the splats it can't hold. An older file stays until the
    new one is whole.
    """
    with atomic_path(path) as part:
        return files.write(part, arrays, chosen, file_tools.tools())


def moved_parent(cloud: bpy.types.Object) -> str:
    """The name of the parent, where it was moved since the splats came in: a move that only files
    of the scene hold. Empty where it was not.
    """
    parent = cloud.parent
    if parent is None or (splats.ROOTED not in cloud and splats.MARK in cloud):
        return ""  # of a file from before this was noted
    stood = np.array(cloud.get(splats.ROOTED, np.eye(4).ravel()), np.float64).reshape(4, 4)
    stands = np.array(parent.matrix_world, np.float64)
    apart = np.abs(stands - stood).max() > 1e-5 * max(1.0, float(np.abs(stood).max()))
    return parent.name if apart else ""


def told_upright(
    arrays: SplatArrays, cloud: bpy.types.Object, in_scene: bool, as_seen: bool
) -> SplatArrays:
    """With what is up: nothing more to turn where the splats were moved to where the scene has
    them, else as they say, or, `as_seen`, as their root in the scene sets them.
    """
    upright = arrays.notes.upright
    if in_scene:
        upright = np.eye(4)
    elif as_seen:
        upright = np.array(cloud.parent.matrix_world if cloud.parent else np.eye(4), np.float64)
    return replace(arrays, notes=replace(arrays.notes, upright=upright))
