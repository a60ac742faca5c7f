"""Lenses of other programs in COLMAP's terms, for pictures of any size."""

import numpy as np

from ...formats.capture import Frame
from ...formats.lens_keys import PERSPECTIVE
from ...protocol import InputError

MOST_OFF = 0.05  # pixels that a lens may be off after it is put into COLMAP's terms


def colmap_lens(frame: Frame, size: tuple[int, int]) -> tuple[str, list[float]]:
    """COLMAP's camera model and its parameters for a picture of `size` (width, height), whose
    camera was solved at the frame's own; InputError where COLMAP has no such lens.
    """
    sx, sy = size[0] / frame.width, size[1] / frame.height
    pinhole = [frame.fl_x * sx, frame.fl_y * sy, frame.cx * sx, frame.cy * sy]
    k1, k2, p1, p2, k3, k4 = frame.distortion
    more = list(frame.more_distortion)
    match frame.camera_model:
        case "FULL_OPENCV":
            return "FULL_OPENCV", [*pinhole, k1, k2, p1, p2, k3, k4, *more[:2]]
        case "OPENCV_FISHEYE" | "RADIAL_FISHEYE" | "SIMPLE_RADIAL_FISHEYE":
            return "OPENCV_FISHEYE", [*pinhole, k1, k2, k3, k4]
        case "THIN_PRISM_FISHEYE":
            return "THIN_PRISM_FISHEYE", [*pinhole, k1, k2, p1, p2, k3, k4, *more[:2]]
        case "FISHEYE624":
            radial = [k1, k2, k3, k4, *more[:2]]
            return "RAD_TAN_THIN_PRISM_FISHEYE", [*pinhole, *radial, p1, p2, *more[2:]]
        case model if model in PERSPECTIVE and k4:
            radial = _rational(frame, (k1, k2, k3, k4))
            return "FULL_OPENCV", [*pinhole, *radial[:2], p1, p2, *radial[2:]]
        case _ if k3:
            return "FULL_OPENCV", [*pinhole, k1, k2, p1, p2, k3, 0.0, 0.0, 0.0]
        case _ if any(frame.distortion):
            return "OPENCV", [*pinhole, k1, k2, p1, p2]
    return "PINHOLE", pinhole


def _rational(frame: Frame, polynomial: tuple[float, float, float, float]) -> list[float]:
    """COLMAP has no radial polynomial to the eighth power (nerfstudio's and Metashape's k4); a
    fraction of two of the sixth, OpenCV's k1 to k6, comes to the same within the picture.
    """
    corners = np.array(
        [[x, y] for x in (0.0, frame.width) for y in (0.0, frame.height)]
    ) - [frame.cx, frame.cy]  # fmt: skip
    reach = 1.5 * float(np.linalg.norm(corners / [frame.fl_x, frame.fl_y], axis=1).max())
    r2 = np.linspace(0.0, reach, 400)[1:] ** 2
    wanted = 1 + np.stack([r2, r2**2, r2**3, r2**4], 1) @ np.array(polynomial)
    scale = np.array([reach**2, reach**4, reach**6] * 2)  # columns alike in size
    powers = np.stack([r2, r2**2, r2**3], 1)
    columns = np.concatenate([powers, -wanted[:, None] * powers], 1) / scale
    solved = np.linalg.lstsq(columns, wanted - 1, rcond=None)[0] / scale
    above, below = 1 + powers @ solved[:3], 1 + powers @ solved[3:]
    off = np.abs(above / below - wanted) * np.sqrt(r2) * max(frame.fl_x, frame.fl_y)
    if below.min() <= 0 or not off.max() < MOST_OFF:
        raise InputError(
            f"The lens distortion k4 = {polynomial[3]:g} can't be undone here.",
            "Undistort the pictures first.",
        )
    return [float(v) for v in solved]
