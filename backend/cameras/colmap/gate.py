"""The gate that a COLMAP model passes: its pictures found and held against its cameras, what can't
be used left out by name, its world near the origin, every picture on a rig of its own.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pycolmap

from ...formats.colmap_counts import check_counts
from ...formats.colmap_names import image_names
from ...formats.name_pairing import listed, pair_names
from ...formats.named_files import pictures_below
from ...formats.natural_order import natural_key
from ...geometry.arrays import Doubles
from ...geometry.far_origin import lost_cameras, offset_of
from ...media.picture_files import LISTED
from ...protocol import InputError
from ..footage.mask_files import paired_masks
from ..footage.placed_pictures import GivenPicture, PlacedPicture, place_pictures
from .camera_list import unknown_model
from .colmap_command import ColmapTask
from .sound_lenses import sound_indices
from .text_models import readable

SHORTEST = 1e-3  # of quaternions that are a rotation
FARTHEST = 1e30  # a coordinate that single precision holds


@dataclass(frozen=True, kw_only=True)
class GatedModel:
    """A model whose images are called as their copies in `task.images` are."""

    model: pycolmap.Reconstruction
    task: ColmapTask
    dropped: int
    told: list[str]


def read_model(task: ColmapTask) -> pycolmap.Reconstruction:
    """The model in `task.model`, its names whole; InputError where it is damaged, or has a
    camera model that COLMAP does not know.
    """
    folder, names = Path(task.model), image_names(Path(task.model))
    check_counts(folder)
    try:
        model = pycolmap.Reconstruction(readable(folder, Path(task.work) / "model"))
    except (ValueError, RuntimeError, IndexError, OSError, MemoryError) as error:
        if unknown := unknown_model(folder):
            raise InputError(
                f"A camera of the COLMAP model has the camera model {unknown!r}, which is not "
                "known.",
                "Undistort the pictures in the program that wrote it, and export them with PINHOLE "
                "cameras.",
            ) from error
        raise InputError(
            "The COLMAP model is damaged or incomplete.",
            "It needs cameras, images and points3D, as .bin or .txt.",
        ) from error
    for image in model.images.values():
        try:
            cut = image.name  # in text, COLMAP cuts names at their first space
        except UnicodeDecodeError:  # written in another encoding than UTF-8
            cut = ""
        whole = names.get(image.image_id, "")
        if whole.startswith(cut):
            image.name = whole
    for frame in model.frames.values():
        if frame.has_pose():
            frame.rig_from_world = _of_unit_turn(frame.rig_from_world)
    return model


def _of_unit_turn(pose: pycolmap.Rigid3d) -> pycolmap.Rigid3d:
    """The pose with a quaternion of length 1, which rounded ones and some programs' are not."""
    quat = np.asarray(pose.rotation.quat)
    length = float(np.linalg.norm(quat))
    if not SHORTEST < length < np.inf:
        return pose
    return pycolmap.Rigid3d(pycolmap.Rotation3d(quat / length), pose.translation)


def _finite(image: pycolmap.Image) -> bool:
    pose = image.cam_from_world()
    turn = float(np.linalg.norm(pose.rotation.quat))
    return bool(np.isfinite(pose.matrix()).all() and abs(turn - 1) < 1e-3)


def _usable(model: pycolmap.Reconstruction, told: list[str]) -> list[pycolmap.Image]:
    """Images with a pose and a lens that can be one, in natural order."""
    images = sorted(model.images.values(), key=lambda i: natural_key(i.name))
    posed = [i for i in images if i.has_pose]
    if len(posed) < len(images):
        bare = [i.name for i in images if not i.has_pose]
        told.append(f"{len(bare)} of {len(images)} images have no pose: {listed(bare)}.")
    finite = [i for i in posed if _finite(i)]
    if not finite:
        raise InputError("The COLMAP model has no camera with a usable pose.", "Solve it again.")
    lost = set(lost_cameras(np.stack([i.projection_center() for i in finite])))
    kept = [image for k, image in enumerate(finite) if k not in lost]
    if len(kept) < len(posed):
        gone = {i.name for i in posed} - {i.name for i in kept}
        told.append(
            f"{len(gone)} of {len(images)} cameras have no usable pose and were left out: "
            f"{listed(gone)}."
        )
    lens_of = [image.camera_id for image in kept]
    lenses: dict[Hashable, pycolmap.Camera] = {key: model.cameras[key] for key in set(lens_of)}
    sound, lens_told = sound_indices([i.name for i in kept], lens_of, lenses)
    told += lens_told
    return [kept[k] for k in sound]


def _with_pictures(images: list[pycolmap.Image], folder: Path, told: list[str]) -> dict[int, Path]:
    """The picture of each image that has one, by the image's number."""
    names, files = [i.name for i in images], pictures_below(folder, LISTED)
    pairs = pair_names(names, files)
    if not pairs:
        raise InputError(
            f"None of the model's pictures ({listed(names, 3)}) was found among those in "
            f"{folder.name}/ ({listed(files, 3) or 'none'}).",
            f"Put the pictures into {folder.name}/ beside the model, named as it names them.",
        )
    if missing := [name for name in names if name not in pairs]:
        told.append(
            f"{len(missing)} of {len(names)} cameras have no picture and were left out: "
            f"{listed(missing)}."
        )
    respelled = [n for n, f in pairs.items() if n != f]
    if respelled:
        told.append(
            f"{len(respelled)} pictures are spelled otherwise in the model than on disk and were "
            f"found by name: {listed(respelled)}."
        )
    return {i.image_id: folder / pairs[i.name] for i in images if i.name in pairs}


def _masks(folder: str, names: list[str], told: list[str]) -> list[Path | None]:
    if not folder:
        return [None] * len(names)
    paired = paired_masks(Path(folder), names)
    if paired.told:
        told.append(paired.told)
    return paired.masks


def pass_gate(model: pycolmap.Reconstruction, task: ColmapTask) -> GatedModel:
    """The model as everything after it may take it; InputError where nothing of it can be used."""
    told: list[str] = []
    images = _usable(model, told)
    paths = _with_pictures(images, Path(task.images), told)
    images = [i for i in images if i.image_id in paths]
    masks = _masks(task.masks, [i.name for i in images], told)
    work = Path(task.work)
    given = [
        GivenPicture(
            name=image.name,
            path=paths[image.image_id],
            camera_size=(camera.width, camera.height),
            mask=mask,
            principal_point=_principal_point(camera),
        )
        for image, mask in zip(images, masks, strict=True)
        for camera in (model.cameras[image.camera_id],)
    ]
    (work / "images").mkdir()
    placed = place_pictures(given, work / "images", work / "masks")
    kept = [images[p.index] for p in placed.pictures]
    offset = offset_of(np.stack([i.projection_center() for i in kept]))
    if offset is not None:
        place = ", ".join(f"{v:.12g}" for v in offset)
        told.append(
            f"The world lies far from its origin and was moved by ({place}), which is kept."
        )
    rebuilt = _rebuilt(model, kept, placed.pictures, np.zeros(3) if offset is None else offset)
    gated = replace(
        task,
        images=str(work / "images"),
        masks=str(work / "masks") if placed.masked else "",
        names=[p.name for p in placed.pictures],
        sources=[i.name for i in kept],
        offset=None if offset is None else offset.tolist(),
    )
    lost_points = model.num_points3D() - rebuilt.num_points3D()
    if lost_points:
        told.append(f"{lost_points} of {model.num_points3D()} points went with what was left out.")
    return GatedModel(
        model=rebuilt,
        task=gated,
        dropped=len(model.images) - len(kept),
        told=[*told, *placed.told],
    )


def _principal_point(camera: pycolmap.Camera) -> tuple[float, float] | None:
    if camera.is_spherical():
        return None
    return float(camera.principal_point_x), float(camera.principal_point_y)


def _camera(
    old: pycolmap.Camera, size: tuple[int, int], camera_id: int
) -> tuple[pycolmap.Camera, Doubles]:
    """The lens for pictures of that size, and what pixels of the old ones are multiplied by."""
    camera = pycolmap.Camera(
        model=old.model, width=old.width, height=old.height, params=old.params, camera_id=camera_id
    )
    scale = np.array(size) / (old.width, old.height)
    if size != (old.width, old.height):
        camera.rescale(*size)
    return camera, scale


def _rebuilt(
    model: pycolmap.Reconstruction,
    images: list[pycolmap.Image],
    placed: list[PlacedPicture],
    offset: Doubles,
) -> pycolmap.Reconstruction:
    """A model of these images alone, numbered from 1, each on a rig of its own; pictures of one
    camera but different sizes get cameras of their own.
    """
    new = pycolmap.Reconstruction()
    cameras: dict[tuple[int, tuple[int, int]], tuple[pycolmap.Camera, Doubles]] = {}
    for number, (image, picture) in enumerate(zip(images, placed, strict=True), 1):
        key = image.camera_id, picture.size
        if key not in cameras:
            cameras[key] = _camera(model.cameras[image.camera_id], picture.size, len(cameras) + 1)
            new.add_camera_with_trivial_rig(cameras[key][0])
        camera, scale = cameras[key]
        points = np.array([p.xy for p in image.points2D], np.float64).reshape(-1, 2) * scale
        pose = image.cam_from_world().matrix()
        pose[:, 3] += pose[:, :3] @ offset
        new.add_image_with_trivial_frame(
            pycolmap.Image(
                name=picture.name,
                keypoints=points,
                camera_id=camera.camera_id,
                image_id=number,
            ),
            pycolmap.Rigid3d(pose),
        )
    _add_points(model, new, {image.image_id: n for n, image in enumerate(images, 1)}, offset)
    return new


def _add_points(
    model: pycolmap.Reconstruction,
    new: pycolmap.Reconstruction,
    numbers: dict[int, int],
    offset: Doubles,
) -> None:
    """Points that are somewhere, with the part of their tracks that is left; what only images saw
    that are gone goes too.
    """
    for point in model.points3D.values():
        elements = point.track.elements
        left = [
            pycolmap.TrackElement(numbers[e.image_id], e.point2D_idx)
            for e in elements
            if e.image_id in numbers
        ]
        if (left or not elements) and np.all(np.abs(point.xyz) < FARTHEST):
            new.add_point3D(point.xyz - offset, pycolmap.Track(left), point.color)
    if new.num_points3D():
        new.update_point_3d_errors()
