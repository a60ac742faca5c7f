"""Axes and matrices: the one place that says which is which. numpy only.

- `camera_to_world` is a 4 x 4 matrix in OpenGL axes: x right, y up, the camera looks along -z
  (nerfstudio, Blender).
- `viewmat` is its counterpart for rendering: world to camera in OpenCV axes, x right, y down,
  looking along +z.
- `K` is 3 x 3 in pixels; the centre of the first pixel is (0.5, 0.5), so the middle of a picture is
  (w / 2, h / 2).
- Quaternions are (w, x, y, z). `scales` are linear, `log_scales` their logarithm; `opacities` lie
  in 0..1,
  `opacity_logits` before the sigmoid. Colours are sRGB as in the footage, never linear, unless a
  name says so.
"""

import numpy as np

from .arrays import Doubles
from .nearest_rotation import nearest_rotation

FLIP_YZ = np.diag([1.0, -1.0, -1.0, 1.0])  # between OpenGL and OpenCV camera axes


def to_viewmat(camera_to_world: Doubles) -> Doubles:
    """(..., 4, 4) camera-to-world, OpenGL -> world-to-camera, OpenCV."""
    return np.asarray(np.linalg.inv(camera_to_world @ FLIP_YZ), np.float64)


def from_viewmat(viewmat: Doubles) -> Doubles:
    """(..., 4, 4) world-to-camera, OpenCV -> camera-to-world, OpenGL."""
    return np.asarray(np.linalg.inv(viewmat) @ FLIP_YZ, np.float64)


def intrinsics(fl_x: float, fl_y: float, cx: float, cy: float) -> Doubles:
    """K of a pinhole camera."""
    return np.array([[fl_x, 0.0, cx], [0.0, fl_y, cy], [0.0, 0.0, 1.0]])


def align_similarity(source: Doubles, target: Doubles) -> tuple[float, Doubles, Doubles]:
    """Scale, rotation, translation that carry points `source` (N, 3) best onto `target` (Umeyama
    1991).
    """
    mean_s, mean_t = source.mean(0), target.mean(0)
    s, t = source - mean_s, target - mean_t
    rotation, singular = nearest_rotation(t.T @ s / len(s))
    scale = float(singular.sum() / max((s**2).sum() / len(s), 1e-30))
    return scale, rotation, mean_t - scale * rotation @ mean_s
