"""What is handed to the kernels by mistake is refused before any pointer is taken."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from helpers.scenes import NAMES, make_scene

from backend.gaussians import kernels, rasterize
from backend.gaussians.options import Drawables, RasterOptions, RasterView
from backend.protocol import InputError

COUNT, WIDTH, HEIGHT = 30, 20, 18


@pytest.fixture(name="native")
def _native() -> kernels.Kernels:
    native = rasterize.cpu_kernels()
    if native is None:
        pytest.skip("no compiled kernels for this machine")
    return native


def scene(degree: int | None = None) -> tuple[Drawables, RasterView]:
    made = make_scene(WIDTH, HEIGHT, COUNT, degree)
    arrays = {name: made.arrays[name].float() for name in NAMES}
    viewmat = arrays.pop("viewmat")
    view = RasterView(
        viewmat=viewmat,
        K=made.K.float(),
        width=WIDTH,
        height=HEIGHT,
        sh_degree=degree,
        background=torch.zeros(3),
    )
    return Drawables(**arrays), view


def draw(native: kernels.Kernels, gaussians: Drawables, view: RasterView) -> torch.Tensor:
    return kernels.rasterize_view(native, gaussians, view, True, RasterOptions())[0]


SHORT: dict[str, Any] = {
    "means": torch.zeros(COUNT, 2),
    "quats": torch.zeros(COUNT - 1, 4),
    "scales": torch.zeros(COUNT),
    "opacities": torch.zeros(COUNT, 1),
    "colors": torch.zeros(COUNT, 4),
}


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("degree", [None, 2])
def test_gaussians_of_other_shapes(native: kernels.Kernels, name: str, degree: int | None) -> None:
    gaussians, view = scene(degree)
    draw(native, gaussians, view)
    with pytest.raises(ValueError, match=name if name != "means" else "means|quats"):
        draw(native, replace(gaussians, **{name: SHORT[name]}), view)


@pytest.mark.parametrize(
    "changes",
    [
        {"viewmat": torch.eye(3)},
        {"viewmat": torch.zeros(4, 4, dtype=torch.int32)},
        {"K": torch.eye(2)},
        {"background": torch.zeros(2)},
        {"background": torch.zeros(3).to_sparse()},
        {"sh_degree": 4},
        {"sh_degree": -1},
        {"sh_degree": 3},  # 16 coefficients, and only 9 are there
        {"width": -1},
        {"height": 2.5},
        {"width": 2**32 + 20},  # ctypes would take the lower half
    ],
    ids=lambda changes: "-".join(f"{k}" for k in changes),
)
def test_views_that_are_none(native: kernels.Kernels, changes: dict[str, Any]) -> None:
    gaussians, view = scene(2)
    nine = replace(gaussians, colors=gaussians.colors[:, :9])
    assert draw(native, nine, view).shape == (HEIGHT, WIDTH, 4)
    with pytest.raises((ValueError, InputError)):
        draw(native, nine, replace(view, **changes))


@pytest.mark.parametrize(("width", "height"), [(2**24 + 1, 1), (1, 2**31), (2**24, 2**24)])
def test_pictures_beyond_counting(native: kernels.Kernels, width: int, height: int) -> None:
    gaussians, view = scene()
    with pytest.raises(InputError, match="too large"):
        draw(native, gaussians, replace(view, width=width, height=height))


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (0, 0)])
def test_pictures_without_pixels(native: kernels.Kernels, width: int, height: int) -> None:
    gaussians, view = scene()
    means = gaussians.means.requires_grad_(True)
    image = draw(native, gaussians, replace(view, width=width, height=height))
    image.sum().backward()
    assert image.shape == (height, width, 4)
    assert means.grad is not None and not means.grad.any()


def test_labels_and_regions(native: kernels.Kernels) -> None:
    gaussians, view = scene()
    options = RasterOptions()
    regions = np.zeros((HEIGHT, WIDTH), np.int32)
    assert len(kernels.region_weights(native, gaussians, view, regions, options))
    others: tuple[Any, ...] = (
        regions[1:],
        regions.ravel(),
        regions.astype(np.int64),
        regions + 0.5,
    )
    for wrong in others:
        with pytest.raises(ValueError, match="regions"):
            kernels.region_weights(native, gaussians, view, wrong, options)
    labels = np.arange(COUNT, dtype=np.int32)
    kernels.label_map(native, gaussians, view, labels, COUNT, options)
    few: Any
    for few, count in ((labels[1:], COUNT), (labels.astype(np.int64), COUNT), (labels, COUNT - 1)):
        with pytest.raises(ValueError, match="labels"):
            kernels.label_map(native, gaussians, view, few, count, options)
    for count in (-1, 2**31):
        with pytest.raises(ValueError, match="count"):
            kernels.label_map(native, gaussians, view, labels.clip(max=-1), count, options)


def test_pictures_of_unlike_sizes_have_no_loss(native: kernels.Kernels) -> None:
    loss = kernels.fused_l1_dssim(native)
    whole = torch.rand(8, 9, 3)
    assert loss(whole, whole, 0.2)[0] < 1e-6
    for image, target in (
        (whole, whole[1:]),
        (whole, whole[..., :2]),
        (whole[..., :1], whole[..., :1]),
        (whole[0], whole[0]),
        (whole[:0], whole[:0]),
        (whole, whole.int()),
    ):
        with pytest.raises(ValueError, match=r"image|target"):
            loss(image, target, 0.2)


def test_more_overlaps_than_can_be_counted_are_the_inputs_fault(native: kernels.Kernels) -> None:
    """A hundred thousand splats, each in all of 22,500 tiles."""
    _, view = scene()
    many = 100_000
    gaussians = Drawables(
        means=torch.tensor([[0.0, 0, 3]]).repeat(many, 1),
        quats=torch.ones(many, 4),
        scales=torch.full((many, 3), 1e8),
        opacities=torch.full((many,), 0.5),
        colors=torch.ones(many, 3),
    )
    view = replace(view, viewmat=torch.eye(4), width=2400, height=2400)
    with pytest.raises(InputError, match="overlap too often"):
        draw(native, gaussians, view)


def test_no_memory_is_told_in_torchs_words() -> None:
    with pytest.raises(kernels.KernelError, match="can't allocate memory"):
        kernels._check(2)
