"""Solves as other programs leave them: COLMAP models in text, transforms.json, pictures beside
them. Every picture has a mark of its own, so that a mix-up shows.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from helpers import clips
from helpers.command_line import run
from PIL import Image

from backend.formats import capture
from backend.formats.capture import Capture
from backend.geometry.conventions import to_viewmat

SIZE, FOCAL, COUNT = (160, 120), 150.0, 8
UPSIDE, ON_SIDE = 3, 6  # EXIF's orientations


def marked(number: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A smooth picture that is `number` bright in red, and brighter towards its right and its
    bottom in green and blue.
    """
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    pixels = np.stack([0 * x + 20 * number + 20, 200 * x / size[0], 200 * y / size[1]], 2)
    return Image.fromarray(pixels.astype(np.uint8))


def mark_of(path: Path) -> int:
    """The number of such a picture, however it was scaled or turned."""
    with Image.open(path) as image:
        return round((float(np.asarray(image.convert("RGB"))[..., 0].mean()) - 20) / 20)


def is_upright(path: Path) -> bool:
    """Whether green grows to the right and blue to the bottom."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), float)
    h, w = pixels.shape[:2]
    return bool(
        pixels[:, -w // 4 :, 1].mean() > pixels[:, : w // 4, 1].mean() + 50
        and pixels[-h // 4 :, :, 2].mean() > pixels[: h // 4, :, 2].mean() + 50
    )


def save_turned(image: Image.Image, path: Path, orientation: int = 1) -> None:
    """Stored so that a viewer who follows EXIF's orientation shows `image`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    back = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90,
            8: Image.Transpose.ROTATE_270}[orientation]  # fmt: skip
    stored = image if back is None else image.transpose(back)
    exif = Image.Exif()
    exif[0x0112] = orientation
    quality: dict[str, Any] = {"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    stored.save(path, exif=exif, **quality)


def poses(count: int = COUNT) -> list[np.ndarray]:
    """Camera to world, OpenGL axes."""
    return [clips.camera_on_arc(i / (count - 1)) for i in range(count)]


@dataclass(kw_only=True)
class Model:
    """A COLMAP model to be written; each picture has the camera of its number."""

    names: list[str]
    cameras: dict[int, str] = field(
        default_factory=lambda: {1: f"PINHOLE {SIZE[0]} {SIZE[1]} 150 150 80 60"}
    )
    camera_of: Callable[[int], int] = lambda index: 1
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spoil: dict[int, str] = field(default_factory=dict)  # poses (seven words) to write instead

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        points = np.random.default_rng(0).uniform(-1, 1, (40, 3)) * [1, 1, 0.1] + self.offset
        rows = []
        for index, (name, pose) in enumerate(zip(self.names, poses(len(self.names)), strict=True)):
            viewmat = to_viewmat(pose)
            viewmat[:3, 3] -= viewmat[:3, :3] @ np.array(self.offset)
            local = points @ viewmat[:3, :3].T + viewmat[:3, 3]
            pixels = local[:, :2] / local[:, 2:] * FOCAL + np.array(SIZE) / 2
            words = self.spoil.get(index) or _pose_words(viewmat)
            rows.append(f"{index + 1} {words} {self.camera_of(index)} {name}")
            rows.append(" ".join(f"{x} {y} {n}" for n, (x, y) in enumerate(pixels.tolist(), 1)))
        tracks = " ".join(f"{i + 1} {{0}}" for i in range(len(self.names)))
        listing = [
            f"{n} {x!r} {y!r} {z!r} 128 90 60 0.1 {tracks.format(n - 1)}"
            for n, (x, y, z) in enumerate(points.tolist(), 1)
        ]
        cameras = [f"{number} {line}" for number, line in self.cameras.items()]
        for file, lines in (("cameras", cameras), ("images", rows), ("points3D", listing)):
            text = "\n".join([f"# {file}", *lines]) + "\n"
            (folder / f"{file}.txt").write_text(text, encoding="utf-8")


def _pose_words(viewmat: np.ndarray) -> str:
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(viewmat[:3, :3]).as_quat().tolist()
    return " ".join(map(repr, (w, x, y, z, *viewmat[:3, 3].tolist())))


def write_pictures(folder: Path, names: Sequence[str], size: tuple[int, int] = SIZE) -> None:
    for number, name in enumerate(names):
        save_turned(marked(number, size), folder / name.replace("\\", "/"))


def write_transforms(
    folder: Path, names: Sequence[str], each: Sequence[dict[str, Any]] = (), **shared: Any
) -> Path:
    """transforms.json with points beside it, so that nothing need be matched."""
    from backend.formats import points_ply

    folder.mkdir(parents=True, exist_ok=True)
    camera = {"fl_x": FOCAL, "fl_y": FOCAL, "cx": 80.0, "cy": 60.0, "w": SIZE[0], "h": SIZE[1]}
    frames = []
    for at, (name, pose) in enumerate(zip(names, poses(len(names)), strict=True)):
        own = each[at] if each else {}
        frames.append({"file_path": name, "transform_matrix": pose.tolist(), **own})
    points = np.random.default_rng(0).uniform(-1, 1, (100, 3)).astype(np.float32)
    points_ply.write(folder / "sparse_pc.ply", points, np.full((100, 3), 90, np.uint8))
    data = {**camera, "ply_file_path": "sparse_pc.ply", **shared, "frames": frames}
    (folder / "transforms.json").write_text(
        json.dumps({k: v for k, v in data.items() if v is not None}), encoding="utf-8"
    )
    return folder


@dataclass(frozen=True)
class Read:
    """A capture that `cameras` made, and everything that was said."""

    capture: Capture
    said: str

    @property
    def marks(self) -> list[int]:
        return [mark_of(f.image) for f in self.capture.frames]

    @property
    def sources(self) -> list[str]:
        return [f.source for f in self.capture.frames]

    def places(self) -> np.ndarray:
        """(N, 3) of the cameras, in the input's world."""
        places = np.stack([f.camera_to_world[:3, 3] for f in self.capture.frames])
        return np.asarray(places + self.capture.reading.world.offset)


def read(source: Path, output: Path, *more: str | Path) -> Read:
    given = ("--input", source, "--output", output, "--preset", "fast", "--no-depth")
    done = run("cameras", *given, *more)
    assert done.returncode == 0, done.stderr
    captured = capture.read(output)
    for frame in captured.frames:
        with Image.open(frame.image) as image:
            assert image.size == (frame.width, frame.height)
            assert image.getexif().get(0x0112, 1) == 1, "no stale turn"
    return Read(captured, done.stderr)
