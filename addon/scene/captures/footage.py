"""The pictures of a capture behind its camera, each from the frame of its camera key on."""

import re
from pathlib import Path

import bpy
import numpy as np

from ....backend.formats.capture import Frame
from ....backend.formats.natural_order import frame_number
from ....backend.formats.picture_header import stored_size
from ....backend.geometry.arrays import Doubles
from ..meshes.mesh_playback import curves_of
from .lens import CameraView

PADDED = re.compile(r"^0\d")


def _pattern(path: Path) -> tuple[str, str, str]:
    """What the files of one image sequence share: folder, what stands around the last number, and
    ending.
    """
    words = re.split(r"([0-9]+)", path.stem)
    return str(path.parent), "".join(words[:-2]) + "\0" + words[-1], path.suffix


def _digits(path: Path) -> str:
    return re.split(r"([0-9]+)", path.stem)[-2]


def sequence_numbers(paths: list[Path]) -> list[int] | None:
    """The numbers of the pictures as one image sequence; None where Blender could not take them for
    one.
    """
    numbers = [frame_number(p.name) for p in paths]
    known = [n for n in numbers if n is not None]
    if len(known) < len(paths) or len({_pattern(p) for p in paths}) > 1:
        return None
    is_padded = any(PADDED.match(_digits(p)) for p in paths)
    if is_padded and len({len(_digits(p)) for p in paths}) > 1:
        return None
    return known


def show_footage(data: bpy.types.Camera, frames: list[Frame], view: CameraView, at: Doubles) -> str:
    """Puts the pictures behind the camera, each from its scene frame in `at` (N,) until the next; a
    sentence where that can't be.
    """
    numbers = sequence_numbers([f.image for f in frames])
    if numbers is None:
        return "The pictures are not numbered as one sequence, so none is behind the camera."
    image = bpy.data.images.load(str(frames[0].image), check_existing=True)
    image.source = "SEQUENCE"
    background = data.background_images.new()
    background.image = image
    user = background.image_user
    user.frame_start, user.use_auto_refresh = 1, True
    shifts = {number - frame for number, frame in zip(numbers, at.tolist(), strict=True)}
    if len(shifts) == 1 and len(set(numbers)) == np.ptp(at) + 1:
        user.frame_duration, user.frame_offset = round(at.max()), round(shifts.pop())
    else:  # a frame without a file of its own would show nothing
        _key_pictures(data, user, numbers, at)
    background.alpha, background.display_depth = 0.5, "BACK"
    background.frame_method = "FIT" if view.pixel_height == 1.0 else "STRETCH"
    data.show_background_images = True
    return ""


def _key_pictures(
    data: bpy.types.Camera, user: bpy.types.ImageUser, numbers: list[int], at: Doubles
) -> None:
    """Keys that pick the pictures by their numbers, whatever gaps these or their times have. A loop
    over one frame never ends (Blender hides a sequence that has), and shows what its offset says.
    """
    user.frame_duration, user.use_cyclic = 1, True
    path = f"background_images[{len(data.background_images) - 1}].image_user.frame_offset"
    for frame, number in sorted(zip(at.tolist(), numbers, strict=True)):
        user.frame_offset = number - 1
        data.keyframe_insert(path, frame=round(frame))
    for curve in curves_of(data):
        if curve.data_path == path:
            for point in curve.keyframe_points:
                point.interpolation = "CONSTANT"


def picture_at(image: bpy.types.Image, user: bpy.types.ImageUser, frame: int) -> Path:
    """The file of an image sequence that a background image shows at a scene's frame."""
    first = Path(bpy.path.abspath(image.filepath))
    if image.source != "SEQUENCE" or frame_number(first.name) is None:
        return first
    passed = min(max(frame - user.frame_start + 1, 1), max(user.frame_duration, 1))
    before, digits, after = re.split(r"([0-9]+)(?=[^0-9]*$)", first.stem)
    number = str(passed + user.frame_offset).zfill(len(digits))
    return first.with_name(f"{before}{number}{after}{first.suffix}")


def misshapen(frames: list[Frame]) -> list[str]:
    """Pictures that are not of their camera's shape, sideways ones for one, as far as their headers
    can be read.
    """
    names = []
    for frame in frames:
        size = stored_size(frame.image)
        if size is not None and abs(size[0] * frame.height - size[1] * frame.width) > 2 * max(
            *size, frame.width, frame.height
        ):
            names.append(frame.image.name)
    return names
