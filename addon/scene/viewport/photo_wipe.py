"""The photo over the left of the camera view, the splats in the rest: before and after, with a line
between them that a slider moves.

Blender fades a camera's background image as a whole; a part of it we draw ourselves. The picture is
read where a frame begins, not where it is drawn: drawing must not change data.
"""

import contextlib
from pathlib import Path
from typing import Any

import bpy
import gpu
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader

from ...blender_types import persistent
from ..captures.footage import picture_at

NAME = "Splatsmith Photo"
LINE = (1.0, 1.0, 1.0, 0.9)

_handle: Any = None


def background_of(scene: bpy.types.Scene) -> Any:
    """The footage behind the scene's camera (a `CameraBackgroundImage`), or None."""
    camera = scene.camera
    if camera is None or not isinstance(camera.data, bpy.types.Camera):
        return None
    return next((b for b in camera.data.background_images if b.image), None)


@persistent
def show_frame(scene: bpy.types.Scene, _: object = None) -> None:
    """Reads the picture of the scene's frame, where it is asked for."""
    background = background_of(scene)
    if background is None or not is_wiping(scene):
        return
    path = picture_at(background.image, background.image_user, scene.frame_current)
    image = bpy.data.images.get(NAME)
    if not path.is_file():  # no photo rather than that of another frame
        if image is not None:
            bpy.data.images.remove(image)
    elif image is None:
        image = bpy.data.images.load(str(path))
        image.name = NAME
    elif Path(bpy.path.abspath(image.filepath)) != path:
        image.filepath = str(path)
        image.reload()


@persistent
def on_load(_: object = None) -> None:
    """The opened file's own picture."""
    show_frame(bpy.context.scene)


def is_wiping(scene: bpy.types.Scene) -> bool:
    """Whether a part of the photo is asked for."""
    settings = scene.splatsmith
    return bool(settings.compare == "WIPE" and settings.photo > 0)


def _frame(context: bpy.types.Context) -> list[Any] | None:
    """Where the camera's frame lies in the region: left, bottom, right, top in pixels."""
    scene, view = context.scene, context.region_data
    camera = scene.camera
    if view is None or view.view_perspective != "CAMERA" or camera is None:
        return None
    corners = [
        location_3d_to_region_2d(context.region, view, camera.matrix_world @ corner)
        for corner in camera.data.view_frame(scene=scene)
    ]
    if any(c is None for c in corners):
        return None
    across, up = [c.x for c in corners], [c.y for c in corners]
    return [min(across), min(up), max(across), max(up)]


def _draw() -> None:
    context = bpy.context
    image = bpy.data.images.get(NAME)
    if image is None or not is_wiping(context.scene) or background_of(context.scene) is None:
        return
    frame = _frame(context) if context.space_data.overlay.show_overlays else None
    if frame is not None and image.size[0]:
        left, bottom, right, top = frame
        share = context.scene.splatsmith.photo
        edge = left + share * (right - left)
        _lay(image, (left, bottom, edge, top), share)
        _draw_line(edge, bottom, top)


def _lay(image: bpy.types.Image, box: tuple[float, float, float, float], share: float) -> None:
    left, bottom, right, top = box
    shader = gpu.shader.from_builtin("IMAGE_SCENE_LINEAR_TO_REC709_SRGB")
    batch = batch_for_shader(
        shader,
        "TRI_STRIP",
        {
            "pos": [(left, bottom), (right, bottom), (left, top), (right, top)],
            "texCoord": [(0, 0), (share, 0), (0, 1), (share, 1)],
        },
    )
    shader.bind()
    shader.uniform_sampler("image", gpu.texture.from_image(image))
    batch.draw(shader)


def _draw_line(across: float, bottom: float, top: float) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    batch = batch_for_shader(shader, "LINES", {"pos": [(across, bottom, 0), (across, top, 0)]})
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("color", LINE)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def start() -> None:
    """Draws in every camera view and follows the frames; `stop` ends it."""
    global _handle
    bpy.app.handlers.frame_change_post.append(show_frame)
    bpy.app.handlers.load_post.append(on_load)
    if not bpy.app.background:
        _handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def stop() -> None:
    """Leaves no handler behind."""
    global _handle
    with contextlib.suppress(ValueError):
        bpy.app.handlers.frame_change_post.remove(show_frame)
    with contextlib.suppress(ValueError):
        bpy.app.handlers.load_post.remove(on_load)
    if _handle is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handle, "WINDOW")
        _handle = None
