"""Whether a lens can be one: where its distortion folds the picture, or leaves next to nothing of
it, its numbers are wrong.
"""

import numpy as np
import pycolmap

from ...geometry.arrays import Doubles
from ...protocol import InputError

SPOKES, STEPS = 32, 24  # rays from the middle of the picture to its border, points on each
INNER = 0.7  # of the way to the border that has to be sound
RETURNS = 0.5  # pixels by which a point may miss itself on its way out of distortion and back
SQUEEZE = 4.0  # times as wide or as narrow as the middle that a part of the picture may become


def _spokes(camera: pycolmap.Camera) -> Doubles:
    """(SPOKES, STEPS, 2) pixels from the principal point to the picture's border."""
    middle = np.array([camera.principal_point_x, camera.principal_point_y])
    size = np.array([camera.width, camera.height])
    middle = np.clip(middle, 0.25 * size, 0.75 * size)
    angles = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
    ways = np.stack([np.cos(angles), np.sin(angles)], 1)
    slow = np.maximum(np.abs(ways), 1e-9)
    reach = (np.where(ways > 0, size - middle, middle) / slow).min(1)
    steps = np.linspace(0, INNER, STEPS)
    return np.asarray(middle + ways[:, None] * (reach[:, None] * steps)[..., None])


def check_lens(camera: pycolmap.Camera) -> None:
    """InputError for a camera whose pictures can't be put straight."""
    if camera.is_spherical():
        raise InputError(
            "Panoramas of all directions can't be used as they are.",
            "Cut them into ordinary pictures first.",
        )
    focal = [camera.focal_length_x, camera.focal_length_y]
    if not np.isfinite(camera.params).all() or min(focal) <= 0:
        raise InputError(
            "A lens of the input is not finite, or has no focal length.", "Solve it again."
        )
    if camera.is_undistorted():
        return
    pixels = _spokes(camera).reshape(-1, 2)
    with np.errstate(all="ignore"):
        rays = np.asarray(camera.cam_from_img(pixels), np.float64)
        back = camera.img_from_cam(np.concatenate([rays, np.ones((len(rays), 1))], 1))
        off = np.linalg.norm(np.asarray(back) - pixels, axis=1)
        radii = np.linalg.norm(rays - rays[0], axis=1).reshape(SPOKES, STEPS)
        growth = np.diff(radii, axis=1)
    if not _is_sound(off, growth, fisheye=camera.is_perspective_fisheye()):
        numbers = ", ".join(f"{v:g}" for v in camera.params)
        raise InputError(
            f"The lens distortion can't be right: it would fold the picture or tear it apart "
            f"({camera.model.name}: {numbers}).",
            "Solve the cameras again, or with a simpler camera model.",
        )


def _is_sound(off: Doubles, growth: Doubles, fisheye: bool) -> bool:
    """Every point comes back to its pixel, and steps along a spoke stay alike; those of a fisheye
    grow as the tangent does, without bound.
    """
    if not np.isfinite(off).all() or off.max() > RETURNS or growth.min() <= 0:
        return False
    first = growth[:, :3].mean()
    widest = np.inf if fisheye else SQUEEZE
    return bool(growth.max() < widest * first and growth.min() > first / SQUEEZE)
