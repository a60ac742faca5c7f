"""Which splats an outline on the screen takes: those whose centre lies in it, or all that reach
into it. No bpy.
"""

import numpy as np
from numpy.typing import NDArray

from ....backend.geometry.arrays import Flags, Floats

REACH = 2.0  # standard deviations up to which a splat counts as being there
AROUND, ALONG, CORNERS = 8, 6, 16  # points of an ellipse's rim and long axis, and of the outline

Outline = NDArray[np.float64]  # (P, 2) pixels, P >= 3, closed


def box(first: tuple[float, float], last: tuple[float, float]) -> Outline:
    """Of two opposite corners."""
    (x0, y0), (x1, y1) = first, last
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def circle(center: tuple[float, float], radius: float) -> Outline:
    """As a polygon."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle)], 1)


def inside(outline: Outline, places: NDArray[np.floating]) -> Flags:
    """(N,) whether pixels (N, 2) lie in the outline, by the rule of even and odd; those that are
    not finite do not.
    """
    low, high = outline.min(0), outline.max(0)
    near = np.flatnonzero(((places >= low) & (places <= high)).all(1))
    x, y = places[near].astype(np.float64).T
    odd = np.zeros(len(near), bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, 0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        odd ^= crosses & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    within = np.zeros(len(places), bool)
    within[near[odd]] = True
    return within


def reaching(outline: Outline, places: Floats, axes: tuple[Floats, Floats], center: Flags) -> Flags:
    """(N,) what of splats reaches into the outline: their centre does (`center`), a point of their
    rim or of their long axis, or the outline's own corner lies in them. `axes` are the half axes
    (N, 2) each of the ellipses on the screen, the longer first.
    """
    taken = center.copy()
    for angle in np.linspace(0, 2 * np.pi, AROUND, endpoint=False):
        rim = places + np.float32(np.cos(angle)) * axes[0] + np.float32(np.sin(angle)) * axes[1]
        taken |= inside(outline, rim)
    for share in np.linspace(-0.75, 0.75, ALONG):
        taken |= inside(outline, places + np.float32(share) * axes[0])
    for corner in outline[:: max(1, len(outline) // CORNERS)]:
        away = corner.astype(np.float32) - places
        parts = [
            np.einsum("ij,ij->i", away, axis)
            / np.maximum(np.einsum("ij,ij->i", axis, axis), np.float32(1e-12))
            for axis in axes
        ]
        taken |= parts[0] ** 2 + parts[1] ** 2 <= 1
    return taken


def screen_axes(
    means: Floats,
    matrices: NDArray[np.floating],
    scales: Floats,
    matrix: NDArray[np.float64],
    size: tuple[int, int],
) -> tuple[Floats, Floats]:
    """Half axes (N, 2) each, in pixels, of the ellipses that splats are on the screen: the two
    longest principal axes of what their own axes (N, 3, 3; columns) project to.
    """  # fmt: skip
    m = matrix.astype(np.float32)
    w = (means @ m[3, :3] + m[3, 3])[:, None]
    clip = (means @ m[:2, :3].T + m[:2, 3]) / w
    scaled = matrices.astype(np.float32) * (REACH * scales)[:, None]  # columns: axes in space
    moved = np.einsum("ci,nij->ncj", m[[0, 1, 3], :3], scaled)
    # how the projection changes along each axis: d(x / w) = (dx - (x / w) dw) / w
    slopes = (moved[:, :2] - clip[:, :, None] * moved[:, 2:]) / w[:, :, None]
    slopes *= np.array(size, np.float32)[:, None] / 2
    covariance = slopes @ slopes.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(covariance)
    lengths = np.sqrt(np.maximum(values, 0))[:, None]
    half = vectors * lengths
    return np.ascontiguousarray(half[:, :, 1], np.float32), np.ascontiguousarray(
        half[:, :, 0], np.float32
    )
