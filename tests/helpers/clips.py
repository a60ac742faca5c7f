"""Input that the tests make themselves: pictures of a textured world from known cameras, videos,
broken files.
"""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (160, 120)


def texture(size: int = 256, seed: int = 0) -> np.ndarray:
    """Random rectangles: corners everywhere."""
    random = np.random.default_rng(seed)
    picture = np.full((size, size, 3), 128, np.uint8)
    for _ in range(400):
        x, y, w, h = (*random.integers(0, size, 2), *random.integers(4, 40, 2))
        picture[y : y + h, x : x + w] = random.integers(0, 256, 3)
    return picture


def camera_on_arc(share: float, radius: float = 3.0, degrees: float = 50.0) -> np.ndarray:
    """Camera-to-world (OpenGL) looking at the origin; share 0..1 along an arc that rises a
    little.
    """
    angle = math.radians((share - 0.5) * degrees)
    position = np.array(
        [radius * math.sin(angle), 0.3 * math.sin(3 * angle) + 0.4, radius * math.cos(angle)]
    )
    back = position / np.linalg.norm(position)
    right = np.cross([0.0, 1.0, 0.0], back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = (
        right,
        np.cross(back, right),
        back,
        position,
    )
    return pose


def ray_cast(
    pose: np.ndarray, focal: float, size: tuple[int, int] = SIZE, density: float = 90
) -> np.ndarray:
    """A room corner seen by a pinhole camera: three textured planes, x = -1.2, y = -0.6, z = -1.2,
    and a poster before them; `density` texels a unit.
    """
    width, height = size
    u, v = np.meshgrid(np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2)
    rays = np.stack([u / focal, -v / focal, -np.ones_like(u)], -1) @ pose[:3, :3].T
    origin, best = pose[:3, 3], np.full(u.shape, np.inf)
    picture = np.zeros((height, width, 3), np.uint8)
    planes = [(0, -1.2, 1), (1, -0.6, 2), (2, -1.2, 3), (2, 0.1, 4)]
    for axis, at, seed in planes:
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (at - origin[axis]) / rays[..., axis]
        hit = origin + rays * t[..., None]
        other = [a for a in range(3) if a != axis]
        good = (t > 1e-3) & (t < best)
        if seed == 4:
            good &= (np.abs(hit[..., 0] - 0.2) < 0.35) & (np.abs(hit[..., 1]) < 0.4)
        image = texture(seed=seed)
        pixel = np.floor(np.nan_to_num(hit[..., other]) * density).astype(int) % 256
        picture[good] = image[pixel[..., 1], pixel[..., 0]][good]
        best = np.where(good, t, best)
    return picture


def write_photos(
    folder: Path,
    count: int = 12,
    size: tuple[int, int] = SIZE,
    focal: float = 150.0,
    density: float = 90,
) -> list[np.ndarray]:
    """PNG photos along the arc; their camera-to-world matrices."""
    folder.mkdir(parents=True, exist_ok=True)
    poses = [camera_on_arc(i / (count - 1)) for i in range(count)]
    for number, pose in enumerate(poses):
        big = ray_cast(pose, focal * 2, (size[0] * 2, size[1] * 2), density)
        Image.fromarray(big).resize(size, Image.Resampling.BOX).save(folder / f"{number:03d}.png")
    return poses


def write_capture(
    folder: Path, count: int = 12, size: tuple[int, int] = SIZE, focal: float = 150.0
) -> None:
    """A capture of those photos with their true cameras and some true points."""
    from backend.formats import capture, points_ply
    from backend.formats.capture import Frame

    poses = write_photos(folder / "images", count, size, focal, density=25)
    frames = [
        Frame(
            image=folder / "images" / f"{i:03d}.png",
            camera_to_world=pose,
            fl_x=focal,
            fl_y=focal,
            cx=size[0] / 2,
            cy=size[1] / 2,
            width=size[0],
            height=size[1],
        )
        for i, pose in enumerate(poses)
    ]
    random = np.random.default_rng(0)
    a, b = random.uniform(-1.2, 1.2, (2, 400))
    points = np.concatenate(
        [np.stack(p, 1) for p in ((a, b, a * 0 - 1.2), (a * 0 - 1.2, b, a), (a, a * 0 - 0.6, b))]
    )
    points_ply.write(
        folder / "points3D.ply",
        points.astype(np.float32),
        random.integers(0, 256, (len(points), 3)).astype(np.uint8),
    )
    capture.write(folder, frames, folder / "points3D.ply")


def write_video(
    path: Path,
    images: list[np.ndarray],
    rotation: int = 0,
    fps: int = 12,
    times: list[float] | None = None,
) -> None:
    """A video of (H, W, 3) pictures; `rotation` sets the display flag (degrees counter-clockwise),
    `times` (seconds) makes the frame rate vary.
    """
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "12"})
        stream.height, stream.width, stream.pix_fmt = *images[0].shape[:2], "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation) if hasattr(
                stream, "set_display_rotation"
            ) else None
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i, picture in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if times:
                frame.pts, frame.time_base = round(1000 * times[i]), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_sound(path: Path) -> None:
    """A file with sound and no picture."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 4096), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
