"""Splats in the 3D viewport: drawn by our own shader after the scene, sorted, hidden by what stands
before them.

3DGS blends in sRGB, the viewport in linear light. So splats are blended into a buffer of their own,
in sRGB, and that is laid over the viewport in one go. The scene's depth is read and compared in the
shader.
"""

import logging
import zlib
from dataclasses import dataclass, field

import bpy
import gpu
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..objects import objects
from ..splats import marks, pointclouds, splats
from . import splat_shader
from .splat_colors import Look, displayed, to_srgb
from .splat_shader import make_texture

log = logging.getLogger(__name__)
# above this many splats the colours do not follow the view: each new view would take too long
MAX_SH = 400_000


@dataclass(kw_only=True)
class Drawn:
    """What the graphics card holds of one object."""

    key: tuple  # changes when anything of the object's data may have changed
    content: int  # a checksum of what makes the splats
    means: NDArray[np.float32]
    sh: NDArray[np.float32] | None  # (N, K, 3) where the colours follow the view
    rgb: NDArray[np.float32]  # (N, 3) the splats' own colours, as they are now
    data: gpu.types.GPUTexture
    look: Look = field(default_factory=Look)
    style: tuple = field(default=())  # what `look` was made of
    colors: gpu.types.GPUTexture | None = None  # of `rgb` and `look`
    order: gpu.types.GPUTexture | None = None
    view: tuple = field(default=())  # what it was sorted for


_cache: dict[int, Drawn] = {}
_handle: object | None = None
_buffer: gpu.types.GPUOffScreen | None = None
_broken = False


def _key(cloud: bpy.types.Object) -> tuple:
    data = cloud.data
    return (
        data.session_uid,
        pointclouds.point_count(data),
        _edits.get(data.session_uid, 0),
        _undone,
    )


_edits: dict[int, int] = {}  # data-blocks that changed, by session_uid
_undone = 0  # counts undos and opened files, after which anything may have changed


@bpy.app.handlers.persistent
def _on_depsgraph(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    for update in depsgraph.updates:
        if update.is_updated_geometry and isinstance(
            update.id, (bpy.types.PointCloud, bpy.types.Mesh)
        ):
            _edited(update.id.original)
        elif (
            update.is_updated_geometry
            and isinstance(update.id, bpy.types.Object)
            and splats.follows(update.id.original)
        ):
            _edited(update.id.original.data)


@bpy.app.handlers.persistent
def _on_frame(scene: bpy.types.Scene, *_depsgraph: bpy.types.Depsgraph) -> None:
    for obj in scene.objects:
        if splats.follows(obj):
            _edited(obj.data)


def _edited(data: bpy.types.ID) -> None:
    _edits[data.session_uid] = _edits.get(data.session_uid, 0) + 1


@bpy.app.handlers.persistent
def _on_undo(_scene: bpy.types.Scene) -> None:
    global _undone
    _undone += 1


def _covariances(scale: NDArray[np.float32], quats: NDArray[np.float32]) -> NDArray[np.float32]:
    """The six numbers (N, 6) of each symmetric 3D covariance: xx xy xz yy yz zz."""
    w, x, y, z = quats.T
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    rows += [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    rows += [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    axes = np.stack(rows, 1).reshape(-1, 3, 3) * scale[:, None]
    full = axes @ axes.transpose(0, 2, 1)
    return full[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]


def _content(data: bpy.types.ID) -> int:
    """A checksum of everything that a splat is; marks and labels aside. 60 ms for a million."""
    names = [
        "position",
        "scale",
        "rotation",
        "radiance:base",
        *(f"radiance:sh_{k}" for k in range(15)),
    ]
    found, total = data.attributes, 0
    for name in names:
        attribute = found.get(name)
        if attribute is not None:
            values = pointclouds.read_attribute(data, name, pointclouds.WIDTHS[attribute.data_type])
            total = zlib.crc32(values.data if values is not None else b"", total)  # type: ignore[arg-type]
    return total


def _upload(cloud: bpy.types.Object) -> Drawn | None:
    data = splats.shown(cloud)
    means, scale = (
        pointclouds.read_attribute(data, "position", 3),
        pointclouds.read_attribute(data, "scale", 3),
    )
    quats, base = (
        pointclouds.read_attribute(data, "rotation", 4),
        pointclouds.read_attribute(data, "radiance:base", 4),
    )
    if means is None or scale is None or quats is None or base is None or not len(means):
        return None
    base[:, :3] = splats.constant_color(data, base)
    texels = np.zeros((len(means), 3, 4), np.float32)
    covariances = _covariances(scale, quats)
    texels[:, 0, :3], texels[:, 0, 3] = means, base[:, 3]
    texels[:, 1], texels[:, 2, :2] = covariances[:, :4], covariances[:, 4:]
    rest = [pointclouds.read_attribute(data, f"radiance:sh_{k}", 3) for k in range(15)]
    known = [r for r in rest if r is not None]
    known = known[: max(k for k in (0, 3, 8, 15) if k <= len(known))]
    follows = known and len(means) <= MAX_SH
    sh = np.stack([base[:, :3], *known], 1) if follows else None
    return Drawn(
        key=_key(cloud),
        content=_content(data),
        means=means,
        sh=sh,
        rgb=base[:, :3] * splats.SH_C0 + 0.5,
        data=make_texture(texels, 4),
    )


def _style(cloud: bpy.types.Object) -> tuple:
    """What the colours in the viewport depend on besides the splats."""
    view = bpy.context.scene.splatsmith.splat_view if cloud.splatsmith_objects else "OWN"
    colors = (
        tuple(tuple(item.color) for item in cloud.splatsmith_objects) if view == "OBJECTS" else ()
    )
    return (_key(cloud), view, colors)


def _look(cloud: bpy.types.Object, view: str) -> Look:
    by_object = None
    if view == "OBJECTS" and objects.LABEL in cloud.data.attributes:
        colors = {item.number: to_srgb(tuple(item.color)) for item in cloud.splatsmith_objects}
        by_object = objects.of_each(cloud, colors, (0.2, 0.2, 0.2), np.float32, 3)
    fit = marks.fit(cloud) if view == "FIT" else None
    return Look(marks.read(cloud, marks.SELECTED), marks.read(cloud, marks.HIDDEN), by_object, fit)


def _colors(drawn: Drawn) -> gpu.types.GPUTexture:
    return make_texture(displayed(drawn.rgb, drawn.look), 4)


def _sort(drawn: Drawn, model_view: NDArray[np.float32], eye: NDArray[np.float32]) -> None:
    """Far to near, and the colours as seen from `eye`, both in the object's space."""
    depth = drawn.means @ model_view[2, :3]
    drawn.order = make_texture(np.argsort(depth, kind="stable").astype(np.float32), 1)
    if drawn.sh is not None:
        drawn.rgb, drawn.colors = splat_shader.evaluate_sh(drawn.sh, drawn.means - eye), None


def _held(cloud: bpy.types.Object) -> Drawn | None:
    """What the graphics card holds; made anew only where the splats themselves changed."""
    drawn, key = _cache.get(cloud.session_uid), _key(cloud)
    if (
        drawn is not None
        and drawn.key != key
        and drawn.key[:2] == key[:2]
        and drawn.content == _content(splats.shown(cloud))
    ):
        drawn.key = key
    if drawn is None or drawn.key != key:
        drawn = _upload(cloud)
        if drawn is None:
            _cache.pop(cloud.session_uid, None)
            return None
        _cache[cloud.session_uid] = drawn
    style = _style(cloud)
    if drawn.style != style:
        drawn.style, drawn.look, drawn.colors = style, _look(cloud, style[1]), None
    return drawn


def draw_object(
    cloud: bpy.types.Object,
    view: Matrix,
    projection: Matrix,
    size: tuple[int, int],
    depth: gpu.types.GPUTexture,
) -> None:
    """Draws one splat object into the bound framebuffer: premultiplied sRGB."""
    drawn = _held(cloud)
    if drawn is None:
        return
    model_view = view @ cloud.matrix_world
    matrix = np.array(model_view, np.float32)
    stamp = tuple(np.round(matrix.ravel(), 5))
    if drawn.order is None or drawn.view != stamp:
        perspective = projection[3][3] == 0
        inverse = np.array(model_view.inverted_safe(), np.float32)
        eye = inverse[:3, 3] if perspective else inverse[:3, 2] * 1e6
        _sort(drawn, matrix, eye)
        drawn.view = stamp
    drawn.colors = drawn.colors or _colors(drawn)
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
    clouds = splats.visible_splats(context)
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
    with buffer.bind():
        gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0))
        for cloud in sorted(clouds, key=lambda o: (view @ o.matrix_world).translation.z):
            draw_object(cloud, view, projection, (width, height), depth)
    if gpu.state.active_framebuffer_get() == target:
        splat_shader.lay_over(buffer.texture_color)
    else:
        with target.bind():
            gpu.state.viewport_set(x, y, width, height)
            splat_shader.lay_over(buffer.texture_color)
    alive = {cloud.session_uid for cloud in clouds}
    for uid in [u for u in _cache if u not in alive]:
        del _cache[uid]


def start() -> None:
    global _handle, _broken
    _broken = False
    bpy.app.handlers.depsgraph_update_post.append(_on_depsgraph)
    bpy.app.handlers.frame_change_post.append(_on_frame)
    for handlers in (
        bpy.app.handlers.undo_post,
        bpy.app.handlers.redo_post,
        bpy.app.handlers.load_post,
    ):
        handlers.append(_on_undo)
    if not bpy.app.background:
        _handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")


def stop() -> None:
    global _handle, _buffer
    if _handle is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handle, "WINDOW")
        _handle = None
    handlers = bpy.app.handlers
    for listed, ours in (
        (handlers.depsgraph_update_post, _on_depsgraph),
        (handlers.frame_change_post, _on_frame),
        (handlers.undo_post, _on_undo),
        (handlers.redo_post, _on_undo),
        (handlers.load_post, _on_undo),
    ):
        if ours in listed:
            listed.remove(ours)
    _cache.clear()
    _buffer = None
