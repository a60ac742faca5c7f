"""Splats in the 3D viewport: drawn by our own shader after the scene, sorted, hidden by what stands
before them.

3DGS blends in sRGB, the viewport in linear light. So splats are blended into a buffer of their own,
in sRGB unless all were trained for linear light, and that is laid over the viewport in one go. The
scene's depth is read and compared in the shader.
"""

import logging

import bpy
import gpu
import numpy as np
from mathutils import Matrix

from ..splats import native, splats
from . import splat_cache, splat_changes, splat_shader

log = logging.getLogger(__name__)
_handle: object | None = None
_buffer: gpu.types.GPUOffScreen | None = None
_broken = False


def draw_object(
    cloud: bpy.types.Object,
    view: Matrix,
    projection: Matrix,
    size: tuple[int, int],
    depth: gpu.types.GPUTexture,
    linear: bool = False,
) -> None:
    """Draws one splat object into the bound framebuffer: premultiplied, sRGB or `linear`."""
    drawn = splat_cache.held(cloud)
    if drawn is None:
        return
    model_view = view @ cloud.matrix_world
    matrix = np.array(model_view, np.float32)
    stamp = tuple(np.round(matrix.ravel(), 5))
    if drawn.order is None or drawn.view != stamp:
        perspective = projection[3][3] == 0
        inverse = np.array(model_view.inverted_safe(), np.float32)
        eye = inverse[:3, 3] if perspective else inverse[:3, 2] * 1e6
        splat_cache.sort(drawn, matrix, eye)
        drawn.view = stamp
    if drawn.colors is None or drawn.linear != linear:
        drawn.colors, drawn.linear = splat_cache.colors_of(drawn, linear), linear
    textures = (drawn.data, drawn.colors, drawn.order, depth)
    splat_shader.draw(
        len(drawn.means), textures, model_view, projection, size, _field(bpy.context.scene)
    )


def _field(scene: bpy.types.Scene) -> tuple[float, float] | None:
    """Tangents of half the angles that the scene's camera sees; None where it has no perspective
    camera.
    """
    camera = scene.camera
    if camera is None or camera.type != "CAMERA" or camera.data.type != "PERSP":
        return None
    frame = camera.data.view_frame(scene=scene)
    depth = max(abs(frame[0].z), 1e-9)
    return max(abs(c.x) for c in frame) / depth, max(abs(c.y) for c in frame) / depth


def _screen_buffer(width: int, height: int) -> gpu.types.GPUOffScreen:
    global _buffer
    if _buffer is None or (_buffer.width, _buffer.height) != (width, height):
        if _buffer is not None:
            _buffer.free()
        _buffer = gpu.types.GPUOffScreen(width, height, format="RGBA16F")
    return _buffer


def _scene_depth(x: int, y: int, width: int, height: int) -> gpu.types.GPUTexture:
    values = gpu.state.active_framebuffer_get().read_depth(x, y, width, height)
    values.dimensions = width * height
    return gpu.types.GPUTexture((width, height), format="R32F", data=values)


def _draw() -> None:
    """The viewport's callback; one failure switches the overlay off rather than failing at every
    redraw.
    """
    global _broken
    context = bpy.context
    if _broken or not context.scene.splatsmith.show_overlay:
        return
    clouds = [c for c in splats.visible_splats(context) if not native.is_native(c)]
    if not clouds:
        return
    try:
        draw_all(clouds, gpu.matrix.get_model_view_matrix(), gpu.matrix.get_projection_matrix())
    except Exception as error:  # noqa: BLE001 - the driver's own words, whatever their type: drawing must not fail at every redraw
        _broken = True
        log.error("the splat overlay is off until Blender restarts: %s", error)


def draw_all(clouds: list[bpy.types.Object], view: Matrix, projection: Matrix) -> None:
    """Blends the objects, the farther first, and lays them over the bound framebuffer."""
    x, y, width, height = (int(v) for v in gpu.state.viewport_get())
    if width < 1 or height < 1:
        return
    target = gpu.state.active_framebuffer_get()
    depth = _scene_depth(x, y, width, height)
    buffer = _screen_buffer(
        width, height
    )  # a new one takes Blender's framebuffer away, hence `target`
    linear = all(splats.blended_linearly(cloud) for cloud in clouds)
    with buffer.bind():
        gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0))
        for cloud in sorted(clouds, key=lambda o: (view @ o.matrix_world).translation.z):
            draw_object(cloud, view, projection, (width, height), depth, linear)
    if gpu.state.active_framebuffer_get() == target:
        splat_shader.lay_over(buffer.texture_color, linear)
    else:
        with target.bind():
            gpu.state.viewport_set(x, y, width, height)
            splat_shader.lay_over(buffer.texture_color, linear)
    splat_cache.forget_all_but({cloud.session_uid for cloud in clouds})


def start() -> None:
    """Draws splats in every 3D viewport; `stop` ends it."""
    global _handle, _broken
    _broken = False
    splat_changes.start()
    if not bpy.app.background:
        _handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")


def stop() -> None:
    """No handler of ours and nothing on the graphics card stays behind."""
    global _handle, _buffer
    if _handle is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handle, "WINDOW")
        _handle = None
    splat_changes.stop()
    splat_cache.forget_all_but(set())
    _buffer = None
