"""What results become in the scene: cameras, splats, meshes, heads and their motion, images."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.formats import (
    capture as captures,
    gaussian_head_file,
    head_file,
    mesh_frames as frame_files,
    mesh_sequence as sequences,
    motion_file,
    splat_ply,
)
from ...backend.geometry.arrays import Doubles, Floats
from ...backend.protocol import InputError
from ...backend.semantics.rendering.render_verb import RenderOptions
from ..jobs.told_verdicts import manifest_of, verdict_in
from . import framing, image_window, verdicts
from .captures import cameras, collections, picture_times, verdict
from .faces import face_targets, gaussian_head, head_mesh, speech_sound
from .meshes import mesh_frames, mesh_playback, mesh_sequence, outside_mesh, timeline
from .objects import objects
from .splats import pointclouds, splat_nodes, splats, upright

RENDER = "Splat Render"
PERSON = "splatsmith_person"  # on the meshes of people that were read from footage


def import_capture(context: bpy.types.Context, folder: Path, name: str) -> str:
    """Cameras, points and footage of a capture, in a collection of their own; a line about it."""
    capture = captures.read(folder)
    captures.require_images(capture)
    collection = collections.new_collection(context.scene, name)
    root = collections.make_root(collections.upright(capture), collection, str(folder))
    camera, said = cameras.import_cameras(context.scene, collection, root, capture)
    verdict.attach(root, camera, folder)
    points, lost = cameras.import_points(collection, root, capture)
    framing.look_through_camera(context)
    context.scene.splatsmith.capture = str(folder)
    gaps = picture_times.describe_gaps(picture_times.of(capture))
    counts = [f"{len(capture.frames)} cameras"]
    counts += [f"{pointclouds.point_count(points.data):,} points"] if points else []
    told = [", ".join(counts) + (f"; {gaps}" if gaps else ""), *capture.reading.told, *said]
    told += [lost, framing.hide_default_cube(context.scene)]
    return ". ".join(text.rstrip(".") for text in told if text)


def _home(
    context: bpy.types.Context, name: str, capture: str
) -> tuple[bpy.types.Collection, bpy.types.Object | None]:
    """The collection and root of a capture, whose cameras come along where it is not in the scene;
    or a collection of its own.
    """
    root = collections.find_root(context.scene, capture) if capture else None
    if capture and root is None and (Path(capture) / "transforms.json").is_file():
        import_capture(context, Path(capture), name)
        root = collections.find_root(context.scene, capture)
    existing = next(
        (c for c in context.scene.collection.children_recursive if root and root.name in c.objects),
        None,
    )
    return existing or collections.new_collection(context.scene, name), root


def import_splats(context: bpy.types.Context, path: Path, name: str, capture: str = "") -> str:
    """Splats under their capture's root, or upright on their own: the subject, and beside it its
    surroundings; a line about them.
    """
    arrays = splats.read_file(path)  # a bad file must not leave half a result
    title = name if name.lower().endswith("splats") else f"{name} Splats"
    collection, root = _home(context, name, capture)
    if root is None:
        root = collections.make_root(upright.of_splats(arrays), collection)
    clouds = splats.add(arrays, str(path), title, collection, root)
    cameras.hide_points(root)
    splat_nodes.prepare_scene(context.scene)
    framing.select_alone(context, clouds[0])
    if not capture:
        framing.frame_selected(context)
    counts = [pointclouds.point_count(cloud.data) for cloud in clouds]
    apart = f", {counts[1]:,} of them surroundings" if len(clouds) > 1 else ""
    missed = f"; left out: {', '.join(arrays.left_out)}" if arrays.left_out else ""
    told = "".join(f". {text.removesuffix('.')}" for text in arrays.told)
    return f"{sum(counts):,} splats{apart}{missed}{told}"


def import_mesh(
    context: bpy.types.Context, path: Path, name: str, capture: str = "", told: float = 0.0
) -> str:
    """An animated mesh under its capture's root, or upright on its own; the scene lasts as long as
    it; a line about it. `told` pictures a second if the capture knows no times of its pictures.
    """
    sequence = sequences.read(path)  # a bad file must not leave half a result
    collection, root = _home(context, name, capture)
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


def _judged(animated: bpy.types.Object, path: Path) -> None:
    """With what its job thought of it, if that lies beside it."""
    found = verdict_in(manifest_of(path.parent))
    if found is not None:
        verdicts.attach(animated, found)


def import_frames(
    context: bpy.types.Context, path: Path, name: str, capture: str = "", told: float = 0.0
) -> str:
    """Meshes of changing topology, as one object that plays them; a line about it. `told` as
    above.
    """
    sequence = frame_files.read(path)
    collection, root = _home(context, name, capture)
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


def import_render(context: bpy.types.Context, folder: Path, options: RenderOptions) -> str:
    """A still becomes the image Splat Render, and is shown; an animation stays on disk."""
    images = sorted(folder.glob("[0-9]*.png"))
    masks = f"; labels and masks are in {folder}" if options.labels else ""
    if options.video or len(images) != 1:
        made = f"{len(images)} picture{'' if len(images) == 1 else 's'}"
        return f"{'video.mp4 and ' if options.video else ''}{made} in {folder}{masks}"
    image, old = bpy.data.images.load(str(images[0])), bpy.data.images.get(RENDER)
    if old is not None:
        old.user_remap(image)  # editors and nodes go on with the new picture
        bpy.data.images.remove(old)
    image.name = RENDER
    where = "in the Image Editor as" if image_window.show(context, image) else "the image"
    return f"the picture is {where} {RENDER}{masks}"


def import_objects(context: bpy.types.Context, folder: Path, name: str) -> str:
    """Objects for the splats called `name`; where they are gone or were changed, the segmented
    splats come along.
    """
    cloud: Any = bpy.data.objects.get(name)
    count = len(splat_ply.read(folder / "splats.ply"))
    if not splats.is_splats(cloud) or pointclouds.point_count(cloud.data) != count:
        arrays = splats.read_file(folder / "splats.ply")
        collection = collections.new_collection(context.scene, name)
        root = collections.make_root(upright.of_splats(arrays), collection)
        cloud = splats.add_one(arrays, str(folder / "splats.ply"), name, collection, root)
    return f"{objects.attach(cloud, folder)} objects"


def import_head(context: bpy.types.Context, folder: Path, name: str) -> bpy.types.Object:
    """The head of a folder as a mesh that the panel animates, with its Gaussians if it has any."""
    head = head_file.read(folder / head_file.NAME)
    path = folder / gaussian_head_file.NAME
    gaussians = None
    if path.is_file():
        gaussians = gaussian_head_file.read(path, len(head.vertices), len(head.names))
    collection = collections.new_collection(context.scene, name)
    if gaussians is None:
        mesh, *others = head_mesh.import_pieces(head, f"{name} Head", collection)
    else:  # they ride on the triangles of one mesh
        mesh, others = head_mesh.import_head(head, f"{name} Head", collection), []
    for obj in (mesh, *[other for other in others if face_targets.shape_keys(other)]):
        face_targets.add_target(context.scene, obj)
    context.scene.splatsmith.head_object = mesh
    if gaussians is not None:
        gaussian_head.import_gaussians(context.scene, gaussians, head, mesh, collection)
    return mesh


def import_face(context: bpy.types.Context, folder: Path, name: str, start: int) -> str:
    """A head that was read from footage, with its motion, sound and speaker where the folder has
    them; a line about it.

    Its motion goes onto that head and onto the artist's own targets, not onto the heads of other
    people.
    """
    path, speaker = folder / motion_file.NAME, folder / "speaker.safetensors"
    motion = (
        motion_file.read(path) if path.is_file() else None
    )  # a damaged one must not leave half a result
    others = [
        t.obj
        for t in context.scene.splatsmith.face_targets
        if t.obj is not None and PERSON not in t.obj
    ]
    mesh = import_head(context, folder, name)
    line = f"{mesh.name}: {len(face_targets.shape_keys(mesh))} shape keys"
    moved = framing.place_clear(context.scene, mesh)
    line += f", {moved}" if moved else ""
    framing.select_alone(context, mesh)
    framing.frame_selected(context)
    if speaker.is_file():
        context.scene.splatsmith.speaker = str(speaker)
    if motion is None:
        return line
    mesh[PERSON] = str(folder)
    if motion.source:
        speech_sound.add(context.scene, Path(motion.source), start)
    return f"{line}, {face_targets.apply(context.scene, motion, start, name, [*others, mesh])}"


def person(context: bpy.types.Context) -> bpy.types.Object | None:
    """The mesh of the person that is active, or of the one who was read last."""
    people = [mesh for mesh in context.scene.objects if PERSON in mesh]
    active = next(
        (
            mesh
            for mesh in (context.object, context.object and context.object.parent)
            if mesh in people
        ),
        None,
    )
    return active or (people[-1] if people else None)


def import_motion(context: bpy.types.Context, path: Path, name: str, start: int) -> str:
    """A motion onto all targets, with the sound that it was made of; a line about it."""
    motion = motion_file.read(path)
    if motion.source:
        speech_sound.add(context.scene, Path(motion.source), start)
    return face_targets.apply(context.scene, motion, start, name)
