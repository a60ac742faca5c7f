"""Captures: a folder with transforms.json in nerfstudio's layout. Reads instant-ngp's and
nerf_synthetic's too.

numpy only. Everything a file says is checked before it is believed; conventions are those of
geometry/conventions.py.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.conventions import intrinsics
from ..protocol import InputError
from .transforms_json import (
    DISTORTION,
    IMAGES as IMAGES,
    find_transforms,
    focal_lengths,
    inside,
    load_json,
    number,
    pose,
)

MOST_FPS = 1000.0  # frames a second that a video can have


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture and its camera."""

    image: Path
    camera_to_world: NDArray[np.float64]  # (4, 4), OpenGL axes
    fl_x: float
    fl_y: float
    cx: float
    cy: float
    width: int
    height: int
    distortion: tuple[float, ...] = (0.0,) * 6  # k1 k2 p1 p2 k3 k4, OpenCV's model
    time: float | None = None  # seconds in the video that the frame is from
    mask: Path | None = None
    source: str = ""  # name of the picture before it was copied into the capture
    depth: Path | None = None  # see formats/depth_exr.py

    @property
    def K(self) -> NDArray[np.float64]:
        """(3, 3) intrinsics in pixels."""
        return intrinsics(self.fl_x, self.fl_y, self.cx, self.cy)


@dataclass(frozen=True)
class Capture:
    """Frames in the order of the footage; `points` is a coloured PLY where there is one; `fps` of
    the video that the frames are from, 0 where that is not known.
    """

    root: Path
    frames: list[Frame]
    points: Path | None = None
    fps: float = 0.0


def image_size(path: Path) -> tuple[int, int]:
    """Width and height from the file's header, as stored (EXIF rotation not applied)."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:  # inside Blender
        raise InputError(
            "transforms.json does not tell the pictures' size (w, h).",
            "Run Solve Cameras on it instead.",
        ) from error
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise InputError(
            f"The picture {path.name} can't be read.", "Replace it, or remove it from the capture."
        ) from error


def _any_image(root: Path, shared: dict[str, Any], missing: Path) -> Path:
    """Another picture of the capture, which has the size of the missing one."""
    image = next(
        (p for p in (inside(root, name) for name in shared.get("_names", [])) if p.is_file()), None
    )
    if image is None:
        raise InputError(
            f"The picture {missing.name} is missing, and so is every other.",
            "Put the pictures beside transforms.json.",
        )
    return image


def _frame(root: Path, shared: dict[str, Any], record: Any) -> Frame:
    if not isinstance(record, dict):
        raise InputError("transforms.json: a frame is not a record.", "Export it again.")
    camera = {**shared, **record}
    image = inside(root, record.get("file_path"))
    if camera.get("is_fisheye") or camera.get("camera_model", "OPENCV") not in (
        "OPENCV",
        "PINHOLE",
        "SIMPLE_PINHOLE",
        "SIMPLE_RADIAL",
        "RADIAL",
    ):
        raise InputError(
            f"The camera model {camera.get('camera_model', 'fisheye')!r} is not supported.",
            "Undistort the pictures first.",
        )
    if "w" in camera and "h" in camera:
        width, height = int(number(camera, "w")), int(number(camera, "h"))
    else:
        width, height = image_size(image if image.is_file() else _any_image(root, shared, image))
    if not (1 <= width <= 65536 and 1 <= height <= 65536):
        raise InputError(
            f"transforms.json: a picture of {width} x {height} pixels is impossible.",
            "Export it again.",
        )
    fl_x, fl_y = focal_lengths(camera, width, height)
    return Frame(
        image=image,
        camera_to_world=pose(record, image.name),
        fl_x=fl_x,
        fl_y=fl_y,
        cx=number(camera, "cx", width / 2),
        cy=number(camera, "cy", height / 2),
        width=width,
        height=height,
        distortion=tuple(number(camera, key, 0.0) for key in DISTORTION),
        time=number(camera, "time") if "time" in camera else None,
        mask=inside(root, record["mask_path"]) if record.get("mask_path") else None,
        source=str(record.get("source", "")),
        depth=inside(root, record["depth_file_path"]) if record.get("depth_file_path") else None,
    )


def read(path: Path) -> Capture:
    """The capture at a folder or a transforms.json. Pictures need not exist; `require_pictures`
    sees to that.
    """
    file = find_transforms(path)
    if file is None:
        raise InputError(
            f"{path} holds no transforms.json.", "Run `cameras` first, and give its output folder."
        )
    data = load_json(file)
    shared = {k: v for k, v in data.items() if k != "frames"}
    shared["_names"] = [
        r["file_path"]
        for r in data["frames"]
        if isinstance(r, dict) and isinstance(r.get("file_path"), str)
    ]
    frames = [_frame(file.parent, shared, record) for record in data["frames"]]
    points = (
        inside(file.parent, data["ply_file_path"])
        if data.get("ply_file_path")
        else file.parent / "points3D.ply"
    )
    return Capture(
        file.parent,
        frames,
        points if points.is_file() else None,
        _told_rate(data),
    )


def _told_rate(data: dict[str, Any]) -> float:
    """Frames a second of the footage; 0 where the file tells none, or none that can be."""
    fps = data.get("fps")
    if isinstance(fps, bool) or not isinstance(fps, (int, float)) or not 0 < fps <= MOST_FPS:
        return 0.0
    return float(fps)


def require_images(capture: Capture) -> None:
    """Raises InputError unless every picture is there."""
    missing = [frame.image for frame in capture.frames if not frame.image.is_file()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(capture.frames)} pictures of the capture are missing, the "
            f"first is {missing[0].name}.",
            "Put them back, or run `cameras` on this folder: it leaves such frames out.",
        )


def write(root: Path, frames: list[Frame], points: Path | None, fps: float = 0.0) -> None:
    """Writes transforms.json into `root`, under which the pictures must lie; `fps` of their video,
    0 where there is none.
    """
    records = []
    for f in frames:
        record: dict[str, Any] = {"file_path": f.image.relative_to(root).as_posix()}
        record |= {
            "fl_x": f.fl_x,
            "fl_y": f.fl_y,
            "cx": f.cx,
            "cy": f.cy,
            "w": f.width,
            "h": f.height,
        }
        record |= {k: v for k, v in zip(DISTORTION, f.distortion, strict=True) if v}
        if f.time is not None:
            record["time"] = f.time
        if f.source:
            record["source"] = f.source
        if f.mask is not None:
            record["mask_path"] = f.mask.relative_to(root).as_posix()
        if f.depth is not None:
            record["depth_file_path"] = f.depth.relative_to(root).as_posix()
        records.append({**record, "transform_matrix": f.camera_to_world.tolist()})
    shared = {
        k: records[0][k]
        for k in ("fl_x", "fl_y", "cx", "cy", "w", "h")
        if all(r[k] == records[0][k] for r in records)
    }
    slim = [{k: v for k, v in r.items() if k not in shared} for r in records]
    data = {
        "camera_model": "OPENCV",
        **shared,
        **({"fps": fps} if fps else {}),
        **({"ply_file_path": points.relative_to(root).as_posix()} if points else {}),
        "frames": slim,
    }
    (root / "transforms.json").write_text(
        json.dumps(data, indent=1, allow_nan=False), encoding="utf-8"
    )
