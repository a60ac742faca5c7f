"""Blending in linear light: the curve, and pictures against the formula."""

import pytest
import torch
from torch import Tensor

from backend.formats.splat_notes import SplatNotes
from backend.gaussians.light import linear_colors, linear_to_srgb, seen_colors, srgb_to_linear
from backend.gaussians.options import RasterOptions, RenderMode, as_cycles_draws, options_for
from backend.gaussians.rasterize import Rendering, rasterize

LINEAR = RasterOptions(blend="linear")
VIEWS = torch.eye(4).repeat(2, 1, 1)
VIEWS[:, 2, 3], VIEWS[1, 0, 3] = 3.0, 0.4
K = torch.tensor([[40.0, 0, 24], [0, 40.0, 16], [0, 0, 1]]).repeat(2, 1, 1)


def splats(count: int, coefficients: int = 16) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(0)
    return {
        "means": torch.randn(count, 3, generator=g) * 0.5,
        "quats": torch.randn(count, 4, generator=g),
        "scales": 0.2 * torch.rand(count, 3, generator=g) + 0.02,
        "opacities": torch.rand(count, generator=g) * 0.8 + 0.1,
        "colors": torch.randn(count, coefficients, 3, generator=g) * 0.3,
    }


def drawn(
    g: dict[str, Tensor],
    options: RasterOptions,
    mode: RenderMode = "RGB",
    backgrounds: Tensor | None = None,
) -> Rendering:
    shapes = g["means"], g["quats"], g["scales"], g["opacities"]
    return rasterize(
        *shapes, g["colors"], VIEWS, K, 48, 32, sh_degree=3, render_mode=mode, options=options,
        backgrounds=backgrounds,
    )  # fmt: skip


def test_a_degree_that_kernels_do_not_know_is_drawn() -> None:
    """As the colours that each view sees; without its last band as the third degree."""
    g = splats(80, 25)
    shapes = g["means"], g["quats"], g["scales"], g["opacities"]
    found = rasterize(*shapes, g["colors"], VIEWS, K, 48, 32, sh_degree=4)
    for view in range(2):
        colors = seen_colors(g["means"], g["colors"], VIEWS[view], 4)
        plain = rasterize(*shapes, colors, VIEWS[view, None], K[:1], 48, 32)
        assert torch.allclose(found.image[view], plain.image[0], atol=1e-6)
    g["colors"][:, 16:] = 0
    found = rasterize(*shapes, g["colors"], VIEWS, K, 48, 32, sh_degree=4)
    third = rasterize(*shapes, g["colors"], VIEWS, K, 48, 32, sh_degree=3)
    assert torch.allclose(found.image, third.image, atol=1e-5)


def test_the_curve_and_its_inverse() -> None:
    values = torch.linspace(0, 1.5, 301, dtype=torch.float64)
    assert torch.allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-7)
    assert float(srgb_to_linear(torch.tensor(0.5))) == pytest.approx(0.21404, abs=1e-5)
    zero = torch.zeros(1, requires_grad=True)
    linear_to_srgb(srgb_to_linear(zero)).backward()  # type: ignore[no-untyped-call]
    assert zero.grad is not None and float(zero.grad) == pytest.approx(1, abs=1e-4)


def test_splats_of_a_linear_scene_are_blended_in_linear_light() -> None:
    """Each view: its own colours, in linear light, through the plain rasteriser, and back."""
    g, ground = splats(80), torch.tensor([[0.9, 0.5, 0.1], [0.2, 0.2, 0.9]])
    found = drawn(g, LINEAR, backgrounds=ground)
    for view in range(2):
        colors = linear_colors(g["means"], g["colors"], VIEWS[view], 3)
        shapes = g["means"], g["quats"], g["scales"], g["opacities"]
        there = VIEWS[view, None], K[:1], 48, 32
        plain = rasterize(*shapes, colors, *there, backgrounds=srgb_to_linear(ground[view, None]))
        assert torch.allclose(found.image[view], linear_to_srgb(plain.image[0]), atol=1e-6)
        assert torch.equal(found.alpha[view], plain.alpha[0])
    assert (
        float((found.image - drawn(g, RasterOptions(), backgrounds=ground).image).abs().max())
        > 0.05
    )


def test_one_solid_splat_is_the_same_in_either_light() -> None:
    g = splats(1)
    g["means"], g["scales"] = torch.zeros(1, 3), torch.full((1, 3), 50.0)
    g["opacities"] = torch.ones(1)
    both = [drawn(g, options).image for options in (RasterOptions(), LINEAR)]
    assert torch.allclose(both[0], both[1], atol=2e-3)


@pytest.mark.parametrize("mode", ["D", "ED", "RGB+D", "RGB+ED"])
def test_depth_knows_no_light(mode: RenderMode) -> None:
    g = splats(40)
    assert torch.allclose(
        drawn(g, LINEAR, mode).image[..., -1], drawn(g, RasterOptions(), mode).image[..., -1]
    )


def test_gradients_are_those_of_differences() -> None:
    """Of colours, which lie behind the curve; the rest is the plain rasteriser's."""
    g = {name: value.requires_grad_(True) for name, value in splats(12).items()}
    weights = torch.rand(2, 32, 48, 3, generator=torch.Generator().manual_seed(1))

    def total(colors: Tensor) -> Tensor:
        return (drawn({**g, "colors": colors}, LINEAR).image * weights).double().sum()

    total(g["colors"]).backward()  # type: ignore[no-untyped-call]
    assert all(v.grad is not None and bool(torch.isfinite(v.grad).all()) for v in g.values())
    way = torch.randn(g["colors"].shape, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        up, down = (total(g["colors"] + step * way) for step in (0.01, -0.01))
    assert float((g["colors"].grad * way).sum()) == pytest.approx(float(up - down) / 0.02, rel=1e-3)


def test_files_say_how_they_are_drawn() -> None:
    assert options_for(SplatNotes()) == RasterOptions()
    assert options_for(SplatNotes(blend="linear")) == as_cycles_draws(RasterOptions())
    assert as_cycles_draws(RasterOptions()).blend == "linear"
    assert options_for(SplatNotes(antialiased=True)).rasterize_mode == "antialiased"
