"""Training pictures in memory with their cameras, at the size that the budget affords and at half
of it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..formats.capture import Capture, Frame
from ..gaussians.frame_views import intrinsics_at, viewmat_of
from ..media.beyond import beyond
from ..media.frames import to_eight_bit
from ..media.holdout import held_out
from ..media.open_image import opened
from ..media.picture_fit import same_shape
from ..protocol import InputError


@dataclass(frozen=True, kw_only=True)
class TrainingView:
    """One camera with its picture at one size."""

    name: str
    pixels: Tensor  # (H, W, 3 or 4) uint8
    viewmat: Tensor  # (4, 4)
    K: Tensor  # (3, 3)
    mask: Tensor | None = None  # (H, W) bool; False where the picture shows what is not wanted

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def target(self, background: Tensor, device: str) -> Tensor:
        """(H, W, 3) in 0..1, a transparent picture laid over `background` (3,)."""
        values = self.pixels.to(device).float() / 255
        if values.shape[2] == 3:
            return values
        return values[..., :3] * values[..., 3:] + background * (1 - values[..., 3:])

    def forgiving(self, target: Tensor, image: Tensor) -> Tensor:
        """The target, equal to the rendering where the mask says that the picture does not
        count.
        """
        return (
            target
            if self.mask is None
            else torch.where(self.mask.to(image.device)[..., None], target, image.detach())
        )


@dataclass(frozen=True, kw_only=True)
class ViewSet:
    """All views at full and at half size; training never sees those whose indices are in `held_out`
    and `beyond`.
    """

    full: list[TrainingView]
    half: list[TrainingView]
    training: list[int]
    held_out: list[int]  # between others
    extent: float  # radius of the cameras' positions, the scene's measure
    transparent: bool
    beyond: list[int] = field(default_factory=list)  # at one end of the cameras' path

    @property
    def eyes(self) -> Tensor:
        """(V, 3) where the cameras of the training are."""
        matrices = torch.stack([self.full[i].viewmat for i in self.training])
        return -(matrices[:, :3, :3].transpose(1, 2) @ matrices[:, :3, 3:])[..., 0]


def _shrink(pixels: np.ndarray, width: int, height: int) -> Tensor:
    """Averages over pixel areas, as a sensor of fewer pixels would."""
    image = Image.fromarray(pixels)
    if image.mode == "RGBA":  # colours of transparent pixels must not bleed in
        image = image.convert("RGBa").resize((width, height), Image.Resampling.BOX).convert("RGBA")
    else:
        image = image.resize((width, height), Image.Resampling.BOX)
    return torch.from_numpy(np.array(image))


def _load(frame: Frame) -> np.ndarray:
    with opened(frame.image) as image:
        transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        return np.array(to_eight_bit(image).convert("RGBA" if transparent else "RGB"))


def _view(frame: Frame, pixels: np.ndarray, width: int, height: int) -> TrainingView:
    small = (
        _shrink(pixels, width, height)
        if (width, height) != pixels.shape[1::-1]
        else torch.from_numpy(pixels)
    )
    return TrainingView(
        name=frame.image.name,
        pixels=small,
        viewmat=viewmat_of(frame),
        K=intrinsics_at(frame, width, height),
        mask=_mask(frame, width, height),
    )


def _mask(frame: Frame, width: int, height: int) -> Tensor | None:
    """White counts, black does not; a pixel that was half masked does not."""
    if frame.mask is None:
        return None
    with opened(frame.mask, "mask") as image:
        small = image.convert("L").resize((width, height), Image.Resampling.BOX)
    return torch.from_numpy(np.asarray(small) > 254)


def _sizes(width: int, height: int, max_pixels: int) -> tuple[tuple[int, int], tuple[int, int]]:
    scale = min(1.0, math.sqrt(max_pixels / (width * height)))
    full = max(1, round(width * scale)), max(1, round(height * scale))
    return full, (max(1, full[0] // 2), max(1, full[1] // 2))


def load_views(
    capture: Capture,
    max_pixels: int,
    holdout: int,
    progress: Callable[[int, int], None],
    hold_out_an_end: bool = False,
) -> ViewSet:
    """Reads every picture of the capture; InputError for one that can't be used."""
    full, half, transparent = [], [], False
    for index, frame in enumerate(capture.frames):
        if not frame.is_pinhole:
            raise InputError(
                "The capture's pictures have lens distortion.",
                "Run `cameras` on it first: that undistorts them.",
            )
        pixels = _load(frame)
        if not same_shape((pixels.shape[1], pixels.shape[0]), (frame.width, frame.height)):
            sizes = (
                f"{pixels.shape[1]} x {pixels.shape[0]} pixels, its camera {frame.width} x "
                f"{frame.height}"
            )
            raise InputError(
                f"The picture {frame.image.name} has {sizes}.",
                "Put the picture back that the camera was solved for.",
            )
        transparent |= pixels.shape[2] == 4
        large, small = _sizes(pixels.shape[1], pixels.shape[0], max_pixels)
        full.append(_view(frame, pixels, *large))
        half.append(_view(frame, pixels, *small))
        progress(index + 1, len(capture.frames))
    places = np.stack([f.camera_to_world[:3, 3] for f in capture.frames])
    centers = torch.tensor(places, dtype=torch.float32)
    extent = float((centers - centers.mean(0)).norm(dim=1).max()) * 1.1
    end = beyond(places) if hold_out_an_end else []
    path = [i for i in range(len(full)) if i not in set(end)]
    held = [path[i] for i in held_out(len(path), holdout)]
    training = [i for i in path if i not in set(held)]
    return ViewSet(
        full=full,
        half=half,
        training=training,
        held_out=held,
        beyond=end,
        extent=extent if extent > 1e-6 else 1.0,
        transparent=transparent,
    )
