"""Portrait photos that were solved lying on their side, with the landscape ones of the same lens,
stood up again: pictures, cameras and observations.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pycolmap

from ...geometry.arrays import Doubles
from ...media.open_image import opened
from ...media.picture_files import save_picture
from .undistort import StraightPictures

# a picture turned a quarter clockwise has its x where y was, counted from the other side
ROLL = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def _turned_camera(camera: pycolmap.Camera, turns: int, camera_id: int) -> pycolmap.Camera:
    """The pinhole of a picture turned clockwise by so many quarters."""
    fx, fy = camera.focal_length_x, camera.focal_length_y
    cx, cy = camera.principal_point_x, camera.principal_point_y
    width, height = camera.width, camera.height
    for _ in range(turns):
        fx, fy, cx, cy, width, height = fy, fx, height - cy, cx, height, width
    return pycolmap.Camera(
        model="PINHOLE", width=width, height=height, params=[fx, fy, cx, cy], camera_id=camera_id
    )


def _turned_points(points: Doubles, size: tuple[int, int], turns: int) -> Doubles:
    """(N, 2) pixels of a picture of `size` (width, height) after so many quarters clockwise."""
    width, height = size
    for _ in range(turns):
        points = np.stack([height - points[:, 1], points[:, 0]], 1)
        width, height = height, width
    return points


def _turned_pictures(folder: Path, target: Path, turns: dict[str, int], ending: str = "") -> Path:
    target.mkdir()
    for path in folder.iterdir():
        k = turns.get(path.name.removesuffix(ending) if ending else path.name, 0)
        if not k:
            shutil.copyfile(path, target / path.name)
            continue
        with opened(path) as image:
            save_picture(image.rotate(-90 * k, expand=True), target / path.name)
    return target


def turn_back(straight: StraightPictures, turns: dict[str, int], work: Path) -> StraightPictures:
    """Pictures that were turned by so many quarters (counter-clockwise) for the solve, by name."""
    if not any(turns.values()):
        return straight
    old, new = straight.model, pycolmap.Reconstruction()
    ids: dict[tuple[int, int], int] = {}
    for image in sorted(old.images.values(), key=lambda i: i.image_id):
        camera, k = old.cameras[image.camera_id], turns.get(image.name, 0)
        key = image.camera_id, k
        if key not in ids:
            ids[key] = len(ids) + 1
            new.add_camera_with_trivial_rig(_turned_camera(camera, k, ids[key]))
        points = np.array([p.xy for p in image.points2D], np.float64).reshape(-1, 2)
        roll = np.linalg.matrix_power(ROLL, k)
        new.add_image_with_trivial_frame(
            pycolmap.Image(
                name=image.name,
                keypoints=_turned_points(points, (camera.width, camera.height), k),
                camera_id=ids[key],
                image_id=image.image_id,
            ),
            pycolmap.Rigid3d(roll @ image.cam_from_world().matrix()),
        )
    for point in old.points3D.values():
        new.add_point3D(point.xyz, point.track, point.color)
    if new.num_points3D():
        new.update_point_3d_errors()
    return replace(
        straight,
        model=new,
        images=_turned_pictures(straight.images, work / "upright", turns),
        masks=straight.masks
        and _turned_pictures(straight.masks, work / "upright-masks", turns, ".png"),
    )
