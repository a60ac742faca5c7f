"""Splats and cameras of NaN, infinite and huge numbers: what can't be drawn is left out, and the
rest looks as it does without them.
"""

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers.scenes import NAMES, make_scene

from backend.gaussians import kernels, rasterize
from backend.gaussians.options import Drawables, RasterOptions, RasterView

BAD = (float("nan"), float("inf"), -float("inf"), 3e38, -3e38, 1e20)
DTYPES = (torch.float32, torch.float64)  # the kernels, and the reference
ARRAYS = NAMES[:5]


def prepare(dtype: torch.dtype, degree: int | None = 1) -> tuple[Drawables, RasterView]:
    scene = make_scene(40, 33, 60, degree)
    arrays = {name: scene.arrays[name].to(dtype) for name in NAMES}
    view = RasterView(
        viewmat=arrays.pop("viewmat"),
        K=scene.K.to(dtype),
        width=40,
        height=33,
        sh_degree=degree,
        background=scene.background.to(dtype),
    )
    return Drawables(**arrays), view


def draw(gaussians: Drawables, view: RasterView) -> rasterize.Rendering:
    if gaussians.means.dtype == torch.float32 and rasterize.cpu_kernels() is None:
        pytest.skip("no compiled kernels for this machine")
    means, quats, scales, opacities, colors = gaussians.tensors()
    return rasterize.rasterize(
        means, quats, scales, opacities, colors, view.viewmat[None], view.K[None], view.width,
        view.height, sh_degree=view.sh_degree, backgrounds=view.background[None],
        render_mode="RGB+D",
    )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("degree", [None, 1])
@pytest.mark.parametrize("name", ARRAYS)
def test_one_splat_that_is_no_splat(name: str, degree: int | None, dtype: torch.dtype) -> None:
    whole, view = prepare(dtype, degree)
    keep = torch.arange(60) != 7
    without = replace(whole, **{n: getattr(whole, n)[keep] for n in ARRAYS})
    wanted = draw(without, view)
    for value in BAD[:3]:
        array = getattr(whole, name).clone()
        array.view(60, -1)[7] = value
        drawn = draw(replace(whole, **{name: array}), view)
        assert torch.equal(drawn.image, wanted.image), f"{name} {value}"
        assert not drawn.radii[0, 7].any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_splat_larger_than_any_picture_covers_it(dtype: torch.dtype) -> None:
    """Its half axes of 1e10 pixels are no whole numbers that 32 bits hold."""
    gaussians, view = prepare(dtype, None)
    huge = replace(
        gaussians,
        means=torch.tensor([[0.0, 0, 3]], dtype=dtype),
        quats=torch.tensor([[1.0, 0, 0, 0]], dtype=dtype),
        scales=torch.full((1, 3), 1e8, dtype=dtype),
        opacities=torch.full((1,), 0.5, dtype=dtype),
        colors=torch.ones(1, 3, dtype=dtype),
    )
    view = replace(view, viewmat=torch.eye(4, dtype=dtype))
    drawn = draw(huge, view)
    assert torch.allclose(drawn.alpha, torch.tensor(0.5, dtype=dtype))
    assert drawn.radii.min() >= 10**9


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["viewmat", "K"])
def test_cameras_that_see_nothing(name: str, dtype: torch.dtype) -> None:
    gaussians, view = prepare(dtype)
    for value in BAD[:3]:
        nowhere: dict[str, Any] = {name: torch.full_like(getattr(view, name), value)}
        drawn = draw(gaussians, replace(view, **nowhere))
        assert (drawn.image[..., :3] == view.background).all() and not drawn.alpha.any()


def test_every_place_of_every_hostile_number_ends_in_a_picture() -> None:
    """Forwards, backwards, weights of regions: none has a right answer, but each has one."""
    native = rasterize.cpu_kernels()
    if native is None:
        pytest.skip("no compiled kernels for this machine")
    gaussians, view = prepare(torch.float32)
    regions = torch.zeros(33, 40, dtype=torch.int32).numpy()
    for name, value, mode in itertools.product((*NAMES, "K"), BAD, ("classic", "antialiased")):
        options = RasterOptions(rasterize_mode=mode)  # type: ignore[arg-type]
        owner = view if name in ("viewmat", "K") else gaussians
        array = getattr(owner, name).clone()
        array.view(-1)[:: max(1, array.numel() // 5)] = value
        g, v = (gaussians, view)
        if owner is view:
            v = replace(view, **{name: array})
        else:
            g = replace(gaussians, **{name: array})
        leaves = replace(g, means=g.means.clone().requires_grad_(True))
        image, alpha, *_ = kernels.rasterize_view(native, leaves, v, True, options)
        (image.sum() + alpha.sum()).backward()
        again = kernels.rasterize_view(native, g, v, True, options)
        assert torch.equal(image.detach(), again[0])
        assert alpha.min() >= 0 and image[..., :3].isfinite().all(), f"{name} {value}"
        kernels.region_weights(native, g, v, regions, options)
