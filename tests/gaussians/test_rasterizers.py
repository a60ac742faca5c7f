"""The CPU kernels and the torch rasteriser against the dense float64 reference: pictures and every
gradient.
"""

from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers.dense_reference import rasterize_dense
from helpers.scenes import NAMES, Scene, make_scene

from backend.gaussians import kernels, torch_reference
from backend.gaussians.options import Drawables, RasterOptions, RasterView, as_cycles_draws
from backend.gaussians.rasterize import rasterize
from backend.runtime.gsplat_probe import why_not_gsplat

CASES = [
    (64, 48, 400, 3, RasterOptions()),
    (70, 53, 3000, 3, RasterOptions()),
    (33, 40, 200, 1, RasterOptions()),
    (41, 37, 200, 0, RasterOptions()),
    (17, 5, 60, 2, RasterOptions()),
    (53, 31, 300, None, RasterOptions()),
    (53, 31, 300, 3, RasterOptions(rasterize_mode="antialiased")),
    (53, 31, 300, 2, RasterOptions(eps2d=0.1, alpha_threshold=1e-3, max_alpha=0.99)),
    (41, 37, 200, 0, RasterOptions(traced=True)),
    (70, 53, 1500, 3, RasterOptions(traced=True, alpha_threshold=1e-4)),
    (53, 31, 300, 2, RasterOptions(traced=True, rasterize_mode="antialiased")),
    (41, 37, 200, 1, replace(as_cycles_draws(RasterOptions()), blend="srgb")),
]
VARIANTS = ["sse", "avx2", "avx512", "neon"]


def needs(variant: str) -> kernels.Kernels:
    best = kernels.Kernels.load()
    if best is None:
        pytest.skip("no compiled kernels for this machine")
    rank = VARIANTS.index(best.library.variant)
    if VARIANTS.index(variant) > rank or (variant != "neon") != (best.library.variant != "neon"):
        pytest.skip(f"this processor does not run {variant}")
    loaded = kernels.Kernels.load(variant)
    assert loaded is not None
    return loaded


def gradients(scene: Scene, options: RasterOptions, rasterizer, dtype: torch.dtype):  # type: ignore[no-untyped-def]
    """Picture with depth, alpha, and gradients of one random loss over both."""
    leaves = scene.leaves(dtype)
    g = torch.Generator().manual_seed(7)
    K, background = scene.K.to(dtype), scene.background.to(dtype)
    view = RasterView(
        viewmat=leaves["viewmat"],
        K=K,
        width=scene.width,
        height=scene.height,
        sh_degree=scene.sh_degree,
        background=background,
    )
    image, alpha = rasterizer(Drawables(**{n: leaves[n] for n in NAMES[:5]}), view, options)[:2]
    loss = (image * torch.randn(image.shape, generator=g).to(dtype)).sum()
    loss = loss + (alpha * torch.randn(alpha.shape, generator=g).to(dtype)).sum()
    loss.backward()
    grads = {n: leaf.grad.double() for n, leaf in leaves.items()}
    grads["viewmat"] = by_rigid_moves(grads["viewmat"], scene.arrays["viewmat"].double())
    return image.detach().double(), alpha.detach().double(), grads


def by_rigid_moves(grad: torch.Tensor, viewmat: torch.Tensor) -> torch.Tensor:
    """(4, 3) of turns and shifts of the camera: what a gradient by the single numbers of a matrix
    says beyond them means nothing, and depends on how the matrix is inverted.
    """
    turn = grad[:3] @ viewmat[:3].T
    return torch.cat([turn - turn.T, grad[None, :3, 3]])


def assert_close(
    scene: Scene, options: RasterOptions, rasterizer: Any, dtype: torch.dtype, tolerance: float
) -> None:
    image, alpha, grads = gradients(scene, options, rasterize_dense, torch.float64)
    image2, alpha2, grads2 = gradients(scene, options, rasterizer, dtype)
    assert alpha.mean() > 0.05, "an empty picture proves nothing"
    assert (image - image2).abs().max() < 3e-5 and (alpha - alpha2).abs().max() < 3e-6
    for name in NAMES:
        error = (grads[name] - grads2[name]).norm() / grads[name].norm()
        assert error < tolerance, f"gradient by {name}: relative error {error:.2e}"


def with_depth(loaded: kernels.Kernels):  # type: ignore[no-untyped-def]
    def run(gaussians: Drawables, view: RasterView, options: RasterOptions):  # type: ignore[no-untyped-def]
        return kernels.rasterize_view(loaded, gaussians, view, True, options)

    return run


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_kernels_match_dense_reference(variant: str, case: tuple) -> None:
    *scene, options = case
    assert_close(make_scene(*scene), options, with_depth(needs(variant)), torch.float32, 1e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch_reference_matches_dense_reference(case: tuple) -> None:
    *scene, options = case
    assert_close(make_scene(*scene), options, torch_reference.rasterize_view, torch.float64, 1e-10)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("options", [RasterOptions(), RasterOptions(traced=True)])
def test_any_number_of_threads_gives_the_same_bits(variant: str, options: RasterOptions) -> None:
    loaded, scene = needs(variant), make_scene(131, 97, 5000, 3)
    results = []
    for threads in (1, 2, 5):
        loaded.set_threads(threads)
        results.append(gradients(scene, options, with_depth(loaded), torch.float32))
    loaded.set_threads(2)
    for other in results[1:]:
        assert torch.equal(results[0][0], other[0]) and torch.equal(results[0][1], other[1])
        assert all(torch.equal(results[0][2][n], other[2][n]) for n in NAMES)


@pytest.mark.parametrize("mode", ["RGB", "D", "ED", "RGB+D", "RGB+ED"])
def test_render_modes_and_feature_channels(mode: Any) -> None:
    """Seven channels go through in threes; both CPU rasterisers agree on every mode and on two
    cameras at once.
    """
    scene = make_scene(40, 30, 200, None)
    scene.arrays["colors"] = torch.rand(200, 7, generator=torch.Generator().manual_seed(3)).double()
    results = []
    for dtype in (torch.float32, torch.float64):
        a = {n: x.to(dtype) for n, x in scene.arrays.items()}
        views = torch.stack([a["viewmat"], torch.eye(4, dtype=dtype)])
        Ks, backgrounds = scene.K.to(dtype).expand(2, 3, 3), torch.full((2, 7), 0.25, dtype=dtype)
        means, quats, scales, opacities, colors = (a[n] for n in NAMES[:5])
        drawn = rasterize(
            means, quats, scales, opacities, colors, views, Ks, 40, 30,
            render_mode=mode, backgrounds=backgrounds,
        )  # fmt: skip
        results.append(drawn.image.double())
    channels = {"RGB": 7, "D": 1, "ED": 1}.get(mode, 8)
    assert results[0].shape == (2, 30, 40, channels)
    assert (results[0] - results[1]).abs().max() < 2e-4


def test_nothing_in_sight() -> None:
    """No Gaussian at all, all behind the camera, and NaN or infinite ones: background, zero
    gradients, no crash.
    """
    for means in (
        torch.zeros(0, 3),
        torch.tensor([[0.0, 0, -2]]),
        torch.full((4, 3), float("nan")),
        torch.full((2, 3), 1e30),
    ):
        n = len(means)
        means.requires_grad_(True)
        ones = [torch.ones(n, 4), torch.ones(n, 3), torch.ones(n), torch.ones(n, 3)]
        quats, scales, opacities, colors = ones
        drawn = rasterize(
            means,
            quats,
            scales,
            opacities,
            colors,
            torch.eye(4)[None],
            torch.eye(3)[None] * 9,
            8,
            8,
            backgrounds=torch.full((1, 3), 0.5),
        )
        assert (drawn.image == 0.5).all() and (drawn.alpha == 0).all()
        drawn.image.sum().backward()
        assert means.grad is not None and (means.grad == 0).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("case", CASES[:6], ids=str)
def test_gsplat_matches_dense_reference(case: tuple) -> None:
    *scene, options = case
    assert why_not_gsplat() is None

    def on_cuda(
        gaussians: Drawables, view: RasterView, options: RasterOptions
    ) -> tuple[torch.Tensor, torch.Tensor]:
        means, quats, scales, opacities, colors = (
            getattr(gaussians, name).cuda() for name in NAMES[:5]
        )
        drawn = rasterize(
            means,
            quats,
            scales,
            opacities,
            colors,
            view.viewmat[None].cuda(),
            view.K[None].cuda(),
            view.width,
            view.height,
            sh_degree=view.sh_degree,
            backgrounds=view.background[None].cuda(),
            render_mode="RGB+D",
            options=options,
        )
        return drawn.image[0].cpu(), drawn.alpha[0, ..., 0].cpu()

    assert_close(make_scene(*scene), options, on_cuda, torch.float32, 1e-3)
