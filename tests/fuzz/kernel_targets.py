"""The CPU kernels, called with splats, cameras and sizes that the bytes of the input decide:
hostile numbers are computed, hostile shapes are refused.
"""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.gaussians import kernels, rasterize
from backend.gaussians.options import Drawables, RasterOptions, RasterView

from .target import Target

VALUES = (float("nan"), float("inf"), -float("inf"), 0.0, -1.0, 1e-38, 1e10, 3e38, -3e38, 1e20)
WRONG = 0.15  # the share of calls with an array of another shape or type


def _array(rng: random.Random, *shape: int) -> Tensor:
    values = torch.rand(*shape, generator=torch.Generator().manual_seed(rng.randrange(2**31))) * 2
    flat = values.view(-1)
    for _ in range(rng.choice((0, 0, 1, 3, 20))):
        if len(flat):
            flat[rng.randrange(len(flat))] = rng.choice(VALUES)
    return values


def _wrong(rng: random.Random, tensor: Tensor) -> Tensor:
    return rng.choice((
        tensor[:-1], tensor[..., :-1], tensor[None], tensor.long(), tensor.double(),
        tensor.to_sparse(), torch.cat([tensor, tensor]), tensor.expand(2, *tensor.shape),
        tensor.mT if tensor.dim() > 1 else tensor[::2], torch.zeros(0),
    ))  # fmt: skip


def _scene(rng: random.Random) -> tuple[Drawables, RasterView]:
    count = rng.choice((0, 1, 2, 5, 40))
    degree = rng.choice((None, 0, 1, 2, 3, 3, 4, -1))
    held = max(0, (degree or 0) + rng.choice((1, 1, 1, 0))) ** 2
    shape = (count, 3) if degree is None else (count, held, 3)
    arrays = [_array(rng, count, 3), _array(rng, count, 4), _array(rng, count, 3)]
    arrays += [_array(rng, count), _array(rng, *shape), _array(rng, 4, 4), _array(rng, 3, 3)]
    arrays += [_array(rng, 3)]
    if rng.random() < 0.7:
        arrays[5], arrays[6] = torch.eye(4), torch.tensor([[20.0, 0, 8], [0, 20, 8], [0, 0, 1]])
        arrays[0][:, 2] += 2
    for index, array in enumerate(arrays):
        if rng.random() < WRONG / len(arrays) * (array.dim() > 0):
            arrays[index] = _wrong(rng, array)
    side = (0, 1, 15, 16, 17, 40, 100, -3, 2**24 + 1, 2**32 + 16)
    width, height = (rng.choice(side[:7] if rng.random() < 0.95 else side) for _ in range(2))
    names = ("means", "quats", "scales", "opacities", "colors")
    gaussians = Drawables(**dict(zip(names, arrays, strict=False)))
    view = RasterView(
        viewmat=arrays[5], K=arrays[6], width=width, height=height, sh_degree=degree,
        background=arrays[7],
    )  # fmt: skip
    return gaussians, view


def _options(rng: random.Random) -> RasterOptions:
    chosen: dict[str, Any] = {"rasterize_mode": rng.choice(("classic", "antialiased"))}
    chosen["traced"] = rng.random() < 0.5
    for name in ("near_plane", "far_plane", "eps2d", "alpha_threshold", "max_alpha"):
        if rng.random() < 0.1:
            chosen[name] = rng.choice(VALUES)
    return RasterOptions(**chosen)


def call(path: Path) -> None:
    """Forwards, backwards, both uses of labels, and the loss. What is refused is refused with a
    ValueError, before a pointer is taken.
    """
    rng, native = random.Random(path.read_bytes()), rasterize.cpu_kernels()
    if native is None:
        raise RuntimeError("no compiled kernels")
    native.set_threads(rng.choice((1, 2, 3)))
    gaussians, view = _scene(rng)
    options = _options(rng)
    for step in (_draw, _regions, _labels, _loss):
        try:
            step(rng, native, gaussians, view, options)
        except ValueError:
            continue


def _draw(rng: random.Random, native: Any, gaussians: Drawables, view: RasterView,
          options: RasterOptions) -> None:  # fmt: skip
    if gaussians.means.is_floating_point():
        gaussians.means.requires_grad_(gaussians.means.is_leaf)
    image, alpha, *_ = kernels.rasterize_view(native, gaussians, view, rng.random() < 0.5, options)
    if image.requires_grad:
        (image.sum() + alpha.sum()).backward()


def _regions(rng: random.Random, native: Any, gaussians: Drawables, view: RasterView,
             options: RasterOptions) -> None:  # fmt: skip
    size = (max(view.height, 0) % 4096, max(view.width, 0) % 4096)
    regions = np.full(size, rng.choice((-1, 0, 5, 2**31 - 1)), np.int32)
    regions[: size[0] // 2] = rng.randrange(-5, 5)
    other: tuple[Any, ...] = (regions, regions, regions, regions[1:], regions.astype(np.int64))
    regions = rng.choice(other)
    kernels.region_weights(native, gaussians, view, regions, options)


def _labels(rng: random.Random, native: Any, gaussians: Drawables, view: RasterView,
            options: RasterOptions) -> None:  # fmt: skip
    count = rng.choice((0, 1, 3, 1000, -1))
    labels = np.array([rng.randrange(-2, max(count, 1)) for _ in gaussians.means], np.int32)
    if rng.random() < WRONG:
        other: tuple[Any, ...] = (labels[1:], labels.astype(np.int64), labels + 999)
        labels = rng.choice(other)
    kernels.label_map(native, gaussians, view, labels, count, options)


def _loss(rng: random.Random, native: Any, *_unused: object) -> None:
    image = _array(rng, rng.choice((0, 1, 11, 40)), rng.choice((0, 1, 5, 33)), 3)
    target = _wrong(rng, image) if rng.random() < WRONG else _array(rng, *image.shape)
    kernels.fused_l1_dssim(native)(image.requires_grad_(True), target, rng.random())[0].backward()


def _any(folder: Path) -> None:
    (folder / "scene.bin").write_bytes(bytes(range(16)))


TARGETS = (Target(name="kernels", file="scene.bin", make=_any, read=call, share=6, sanitized=True),)
