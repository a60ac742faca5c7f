"""What the graphics card holds of every splat object, made anew only where something changed."""

import zlib
from dataclasses import dataclass, field

import bpy
import gpu
import numpy as np
from numpy.typing import NDArray

from ....backend.formats.splat_arrays import COEFFICIENTS
from ....backend.formats.splat_moves import matrices_of
from ..splats import pointclouds, radiance, splats
from . import splat_changes, splat_shader
from .looks import look_of, style_of
from .splat_colors import Look, displayed
from .splat_shader import make_texture

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
    linear: bool = False  # the light of those colours
    order: gpu.types.GPUTexture | None = None
    view: tuple = field(default=())  # what it was sorted for


_on_card: dict[int, Drawn] = {}  # by session_uid


def _covariances(scale: NDArray[np.float32], quats: NDArray[np.float32]) -> NDArray[np.float32]:
    """The six numbers (N, 6) of each symmetric 3D covariance: xx xy xz yy yz zz."""
    axes = matrices_of(quats).astype(np.float32) * scale[:, None]
    full = axes @ axes.transpose(0, 2, 1)
    return full[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]


def content(data: pointclouds.Points) -> int:
    """A checksum of everything that a splat is; marks and labels aside. 60 ms for a million."""
    names = [
        "position",
        "scale",
        "rotation",
        "radiance:base",
        *(f"radiance:sh_{k}" for k in range(COEFFICIENTS[-1] - 1)),
    ]
    total = 0
    for name in names:
        attribute = data.attributes.get(name)
        if attribute is not None:
            values = pointclouds.read_attribute(data, name, pointclouds.WIDTHS[attribute.data_type])
            total = zlib.crc32(values.data if values is not None else b"", total)
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
    rest = [
        pointclouds.read_attribute(data, f"radiance:sh_{k}", 3) for k in range(COEFFICIENTS[-1] - 1)
    ]
    known = radiance.whole_degrees(rest)
    follows = known and len(means) <= MAX_SH
    sh = np.stack([base[:, :3], *known], 1) if follows else None
    return Drawn(
        key=splat_changes.key(cloud),
        content=content(data),
        means=means,
        sh=sh,
        rgb=base[:, :3] * radiance.SH_C0 + 0.5,
        data=make_texture(texels, 4),
    )


def colors_of(drawn: Drawn, linear: bool) -> gpu.types.GPUTexture:
    """The texture of its colors as they are shown, in the light in which splats are blended."""
    colors = displayed(drawn.rgb, drawn.look)
    if linear:
        colors[:, :3] = radiance.srgb_to_linear(colors[:, :3])
    return make_texture(colors, 4)


def sort(drawn: Drawn, model_view: NDArray[np.float32], eye: NDArray[np.float32]) -> None:
    """Far to near, and the colours as seen from `eye`, both in the object's space."""
    depth = drawn.means @ model_view[2, :3]
    drawn.order = make_texture(np.argsort(depth, kind="stable").astype(np.float32), 1)
    if drawn.sh is not None:
        drawn.rgb, drawn.colors = splat_shader.evaluate_sh(drawn.sh, drawn.means - eye), None


def held(cloud: bpy.types.Object) -> Drawn | None:
    """What the graphics card holds; made anew only where the splats themselves changed."""
    drawn, key = _on_card.get(cloud.session_uid), splat_changes.key(cloud)
    if (
        drawn is not None
        and drawn.key != key
        and drawn.key[:2] == key[:2]
        and drawn.content == content(splats.shown(cloud))
    ):
        drawn.key = key
    if drawn is None or drawn.key != key:
        drawn = _upload(cloud)
        if drawn is None:
            _on_card.pop(cloud.session_uid, None)
            return None
        _on_card[cloud.session_uid] = drawn
    style = (splat_changes.key(cloud), *style_of(cloud))
    if drawn.style != style:
        drawn.style, drawn.look, drawn.colors = style, look_of(cloud, style[1]), None
    return drawn


def forget_all_but(alive: set[int]) -> None:
    """Frees what is held of objects that are not among these session_uids."""
    for uid in [uid for uid in _on_card if uid not in alive]:
        del _on_card[uid]
