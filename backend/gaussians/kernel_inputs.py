"""What the CPU kernels may be handed: every shape, type and size, looked at before any pointer is
taken. Beyond this file nothing knows how long an array is.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..protocol import InputError
from .options import RasterView

MOST = 2**31 - 1  # what the kernels count in
SIDE = 2**24  # pixels: float32 tells no more of them apart
TILE = 16  # pixels across; splat_kernels.cpp's
SH_DEGREE = 3
_ORDER = ("means", "quats", "scales", "opacities", "colors", "viewmat", "K", "background")


def check_scene(tensors: tuple[Tensor, ...], view: RasterView) -> None:
    """Of N Gaussians and one view: means (N, 3), quats (N, 4), scales (N, 3), opacities (N,),
    colors (N, 3) or with a degree (N, K, 3), viewmat (4, 4), K (3, 3), background (3,).

    Raises ValueError for what no caller may hand in, and InputError for a picture that is too
    large.
    """
    check_size(view.width, view.height)
    count = len(tensors[0]) if tensors[0].dim() else 0
    if count > MOST:
        raise InputError(f"{count:,} splats are too many for one picture.", "Split the scene.")
    shapes = [(count, 3), (count, 4), (count, 3), (count,), (count, 3), (4, 4), (3, 3), (3,)]
    if view.sh_degree is not None:
        shapes[4] = (count, _coefficients(tensors[4], view.sh_degree), 3)
    for name, tensor, shape in zip(_ORDER, tensors, shapes, strict=True):
        check_tensor(name, tensor, shape)


def _coefficients(colors: Tensor, degree: int) -> int:
    """How many a colour holds: at least those of its degree."""
    if degree not in range(SH_DEGREE + 1):
        raise ValueError(f"sh_degree must be 0 to {SH_DEGREE}, not {degree!r}")
    held = colors.shape[1] if colors.dim() == 3 else 0
    if not (degree + 1) ** 2 <= held <= MOST:
        raise ValueError(f"colors {tuple(colors.shape)} hold no harmonics of degree {degree}")
    return int(held)


def check_size(width: int, height: int) -> None:
    """Whether the kernels can count a picture's pixels and tiles. Raises ValueError, InputError."""
    if type(width) is not int or type(height) is not int or min(width, height) < 0:
        raise ValueError(f"a picture of {width!r} x {height!r} pixels")
    if max(width, height) > SIDE or -(-width // TILE) * -(-height // TILE) > MOST:
        raise InputError(
            f"A picture of {width:,} x {height:,} pixels is too large to be drawn.",
            "Choose a smaller resolution.",
        )


def check_tensor(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Raises ValueError unless it holds floats, densely, in this shape."""
    if tuple(tensor.shape) != shape:
        raise ValueError(f"{name} must be of shape {shape}, not {tuple(tensor.shape)}")
    if not tensor.is_floating_point() or tensor.layout is not torch.strided:
        raise ValueError(f"{name} must be a dense tensor of floats, not {tensor.dtype}")


def check_labels(name: str, labels: NDArray[np.int32], shape: tuple[int, ...]) -> None:
    """Raises ValueError unless they are int32 in this shape."""
    if labels.dtype != np.int32 or labels.shape != shape:
        raise ValueError(f"{name} must be int32 {shape}, not {labels.dtype} {labels.shape}")


def check_label_count(labels: NDArray[np.int32], count: int) -> None:
    """Raises ValueError unless every label is below `count`, which the kernels can count to."""
    if not 0 <= count <= MOST or (labels.size and int(labels.max()) >= count):
        raise ValueError(f"labels must be below their count, {count}")


def check_pictures(image: Tensor, target: Tensor) -> None:
    """Two (H, W, 3) of one size and at least a pixel. Raises ValueError, InputError."""
    if image.dim() != 3 or not image.numel():
        raise ValueError(f"image must be (H, W, 3), not {tuple(image.shape)}")
    height, width = image.shape[:2]
    check_size(width, height)
    check_tensor("image", image, (height, width, 3))
    check_tensor("target", target, (height, width, 3))
