"""Captures: a folder with transforms.json in nerfstudio's layout. Reads instant-ngp's and
nerf_synthetic's too.

numpy only. Everything a file says is checked before it is believed; conventions are those of
geometry/conventions.py.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry.arrays import Doubles
from ..protocol import InputError
from .archives import refuse_archive
from .capture_frames import ordered_records, with_usable_lenses, without_repeats
from .capture_records import other_lists, recentred, usable_poses
from .capture_types import Capture as Capture, Frame as Frame, Reading as Reading, World as World
from .lens_keys import DISTORTION, MORE_DISTORTION, PERSPECTIVE, lens_of
from .name_pairing import listed
from .named_files import inside, locate
from .picture_header import stored_size
from .transforms_json import (
    IMAGES as IMAGES,
    find_transforms,
    focal_lengths,
    load_json,
    number,
)

NEAR_MIDDLE = 0.1  # of a picture's longer side, within which twice the principal point is its size
MOST_FPS = 1000.0  # frames a second that a video can have


def image_size(path: Path) -> tuple[int, int]:
    """Width and height from the file's header, as stored (EXIF rotation not applied)."""
    if (size := stored_size(path)) is not None:
        return size
    raise InputError(
        f"The picture {path.name} can't be read.", "Replace it, or remove it from the capture."
    )


def _any_image(places: dict[str, Path], missing: Path) -> Path:
    """Another picture of the capture, which has the size of the missing one."""
    image = next((p for p in places.values() if p.is_file()), None)
    if image is None:
        raise InputError(
            f"The picture {missing.name} is missing, and so is every other.",
            "Put the pictures beside transforms.json.",
        )
    return image


def _size(places: dict[str, Path], camera: dict[str, Any], image: Path) -> tuple[int, int]:
    if "w" in camera and "h" in camera:
        width, height = int(number(camera, "w")), int(number(camera, "h"))
    else:
        stored = image_size(image if image.is_file() else _any_image(places, image))
        width, height = stored[::-1] if _lies_on_its_side(camera, stored) else stored
    if not (1 <= width <= 65536 and 1 <= height <= 65536):
        raise InputError(
            f"transforms.json: a picture of {width} x {height} pixels is impossible.",
            "Export it again.",
        )
    return width, height


def _lies_on_its_side(camera: dict[str, Any], stored: tuple[int, int]) -> bool:
    """Whether the principal point is that of a picture as large, turned by a quarter; of pictures
    whose size no one tells.
    """
    if "cx" not in camera or "cy" not in camera:
        return False
    double = np.array([2 * number(camera, "cx"), 2 * number(camera, "cy")])
    as_is, turned = (np.abs(double - size).max() for size in (stored, stored[::-1]))
    return bool(turned < as_is and turned < NEAR_MIDDLE * max(stored))


def _frame(camera: dict[str, Any], size: tuple[int, int], image: Path, matrix: Doubles) -> Frame:
    lens, (width, height) = lens_of(camera), size
    fl_x, fl_y = focal_lengths(camera, width, height)
    return Frame(
        image=image,
        camera_to_world=matrix,
        fl_x=fl_x,
        fl_y=fl_y,
        is_size_told="w" in camera and "h" in camera,
        cx=number(camera, "cx", width / 2),
        cy=number(camera, "cy", height / 2),
        width=width,
        height=height,
        camera_model="OPENCV" if lens.model in PERSPECTIVE else lens.model,
        distortion=lens.distortion,
        more_distortion=lens.more,
        time=number(camera, "time") if "time" in camera else None,
        source=str(camera.get("source", "")),
    )


def _with_depth(root: Path, frame: Frame, name: Any) -> Frame:
    return replace(frame, depth=inside(root, name)) if name else frame


def _masked(root: Path, frames: list[Frame], names: Sequence[Any]) -> tuple[list[Frame], list[str]]:
    """The frames with the masks of these names, and which are spelled otherwise than their
    files.
    """
    places, respelled = locate(root, [name for name in names if name], masks=True)
    return [
        replace(f, mask=places[name]) if name else f for f, name in zip(frames, names, strict=True)
    ], respelled


def read(path: Path) -> Capture:
    """The capture at a folder or a transforms.json. Pictures need not exist; `require_images`
    sees to that.
    """
    file = find_transforms(path)
    if file is None:
        refuse_archive(path)
        raise InputError(
            f"{path} holds no transforms.json.", "Run `cameras` first, and give its output folder."
        )
    data, root = load_json(file), file.parent
    records, no_name = ordered_records(data)
    names = [r["file_path"] for r in records]
    places, respelled = locate(root, list(dict.fromkeys(names)))
    poses, no_pose = usable_poses(records)
    poses, repeated = without_repeats(poses, records, places)
    shared = {k: v for k, v in data.items() if k != "frames"}

    def frame_of(index: int) -> Frame:
        camera, image = {**shared, **records[index]}, places[names[index]]
        return _frame(camera, _size(places, camera, image), image, poses[index])

    usable, no_lens = with_usable_lenses(list(poses), records, frame_of)
    frames = [
        _with_depth(root, f, {**shared, **records[i]}.get("depth_file_path"))
        for i, f in usable.items()
    ]
    masks = [records[index].get("mask_path") for index in usable]
    frames, masks_respelled = _masked(root, frames, masks)
    frames, world, points_offset, moved = recentred(frames, data)
    said = [no_name, no_pose, *repeated, no_lens, moved, other_lists(file)]
    if other := [*respelled, *masks_respelled]:
        said.append(
            f"{len(other)} files are spelled otherwise in {file.name} than on disk and were found "
            f"by name: {listed(other)}."
        )
    ply = data.get("ply_file_path")
    points = inside(root, ply) if ply else root / "points3D.ply"
    if ply and not points.is_file():
        said.append(f"The points {points.name} that {file.name} names are not there.")
    told = tuple(text for text in said if text)
    return Capture(
        root=root,
        frames=frames,
        points=points if points.is_file() else None,
        reading=Reading(world=world, points_offset=points_offset, told=told),
        fps=_told_rate(data),
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


def files_of(capture: Capture) -> list[Path]:
    """Pictures, masks, depth maps and points that the capture names, there or not."""
    named = [path for f in capture.frames for path in (f.image, f.mask, f.depth)]
    return [path for path in (*named, capture.points) if path is not None]


def _record(root: Path, f: Frame) -> dict[str, Any]:
    record: dict[str, Any] = {"file_path": f.image.relative_to(root).as_posix()}
    record |= {"fl_x": f.fl_x, "fl_y": f.fl_y, "cx": f.cx, "cy": f.cy, "w": f.width, "h": f.height}
    if f.camera_model != "OPENCV":
        record["camera_model"] = f.camera_model
    record |= {k: v for k, v in zip(DISTORTION, f.distortion, strict=True) if v}
    record |= {k: v for k, v in zip(MORE_DISTORTION, f.more_distortion, strict=True) if v}
    if f.time is not None:
        record["time"] = f.time
    if f.source:
        record["source"] = f.source
    if f.mask is not None:
        record["mask_path"] = f.mask.relative_to(root).as_posix()
    if f.depth is not None:
        record["depth_file_path"] = f.depth.relative_to(root).as_posix()
    return {**record, "transform_matrix": f.camera_to_world.tolist()}


def _world(world: World) -> dict[str, Any]:
    """`offset` is what to add for the coordinates that the cameras were solved in;
    `applied_transform` says the same in nerfstudio's words, of whatever else was applied too.
    """
    said: dict[str, Any] = {}
    applied = world.applied
    if world.offset.any():
        said["offset"] = world.offset.tolist()
        if applied is None:
            applied = np.concatenate([np.eye(3), -world.offset[:, None]], 1)
    return said if applied is None else {**said, "applied_transform": applied.tolist()}


def write(
    root: Path,
    frames: list[Frame],
    points: Path | None,
    *,
    world: World | None = None,
    fps: float = 0.0,
) -> None:
    """Writes transforms.json into `root`, under which the pictures must lie; `fps` of their video,
    0 where there is none.
    """
    records = [_record(root, f) for f in frames]
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
        **(_world(world) if world else {}),
        "frames": slim,
    }
    (root / "transforms.json").write_text(
        json.dumps(data, indent=1, allow_nan=False), encoding="utf-8"
    )
