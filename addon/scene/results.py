"""What results become in the scene: cameras, splats, meshes, heads and their motion, images."""

from pathlib import Path
from typing import Any

import bpy

from ...backend.formats import (
    capture as captures,
    gaussian_head_file,
    head_file,
    motion_file,
    splat_ply,
)
from ...backend.semantics.rendering.render_verb import RenderOptions
from . import framing, image_window
from .captures import cameras, collections, picture_times, verdict
from .faces import face_targets, gaussian_head, head_mesh, speech_sound
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


def home(
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
    collection, root = home(context, name, capture)
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
