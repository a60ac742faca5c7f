"""Splats for Blender's own renderer: our pictures beside what its rules give without noise."""

import math
from dataclasses import fields, replace

import pytest
import torch
from helpers.dense_reference import rasterize_dense
from helpers.ray_traced import ray_traced

from backend.gaussians.options import Drawables, RasterOptions, RasterView, as_cycles_draws
from backend.gaussians.rasterize import rasterize

SIZE, FOCAL = (48, 32), 40.0
CYCLES = as_cycles_draws(RasterOptions(rasterize_mode="antialiased"))


def view() -> RasterView:
    K = torch.tensor([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]])
    return RasterView(
        viewmat=torch.eye(4), K=K, width=SIZE[0], height=SIZE[1], sh_degree=0,
        background=torch.zeros(3),
    )  # fmt: skip


def drawn(gaussians: Drawables, options: RasterOptions) -> torch.Tensor:
    v = view()
    g, (width, height) = gaussians, SIZE
    found = rasterize(
        g.means, g.quats, g.scales, g.opacities, g.colors, v.viewmat[None], v.K[None], width,
        height, sh_degree=0, options=options,
    )  # fmt: skip
    return found.image[0].double()


def walls(count: int = 500) -> Drawables:
    """Faint wide discs, dark before bright, at all slants."""
    g = torch.Generator().manual_seed(3)
    means = torch.randn(count, 3, generator=g) * torch.tensor([1.2, 0.8, 0.5]) + torch.tensor(
        [0, 0, 4.0]
    )
    scales = torch.rand(count, 3, generator=g) * torch.tensor([0.25, 0.25, 0.03]) + 0.01
    dark = (means[:, 2] < 4)[:, None].expand(-1, 3)
    colors = torch.where(dark, -1.6, 1.3)[:, None]
    quats = torch.randn(count, 4, generator=g)
    opacities = 0.05 + 0.4 * torch.rand(count, generator=g)
    return Drawables(means=means, quats=quats, scales=scales, opacities=opacities, colors=colors)


def error(first: torch.Tensor, second: torch.Tensor) -> float:
    return float((first - second).square().mean())


def test_pictures_come_near_to_what_cycles_gives() -> None:
    """Each of the rules has a part in it."""
    scene = walls()
    truth = ray_traced(scene, view(), rays=2)[0]
    plain = RasterOptions(rasterize_mode="antialiased", blend="linear")
    ours = error(drawn(scene, CYCLES), truth)
    assert ours < error(drawn(scene, plain), truth) / 4
    for change in (
        replace(CYCLES, traced=False),
        replace(CYCLES, alpha_threshold=plain.alpha_threshold),
        replace(CYCLES, eps2d=plain.eps2d),
        replace(CYCLES, blend="srgb"),
    ):
        assert ours < error(drawn(scene, change), truth)


@pytest.mark.parametrize("slant", [-1.0, 1.0])
def test_a_slanted_disc_is_met_where_the_ray_meets_it(slant: float) -> None:
    """Its centre lies behind a small dark splat; on one side of it the disc comes first."""
    turn = torch.tensor(slant * 0.2)
    quats = torch.stack([turn.cos(), turn * 0, turn.sin(), turn * 0])[None]
    quats = torch.cat([quats, torch.tensor([[1.0, 0, 0, 0]])])
    means = torch.tensor([[0.0, 0, 4.1], [0.8, 0, 4.0]])
    scales = torch.tensor([[0.8, 0.8, 0.01], [0.1, 0.1, 0.1]])
    colors = torch.tensor([[[1.5] * 3], [[-1.7] * 3]])
    scene = Drawables(
        means=means, quats=quats, scales=scales, opacities=torch.full((2,), 0.95), colors=colors
    )
    x, y = (round(0.8 / 4 * FOCAL + SIZE[0] / 2), SIZE[1] // 2)
    picture, truth = drawn(scene, CYCLES), ray_traced(scene, view())[0]
    assert float(picture[y, x, 0]) == pytest.approx(float(truth[y, x, 0]), abs=0.06)
    by_centres = drawn(scene, replace(CYCLES, traced=False))[y, x, 0]
    in_front = slant > 0
    assert (abs(float(by_centres - truth[y, x, 0])) > 0.3) == in_front


@pytest.mark.parametrize("opacity", [0.008, 0.03, 0.1, 0.9])
def test_splats_end_where_cycles_has_them_end(opacity: float) -> None:
    """Along the longest axis they are drawn down to 0.01 (measured in Cycles 5.3: at 1.46 to 1.5,
    2.1 to 2.2 deviations of opacities 0.03 and 0.1), so fainter ones not at all.
    """
    scales = torch.tensor([[0.4, 0.1, 0.1]])
    scene = Drawables(
        means=torch.tensor([[0.0, 0, 4]]), quats=torch.tensor([[1.0, 0, 0, 0]]), scales=scales,
        opacities=torch.tensor([opacity]), colors=torch.ones(1, 1, 3),
    )  # fmt: skip
    row = drawn(scene, CYCLES)[SIZE[1] // 2, :, 0]
    ends = math.sqrt(max(0.0, 2 * math.log(opacity / 0.01))) * 0.4 / 4 * FOCAL
    lit = (row > 0).nonzero()[:, 0].double() + 0.5 - SIZE[0] / 2
    assert (float(lit.max()) if len(lit) else 0.0) == pytest.approx(ends, abs=1.0)


def test_a_pixel_that_meets_thousands_has_them_in_order() -> None:
    """Slanted discs through one another, each pixel's order of its own."""
    count = 3000
    g = torch.Generator().manual_seed(1)
    scene = Drawables(
        means=torch.randn(count, 3, generator=g) * 0.05 + torch.tensor([0, 0, 4.0]),
        quats=torch.randn(count, 4, generator=g),
        scales=torch.tensor([[0.8, 0.8, 0.02]]).expand(count, 3),
        opacities=torch.full((count,), 0.02),
        colors=torch.randn(count, 1, 3, generator=g),
    )
    v, options = view(), replace(CYCLES, blend="srgb")
    truth = rasterize_dense(*_exact(scene, v), options)[0][..., :3]
    assert float((drawn(scene, options) - truth).abs().max()) < 1e-3


def _exact(scene: Drawables, view: RasterView) -> tuple[Drawables, RasterView]:
    doubles = Drawables(**{f.name: getattr(scene, f.name).double() for f in fields(scene)})
    return doubles, replace(
        view, viewmat=view.viewmat.double(), K=view.K.double(), background=torch.zeros(3).double()
    )
