"""A reconstruction's pictures through pinholes: colours, transparency and masks go the same way."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pycolmap
from PIL import Image

from ...media.open_image import opened
from .colmap_command import ColmapTask

PINHOLE = ("PINHOLE", "SIMPLE_PINHOLE")
CROPPED = 0.85  # share of a picture's side; what keeps less of it is told


@dataclass(frozen=True, kw_only=True)
class StraightPictures:
    """A model of pinhole cameras, the folder of its pictures, and that of their masks (NAME.png),
    where there are any.
    """

    model: pycolmap.Reconstruction
    images: Path
    masks: Path | None
    told: list[str]


def _channel_straight(
    names: list[str], channel: str, solved: Path, work: Path, task: ColmapTask
) -> Path:
    """Grey pictures in the folder `channel` of `work`, undistorted like the coloured ones."""
    target = work / f"undistorted-{channel}"
    pycolmap.undistort_images(
        target, solved, work / channel, image_names=names, jpeg_quality=100,
        num_threads=task.threads,
    )  # fmt: skip
    return target / "images"


def _straight_alpha(folder: Path, names: list[str], solved: Path, task: ColmapTask) -> None:
    """COLMAP keeps colours only: the transparency of pictures that have it is put back."""
    work = Path(task.work)
    clear = []
    for name in names:
        with opened(folder / name) as image:
            if "A" not in image.getbands():
                continue
            clear.append(name)
            (work / "alpha").mkdir(exist_ok=True)
            image.convert("RGBA").getchannel("A").save(work / "alpha" / name)
    if not clear:
        return
    alphas = _channel_straight(clear, "alpha", solved, work, task)
    for name in clear:
        place = work / "undistorted" / "images" / name
        with opened(place) as color, opened(alphas / name) as alpha:
            merged = color.convert("RGB")
            merged.putalpha(alpha.convert("L"))
        merged.save(place)


def _straight_masks(names: list[str], solved: Path, task: ColmapTask) -> Path | None:
    if not task.masks:
        return None
    work, straight = Path(task.work), Path(task.work) / "straight-masks"
    masked = [name for name in names if (Path(task.masks) / f"{name}.png").is_file()]
    for folder in (work / "mask-pictures", straight):
        folder.mkdir()
    for name in masked:
        with opened(Path(task.masks) / f"{name}.png") as mask:
            mask.convert("L").save(work / "mask-pictures" / name)
    if not masked:
        return None
    pictures = _channel_straight(masked, "mask-pictures", solved, work, task)
    for name in masked:
        with opened(pictures / name) as mask:
            hard = np.where(np.asarray(mask.convert("L")) > 127, 255, 0).astype(np.uint8)
        Image.fromarray(hard).save(straight / f"{name}.png")
    return straight


def _crops(before: pycolmap.Reconstruction, after: pycolmap.Reconstruction) -> list[str]:
    """Lenses whose straight pictures show much less."""
    said = []
    for camera_id, camera in before.cameras.items():
        straight = after.cameras[camera_id]
        if min(straight.width / camera.width, straight.height / camera.height) < CROPPED:
            said.append(
                f"Without the lens distortion {camera.width} x {camera.height} pixels become "
                f"{straight.width} x {straight.height}: the borders are lost."
            )
    return sorted(set(said))


def straighten(model: pycolmap.Reconstruction, task: ColmapTask) -> StraightPictures:
    """The pictures of `task.images` as pinhole cameras see them."""
    masks = Path(task.masks) if task.masks else None
    if all(camera.model.name in PINHOLE for camera in model.cameras.values()):
        return StraightPictures(model=model, images=Path(task.images), masks=masks, told=[])
    work = Path(task.work)
    solved = work / "solved"
    shutil.rmtree(solved, ignore_errors=True)
    solved.mkdir()
    model.write(solved)
    names = [image.name for image in model.images.values() if image.has_pose]
    pycolmap.undistort_images(
        work / "undistorted",
        solved,
        task.images,
        image_names=names,
        jpeg_quality=95,
        num_threads=task.threads,
    )
    _straight_alpha(Path(task.images), names, solved, task)
    straight = pycolmap.Reconstruction(work / "undistorted" / "sparse")
    return StraightPictures(
        model=straight,
        images=work / "undistorted" / "images",
        masks=_straight_masks(names, solved, task),
        told=_crops(model, straight),
    )
