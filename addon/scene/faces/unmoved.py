"""What a motion can't move, and why: a face is looked at in some frames after it was animated, for
a driver, a mute, an artist's own action or a limit leaves curves without effect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..meshes import timeline
from .face_curves import TAG, Keys, curves_of_action

LOOKED_AT = 24  # frames at most
OFF = 0.02  # of a key's value: what is further away is not what was written
STILL = 1e-6  # of the mesh's size: a shape that moves nothing
NAMED = 3  # keys of one reason that are named


@dataclass(frozen=True)
class Unmoved:
    """A key or bone, and what keeps it from moving as it should."""

    name: str
    why: str


def value_path(key: str) -> str:
    """Of a shape key on its data-block."""
    return f'key_blocks["{bpy.utils.escape_identifier(key)}"].value'


def of_keys(
    scene: bpy.types.Scene, obj: bpy.types.Object, written: Sequence[tuple[str, Keys]]
) -> list[Unmoved]:
    """Of a mesh's shape keys (name, what was written), those that do not do it."""
    keys = obj.data.shape_keys
    reasons = {name: why for name, _ in written if (why := _without_effect(obj, keys, name))}
    left = [(name, key) for name, key in written if name not in reasons]
    still = _Stillness(obj, [name for name, _ in left])
    for frame in _telling_frames([key for _, key in left]):
        timeline.go_to(scene, frame)
        still.look()
        for name, key in left:
            value, wanted = float(keys.key_blocks[name].value), _wanted(key, frame)
            if name not in reasons and not _within(value, wanted):
                reasons[name] = _overruled(keys, keys.key_blocks[name], wanted)
    if still.whole and not reasons:
        reasons = dict.fromkeys(still.shapes, "the mesh stands still: look at its modifiers")
    return [Unmoved(name, why) for name, why in reasons.items()]


def _wanted(key: Keys, frame: float) -> tuple[float, float]:
    """The least and the most that a curve can be at a frame: it never leaves the range of the keys
    around it. Before its first and after its last key it may be anything.
    """
    if not key.frames[0] <= frame <= key.frames[-1]:
        return -np.inf, np.inf
    after = int(np.searchsorted(key.frames, frame))
    before = after if abs(key.frames[after] - frame) < 1e-3 else max(after - 1, 0)
    around = key.values[before : after + 1]
    return float(around.min()), float(around.max())


def _within(value: float, wanted: tuple[float, float]) -> bool:
    least, most = wanted
    return least - OFF * max(1.0, abs(least)) <= value <= most + OFF * max(1.0, abs(most))


def _without_effect(obj: bpy.types.Object, keys: Any, name: str) -> str:
    """Why a shape shows nothing whatever its value is; empty where it does."""
    if not keys.use_relative:
        return "shape keys are absolute: tick Relative"
    if obj.show_only_shape_key:
        return "one shape key is pinned: unpin it"
    return "muted" if keys.key_blocks[name].mute else ""


class _Stillness:
    """Whether a mesh is at rest in all frames that are looked at, though it has shapes."""

    def __init__(self, obj: bpy.types.Object, names: Sequence[str]) -> None:
        blocks = obj.data.shape_keys.key_blocks
        shown = obj.visible_get()  # what is hidden is not evaluated
        self.shapes = [n for n in names if shown and not _is_empty(blocks[n])]
        self._obj, self._basis, self._away = obj, _places(blocks[0]).ravel(), -1.0

    def look(self) -> None:
        """How far it is from its rest at this frame."""
        if not self.shapes:
            return
        shown = self._obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
        mesh = shown.to_mesh()
        places = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", places)
        shown.to_mesh_clear()
        alike = places.shape == self._basis.shape
        away = float(np.abs(places - self._basis).max(initial=0)) if alike else np.inf
        self._away = max(self._away, away)

    @property
    def whole(self) -> bool:
        """It has not moved at all."""
        return 0 <= self._away < STILL


def _is_empty(block: Any) -> bool:
    rest, shape = _places(block.relative_key), _places(block)
    return not len(rest) or float(np.abs(shape - rest).max()) <= STILL


def _places(block: Any) -> np.ndarray:
    places = np.empty(len(block.data) * 3, np.float32)
    block.data.foreach_get("co", places)
    return places.reshape(-1, 3)


def _overruled(keys: Any, block: Any, wanted: tuple[float, float]) -> str:
    least, most = wanted
    if least > block.slider_max + 1e-6 or most < block.slider_min - 1e-6:
        limit = block.slider_max if least > block.slider_max else block.slider_min
        return f"its range ends at {limit:.3g}"
    if is_driven(keys, value_path(block.name)):
        return "driven"
    return layered_over(keys, value_path(block.name)) or "something else sets it"


def is_driven(block: Any, path: str) -> bool:
    """Whether a driver sets this property; a muted one does not."""
    data = block.animation_data
    return data is not None and any(
        curve.data_path == path and not curve.mute for curve in data.drivers
    )


def layered_over(block: Any, path: str) -> str:
    """What of the artist's animation hides ours of a property; empty where nothing does."""
    data = block.animation_data
    if data is None:
        return ""
    if not data.use_nla:
        return "the NLA is switched off"
    if any(track.is_solo and not is_ours(track) for track in data.nla_tracks):
        return "another NLA track is solo"
    if data.action is not None and _has(data.action, data, path):
        return f"the action {data.action.name} lies over it: push it down"
    ours = [number for number, track in enumerate(data.nla_tracks) if is_ours(track)]
    if any(data.nla_tracks[number].mute for number in ours):
        return "our NLA track is muted"
    for track in list(data.nla_tracks)[min(ours, default=0) :]:
        if not is_ours(track) and not track.mute:
            for strip in track.strips:
                if strip.action and not strip.mute and _has(strip.action, data, path):
                    return f"the NLA track {track.name} lies over it"
    return ""


def _has(action: bpy.types.Action, data: bpy.types.AnimData, path: str) -> bool:
    curves = curves_of_action(action, data)
    return any(curve.data_path == path and not curve.mute for curve in curves)


def is_ours(track: Any) -> bool:
    """Whether we have made an NLA track's actions."""
    return any(strip.action and strip.action.get(TAG) for strip in track.strips)


def _telling_frames(keys: Sequence[Keys]) -> list[float]:
    """Few frames in which every curve is somewhere at least half as far out as it ever is."""
    peaks = [float(key.frames[np.abs(key.values).argmax()]) for key in keys]
    candidates, left = sorted(set(peaks)), list(keys)
    frames: list[float] = []
    reach = {frame: [k for k in keys if _far_out(k, frame)] for frame in candidates}
    while left and len(frames) < LOOKED_AT:
        ids = {id(key) for key in left}
        best = max(candidates, key=lambda frame: sum(id(k) in ids for k in reach[frame]))
        frames.append(best)
        left = [key for key in left if id(key) not in {id(k) for k in reach[best]}]
    return sorted(frames)


def _far_out(key: Keys, frame: float) -> bool:
    least, most = _wanted(key, frame)
    nearest = 0.0 if least <= 0 <= most else min(abs(least), abs(most))
    peak = float(np.abs(key.values).max())
    return np.isfinite(nearest) and nearest >= 0.5 * peak


def telling_pair(key: Keys) -> tuple[float, float]:
    """The frames in which a curve is at its least and at its furthest."""
    least, most = np.abs(key.values).argmin(), np.abs(key.values).argmax()
    return float(key.frames[least]), float(key.frames[most])


def told(unmoved: Sequence[Unmoved], total: int) -> str:
    """All of them in one sentence, by reason; empty where everything moves."""
    if not unmoved:
        return ""
    parts = list(_by_reason(unmoved))
    return f"{len(unmoved)} of {total} do not move as they should: {'; '.join(parts)}"


def _by_reason(unmoved: Sequence[Unmoved]) -> Iterator[str]:
    reasons = dict.fromkeys(each.why for each in unmoved)
    for why in reasons:
        names = [each.name for each in unmoved if each.why == why]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield f"{', '.join(names[:NAMED])}{more} ({why})"
