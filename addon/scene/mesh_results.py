"""What results become in the scene: meshes that move or stand still, and bones."""

from collections.abc import Iterable
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.formats import mesh_frames as frame_files, mesh_sequence as sequences
from ...backend.geometry.arrays import Doubles, Floats
from ...backend.protocol import InputError
from ..jobs.told_verdicts import manifest_of, verdict_in
from . import framing, results
from .captures import collections, picture_times, verdict_light
from .meshes import (
    mesh_frames,
    mesh_playback,
    mesh_sequence,
    outside_mesh,
    still_mesh,
    timeline,
)
from .splats import splats


def import_mesh(
    context: bpy.types.Context, path: Path, name: str, capture: str = "", told: float = 0.0
) -> str:
    """An animated mesh under its capture's root, or upright on its own; the scene lasts as long as
    it; a line about it. `told` pictures a second if the capture knows no times of its pictures.
    """
    sequence = sequences.read(path)  # a bad file must not leave half a result
    collection, root = results.home(context, name, capture)
    picture_times.tell_rate(context.scene, root, told)
    fps = picture_times.rate_of(root, context.scene)
    animated = mesh_sequence.import_sequence(
        sequence, path, path.with_name(sequences.TEXTURE), f"{name} Mesh", collection, root, fps
    )
    _judged(animated, path)
    _show_alone(context, animated, sequence.seconds)
    return (
        f"{animated.name}: {len(sequence.rest):,} vertices through {len(sequence.seconds)} frames"
    )


def import_surface(context: bpy.types.Context, folder: Path, title: str, source: str) -> str:
    """A mesh of the splats called `source`, in their place and collection; a line about it."""
    cloud = context.scene.objects.get(source)
    if cloud is not None and not splats.is_splats(cloud):
        cloud = None
    collection = cloud.users_collection[0] if cloud and cloud.users_collection else None
    still = still_mesh.add(
        folder,
        f"{title.removesuffix(' Splats')} Mesh",
        collection or collections.new_collection(context.scene, title),
        cloud,
    )
    framing.select_alone(context, still)
    framing.frame_selected(context, keep_camera=True)
    hidden = f"; {cloud.name} is hidden now" if cloud is not None else ""
    return f"{still.name}: {len(still.data.polygons):,} triangles{hidden}"


def _judged(animated: bpy.types.Object, path: Path) -> None:
    """With what its job thought of it, if that lies beside it."""
    told = verdict_in(manifest_of(path.parent))
    if told is not None:
        verdict_light.attach(animated, told)


def import_frames(
    context: bpy.types.Context, path: Path, name: str, capture: str = "", told: float = 0.0
) -> str:
    """Meshes of changing topology, as one object that plays them; a line about it. `told` as
    above.
    """
    sequence = frame_files.read(path)
    collection, root = results.home(context, name, capture)
    picture_times.tell_rate(context.scene, root, told)
    fps = picture_times.rate_of(root, context.scene)
    animated = mesh_frames.import_frames(sequence, path, f"{name} Meshes", collection, root, fps)
    _judged(animated, path)
    _show_alone(context, animated, sequence.seconds)
    at = timeline.frames_at(sequence.seconds, fps)
    shown = len({index for _, index in mesh_frames.samples(at)})
    between = f", {len(at) - shown} of them between the scene's frames" if shown < len(at) else ""
    return f"{animated.name}: {len(at)} meshes, tied by the attribute id{between}"


def import_outside_mesh(
    context: bpy.types.Context,
    block: bpy.types.Mesh,
    gathered: outside_mesh.Gathered,
    moments: Iterable[Floats] | Path,
    seconds: Doubles,
    name: str,
    notes: list[str],
    texture: Path | None = None,
) -> str:
    """A mesh from outside and its vertices (V, 3) at T times, or their cache; a line about it that
    names what could not come along.
    """
    collection = collections.new_collection(context.scene, name)
    animated, more = outside_mesh.become_object(
        block, gathered, moments, seconds, f"{name} Mesh", collection, texture
    )
    _show_alone(context, animated, np.array(gathered.times))
    line = f"{animated.name}: {len(block.vertices):,} vertices through {len(gathered.times)} frames"
    return "; ".join([line, *notes, *more])


def stand_like(animated: bpy.types.Object | None, other: bpy.types.Object | None) -> None:
    """Where the meshes stand that it was made of."""
    if animated is not None and other is not None:
        animated.parent, animated.matrix_parent_inverse = other.parent, other.matrix_parent_inverse
        animated.matrix_basis = other.matrix_basis


def _show_alone(
    context: bpy.types.Context, animated: bpy.types.Object, seconds: NDArray[np.floating]
) -> None:
    """Selected, active and framed, the scene as long as its moments (T,), and as its footage; seen
    through the footage's camera where there is one.
    """
    framing.select_alone(context, animated)
    scene = context.scene
    last = timeline.frames_at(seconds, picture_times.rate_of(animated.parent, scene)).max()
    footage = picture_times.last_frame(animated.parent)
    end = max(float(last), footage)
    scene.frame_start, scene.frame_end = timeline.shown_range(np.array([end]))
    framing.frame_selected(context, keep_camera=animated.parent is not None)


def hide_empty(context: bpy.types.Context, times: list[float], empty: list[bool]) -> None:
    """Keeps the active object out of sight where the sequence that it follows has no mesh: `empty`
    at `times` in seconds.
    """
    if context.object is not None and times:
        frames = timeline.frames_at(np.array(times), timeline.rate(context.scene))
        mesh_playback.hide_empty(context.object, frames, empty)


def attach_bones(path: Path, name: str, start: int) -> str:
    """Bones for the object that they were found for, from frame `start` on; a line about it."""
    animated = bpy.data.objects.get(name)
    if animated is None:
        raise InputError(
            f"{name} is no longer in the scene.", "Bring it back, and find its bones again."
        )
    animated[mesh_sequence.SEQUENCE_KEY] = str(path)
    seconds = sequences.read(path).seconds
    rate = timeline.rate(bpy.context.scene)
    animated[mesh_sequence.BONES_KEY] = [float(start + second * rate) for second in seconds]
    return f"{name} can now be baked with bones"
