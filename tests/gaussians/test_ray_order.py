"""Splats for Blender's own renderer: our pictures beside what its rules give without noise."""

from dataclasses import replace

import pytest
import torch
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
    """Each of the five rules has a part in it."""
    scene = walls()
    truth = ray_traced(scene, view(), rays=2)[0]
    plain = RasterOptions(rasterize_mode="antialiased", blend="linear")
    ours = error(drawn(scene, CYCLES), truth)
    assert ours < error(drawn(scene, plain), truth) / 4
    for change in (
        replace(CYCLES, order="centres"),
        replace(CYCLES, falloff="projected"),
        replace(CYCLES, reach=0, alpha_threshold=plain.alpha_threshold),
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
    by_centres = drawn(scene, replace(CYCLES, order="centres"))[y, x, 0]
    in_front = slant > 0
    assert (abs(float(by_centres - truth[y, x, 0])) > 0.3) == in_front
