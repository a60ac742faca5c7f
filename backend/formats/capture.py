"""Captures: a folder with transforms.json in nerfstudio's layout. Reads instant-ngp's and
nerf_synthetic's too.

numpy only. Everything a file says is checked before it is believed; conventions are those of
geometry/conventions.py.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.conventions import intrinsics
from ..protocol import InputError

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")
DISTORTION = ("k1", "k2", "p1", "p2", "k3", "k4")
MAX_JSON = 256 * 2**20


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
        return intrinsics(self.fl_x, self.fl_y, self.cx, self.cy)


@dataclass(frozen=True)
class Capture:
    """Frames in the order of the footage; `points` is a coloured PLY where there is one."""

    root: Path
    frames: list[Frame]
    points: Path | None = None


def find_transforms(path: Path) -> Path | None:
    """The transforms.json that `path` is or holds."""
    if path.is_file():
        return path if path.suffix.lower() == ".json" else None
    for name in ("transforms.json", "transforms_train.json"):
        if (path / name).is_file():
            return path / name
    return None


def _load_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_JSON:
            raise InputError(
                f"{path.name} is too large to be a list of cameras.", "Choose another file."
            )
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror}.", "Choose another file."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path.name} is not valid JSON.", "Export it again from the program that wrote it."
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("frames"), list) or not data["frames"]:
        raise InputError(
            f"{path.name} lists no frames.",
            "Choose the transforms.json of a nerfstudio or instant-ngp scene.",
        )
    return data


def _number(record: dict[str, Any], key: str, default: float | None = None) -> float:
    value = record.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        raise InputError(
            f"transforms.json: {key!r} must be a finite number, not {value!r}.", "Export it again."
        )
    return float(value)


def _inside(root: Path, name: Any) -> Path:
    """A file of the capture by its name in the JSON; names that lead outside the folder are
    refused.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise InputError("transforms.json: a frame has no file_path.", "Export it again.")
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or PureWindowsPath(name).drive or ".." in parts.parts:
        raise InputError(
            f"transforms.json names a file outside its folder: {name!r}.",
            "Move the pictures into the capture.",
        )
    path = root / parts
    if path.suffix.lower() in IMAGES or path.is_file():
        return path
    return next(
        (c for c in (path.with_name(path.name + s) for s in IMAGES) if c.is_file()),
        path.with_name(path.name + ".png"),
    )


def _pose(record: dict[str, Any], where: str) -> NDArray[np.float64]:
    try:
        matrix = np.array(record.get("transform_matrix"), np.float64)
    except (TypeError, ValueError, OverflowError):
        matrix = np.zeros(0)
    if matrix.shape == (3, 4):
        matrix = np.vstack([matrix, [0, 0, 0, 1]])
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise InputError(
            f"The camera of {where} has no usable pose (NaN, infinite or not 4 x 4).",
            "Solve the cameras again.",
        )
    u, singular, vt = np.linalg.svd(matrix[:3, :3])
    if singular[2] < 1e-9 or np.linalg.det(matrix[:3, :3]) < 0:
        raise InputError(
            f"The camera of {where} has no usable pose (its rotation is degenerate or mirrored).",
            "Solve the cameras again.",
        )
    clean = np.eye(4)
    clean[:3, :3], clean[:3, 3] = u @ vt, matrix[:3, 3]
    return clean


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


def _focal(camera: dict[str, Any], width: int, height: int) -> tuple[float, float]:
    if "fl_x" in camera:
        fl_x = _number(camera, "fl_x")
        fl_y = _number(camera, "fl_y", fl_x)
    elif "camera_angle_x" in camera:
        fl_x = 0.5 * width / math.tan(0.5 * min(max(_number(camera, "camera_angle_x"), 1e-6), 3.14))
        fl_y = (
            0.5 * height / math.tan(0.5 * _number(camera, "camera_angle_y"))
            if "camera_angle_y" in camera
            else fl_x
        )
    else:
        raise InputError(
            "transforms.json gives no focal length (fl_x or camera_angle_x).", "Export it again."
        )
    if fl_x <= 0 or fl_y <= 0:
        raise InputError(
            "transforms.json: the focal length must be above zero.", "Export it again."
        )
    return fl_x, fl_y


def _any_image(root: Path, shared: dict[str, Any], missing: Path) -> Path:
    """Another picture of the capture, which has the size of the missing one."""
    found = next(
        (p for p in (_inside(root, name) for name in shared.get("_names", [])) if p.is_file()), None
    )
    if found is None:
        raise InputError(
            f"The picture {missing.name} is missing, and so is every other.",
            "Put the pictures beside transforms.json.",
        )
    return found


def _frame(root: Path, shared: dict[str, Any], record: Any) -> Frame:
    if not isinstance(record, dict):
        raise InputError("transforms.json: a frame is not a record.", "Export it again.")
    camera = {**shared, **record}
    image = _inside(root, record.get("file_path"))
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
        width, height = int(_number(camera, "w")), int(_number(camera, "h"))
    else:
        width, height = image_size(image if image.is_file() else _any_image(root, shared, image))
    if not (1 <= width <= 65536 and 1 <= height <= 65536):
        raise InputError(
            f"transforms.json: a picture of {width} x {height} pixels is impossible.",
            "Export it again.",
        )
    fl_x, fl_y = _focal(camera, width, height)
    return Frame(
        image=image,
        camera_to_world=_pose(record, image.name),
        fl_x=fl_x,
        fl_y=fl_y,
        cx=_number(camera, "cx", width / 2),
        cy=_number(camera, "cy", height / 2),
        width=width,
        height=height,
        distortion=tuple(_number(camera, key, 0.0) for key in DISTORTION),
        time=_number(camera, "time") if "time" in camera else None,
        mask=_inside(root, record["mask_path"]) if record.get("mask_path") else None,
        source=str(record.get("source", "")),
        depth=_inside(root, record["depth_file_path"]) if record.get("depth_file_path") else None,
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
    data = _load_json(file)
    shared = {k: v for k, v in data.items() if k != "frames"}
    shared["_names"] = [
        r["file_path"]
        for r in data["frames"]
        if isinstance(r, dict) and isinstance(r.get("file_path"), str)
    ]
    frames = [_frame(file.parent, shared, record) for record in data["frames"]]
    points = (
        _inside(file.parent, data["ply_file_path"])
        if data.get("ply_file_path")
        else file.parent / "points3D.ply"
    )
    return Capture(file.parent, frames, points if points.is_file() else None)


def require_images(capture: Capture) -> None:
    """Raises InputError unless every picture is there."""
    missing = [frame.image for frame in capture.frames if not frame.image.is_file()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(capture.frames)} pictures of the capture are missing, the "
            f"first is {missing[0].name}.",
            "Put them back, or run `cameras` on this folder: it leaves such frames out.",
        )


def write(root: Path, frames: list[Frame], points: Path | None) -> None:
    """Writes transforms.json into `root`, under which the pictures must lie."""
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
        **({"ply_file_path": points.relative_to(root).as_posix()} if points else {}),
        "frames": slim,
    }
    (root / "transforms.json").write_text(
        json.dumps(data, indent=1, allow_nan=False), encoding="utf-8"
    )
