"""A bumpy, painted ball that bends, drawn from all around by plain numpy: a clip with time and
exact truth, without Blender.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from backend.formats import capture
from backend.geometry.triangles import nearest_triangles


def ball(rings: int = 24, around: int = 36) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) of a sphere with three bumps, and triangles wound counter-clockwise from
    outside.
    """
    theta, phi = (
        np.linspace(0.001, np.pi - 0.001, rings),
        np.linspace(0, 2 * np.pi, around, endpoint=False),
    )
    t, p = np.meshgrid(theta, phi, indexing="ij")
    direction = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], -1).reshape(
        -1, 3
    )
    radius = 0.6 + sum(
        0.35 * np.exp(-8 * (1 - direction @ (np.array(b) / np.linalg.norm(b))))
        for b in ((1, 0, 0.4), (-0.5, 0.9, 0), (0, -0.3, 1))
    )
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    a, b = (i * around + j).ravel(), (i * around + (j + 1) % around).ravel()
    faces = np.concatenate(
        [np.stack([a, a + around, b + around], 1), np.stack([a, b + around, b], 1)]
    )
    return direction * radius[:, None], faces


def bent(vertices: np.ndarray, time: float) -> np.ndarray:
    """Leaning to one side and the other, the more the higher; one and a half times, for a motion in
    step with the camera's way around can't be told from another shape.
    """
    return vertices + np.array([1.0, 0, 0]) * (
        0.3 * np.sin(3 * np.pi * time) * (vertices[:, 2:] + 0.6)
    )


def paint(vertices: np.ndarray) -> np.ndarray:
    """(V, 3) waves of colour."""
    x, y, z = (vertices * 6).T
    return 0.5 + 0.4 * np.stack([np.sin(x + 1) * np.cos(y), np.sin(1.3 * y), np.sin(z + x)], 1)


def camera(angle: float, distance: float = 3.2) -> np.ndarray:
    """Camera-to-world, OpenGL axes, looking at the origin from a little above."""
    place = distance * np.array([np.cos(angle) * 0.96, np.sin(angle) * 0.96, 0.28])
    z = place / np.linalg.norm(place)
    x = np.cross([0, 0, 1.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3] = np.stack([x, np.cross(z, x), z, place], 1)
    return pose


def draw(
    vertices: np.ndarray,
    faces: np.ndarray,
    colors: np.ndarray,
    pose: np.ndarray,
    focal: float,
    size: int,
) -> np.ndarray:
    """(size, size, 4) uint8, twice as fine inside as outside."""
    fine = 2 * size
    seen = (vertices - pose[:3, 3]) @ pose[:3, :3]
    depth = -seen[:, 2]
    points = np.stack(
        [seen[:, 0] / depth * focal * 2 + size, -seen[:, 1] / depth * focal * 2 + size], 1
    )
    hit = nearest_triangles(points[faces], 1 / depth[faces], (fine, fine))
    image = np.zeros((fine * fine, 4))
    image[hit.pixels, :3] = (hit.weights[..., None] * colors[faces[hit.triangles]]).sum(1)
    image[hit.pixels, 3] = 1
    mean = image.reshape(size, 2, size, 2, 4).mean((1, 3))
    mean[..., :3] /= np.maximum(mean[..., 3:], 1e-6)
    return (mean * 255).round().astype(np.uint8)


def write(
    folder: Path, frames: int = 20, size: int = 72, alpha: bool = True, time: bool = True
) -> np.ndarray:
    """A capture of the ball while it bends and the camera goes around it; the truth (frames, V,
    3).
    """
    rest, faces = ball()
    colors, focal, records, truth = paint(rest), 1.1 * size, [], []
    (folder / "images").mkdir(parents=True)
    for k in range(frames):
        vertices = bent(rest, k / frames)
        pose = camera(2 * np.pi * k / frames)
        pixels = draw(vertices, faces, colors, pose, focal, size)
        path = folder / "images" / f"{k:03d}.png"
        Image.fromarray(pixels if alpha else pixels[..., :3]).save(path)
        records.append(
            capture.Frame(
                image=path,
                camera_to_world=pose,
                fl_x=focal,
                fl_y=focal,
                cx=size / 2,
                cy=size / 2,
                width=size,
                height=size,
                time=k / 24 if time else None,
            )
        )
        truth.append(vertices)
    capture.write(folder, records, None)
    return np.stack(truth)
