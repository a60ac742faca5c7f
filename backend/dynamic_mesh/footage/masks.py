"""Where the object is in the pictures: from masks that are given for all or some of them, from
splats of it, from transparency, or from what was found to move by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from ...formats.capture import Capture, Frame
from ...formats.splats import files
from ...gaussians.model import Gaussians, from_arrays
from ...gaussians.rasterize import rasterize
from ...geometry.arrays import Flags, Pixels
from ...geometry.conventions import to_viewmat
from ...protocol import InputError
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .mask_images import find_mask, read_mask, read_unknown
from .placement import HALF
from .propagated_masks import Progress, carry

PROPAGATED_SIDE = 480  # pixels of the longer side of pictures along which masks are propagated


@dataclass(frozen=True)
class Masks:
    """`alphas` (H, W) 0..255, one a picture, of its size. `propagated`: how many pictures had none
    of their own. `unknown` (H, W): where something in front hides whether the object is there;
    None for nowhere; empty for nowhere in any picture.
    """

    alphas: list[Pixels]
    source: str
    propagated: int = 0
    unknown: list[Flags | None] = field(default_factory=list)


def find(
    capture: Capture,
    masks: Path | None,
    images: Sequence[Image.Image],
    progress: Progress = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Masks:
    """Of a capture in the order of time; InputError where nothing tells the object from the
    rest.
    """
    if masks is not None and masks.suffix.lower() == ".ply":
        return Masks(of_splats(masks, capture, progress, keeper), "splats")
    if masks is not None:
        return _given(capture, masks, images, progress, keeper)
    if all(p.mode in ("RGBA", "LA", "PA") for p in images):
        return Masks([np.asarray(p.convert("RGBA").getchannel("A")) for p in images], "alpha")
    if all(f.mask is not None for f in capture.frames):
        still = [
            read_mask(f.mask, p.size)
            for f, p in zip(capture.frames, images, strict=True)
            if f.mask is not None
        ]
        return Masks(
            [255 - s for s in still], "motion"
        )  # there, white is the world that stands still
    raise InputError(
        "Nothing says where the object is: no masks, no transparency, and nothing that moves by "
        "itself was found in this footage.",
        "Give a folder of masks (white is the object; a few are enough), or solve the cameras "
        "again so that moving things are masked.",
    )


def _given(
    capture: Capture,
    folder: Path,
    images: Sequence[Image.Image],
    progress: Progress,
    keeper: StageKeeper,
) -> Masks:
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder of masks.",
            "Choose a folder with white-on-black pictures named like the capture's.",
        )
    paths = [find_mask(folder, frame) for frame in capture.frames]
    known = [
        None if path is None else read_mask(path, p.size)
        for path, p in zip(paths, images, strict=True)
    ]
    unknown = [
        None if path is None else read_unknown(path, p.size)
        for path, p in zip(paths, images, strict=True)
    ]
    known = [
        m if m is None or u is None else np.where(u, np.uint8(0), m)
        for m, u in zip(known, unknown, strict=True)
    ]
    missing = sum(mask is None for mask in known)
    if missing == len(known):
        first = capture.frames[0].image.name
        raise InputError(
            f"The folder {folder.name} has no mask for {first}, nor for any other.",
            "Name masks like the pictures.",
        )
    if missing and len({p.size for p in images}) > 1:
        raise InputError(
            "Pictures of several sizes need a mask each.", "Give the masks that are missing."
        )
    if missing:
        alphas = _propagated(images, known, progress, keeper)
        if any(u is not None for u in unknown):
            unknown = _carried_unknown(images, known, unknown, keeper)
        return Masks(alphas, "given", missing, _some(unknown))
    return Masks([m for m in known if m is not None], "given", 0, _some(unknown))


def _some(unknown: list[Flags | None]) -> list[Flags | None]:
    return unknown if any(u is not None for u in unknown) else []


def _carried_unknown(
    images: Sequence[Image.Image],
    known: Sequence[Pixels | None],
    unknown: Sequence[Flags | None],
    keeper: StageKeeper,
) -> list[Flags | None]:
    """What hides the object, carried on like the object itself."""
    told: list[Pixels | None] = [
        None if m is None else np.zeros_like(m) if u is None else np.asarray(255 * u, np.uint8)
        for m, u in zip(known, unknown, strict=True)
    ]
    carried = _propagated(images, told, lambda step, total: None, keeper.inside("hidden"))
    hidden: list[Flags] = [share > HALF for share in carried]
    return [h if h.any() else None for h in hidden]


def _propagated(
    images: Sequence[Image.Image],
    known: Sequence[Pixels | None],
    progress: Progress,
    keeper: StageKeeper,
) -> list[Pixels]:
    """Masks for all pictures, which have one size, from those of some."""
    width, height = images[0].size
    scale = min(1.0, PROPAGATED_SIDE / max(height, width))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = [
        cv2.resize(np.asarray(p.convert("RGB")), size, interpolation=cv2.INTER_AREA) for p in images
    ]
    few = [None if m is None else cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in known]
    carried = carry(small, few, progress=progress, keeper=keeper)
    return [
        np.asarray(cv2.resize(f, (width, height), interpolation=cv2.INTER_LINEAR))
        if mask is None
        else mask
        for mask, f in zip(known, carried, strict=True)
    ]


@torch.no_grad()
def of_splats(
    path: Path,
    capture: Capture,
    progress: Progress = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> list[Pixels]:
    """What splats of the object, found by words or picked, cover in each picture."""
    gaussians = from_arrays(files.read(path))
    with keeper.rows("drawn-masks", Pixels) as rows:
        for frame in capture.frames[len(rows.values) :]:
            rows.add(_drawn(gaussians, frame))
            progress(len(rows.values), len(capture.frames))
    return rows.values


def _drawn(gaussians: Gaussians, frame: Frame) -> Pixels:
    viewmat, K = (
        torch.tensor(m, dtype=torch.float32)[None]
        for m in (to_viewmat(frame.camera_to_world), frame.K)
    )
    drawn = rasterize(
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        gaussians.opacities,
        torch.ones(len(gaussians), 3),
        viewmat,
        K,
        frame.width,
        frame.height,
    )
    return np.asarray((drawn.alpha[0, ..., 0] * 255).byte().numpy())
