"""Weights of Gaussians in regions: the kernel against the adjoint of the reference, and what they
must add up to.
"""

import numpy as np
import pytest
import torch
from helpers.scenes import NAMES, Scene, make_scene

from backend.gaussians import rasterize, region_weights
from backend.gaussians.options import Drawables, RasterOptions, RasterView

REGIONS = 40


def prepare(scene: Scene, dtype: torch.dtype) -> tuple[Drawables, RasterView]:
    leaves = {name: array.to(dtype) for name, array in scene.arrays.items()}
    view = RasterView(
        viewmat=leaves["viewmat"],
        K=scene.K.to(dtype),
        width=scene.width,
        height=scene.height,
        sh_degree=None,
        background=torch.zeros(3, dtype=dtype),
    )
    return Drawables(**{n: leaves[n] for n in NAMES[:5]}), view


def crumbs(scene: Scene) -> np.ndarray:
    """Small regions, some in several pieces, and a fifth of the pixels in none."""
    random = np.random.default_rng(0)
    patches = random.integers(-REGIONS // 4, REGIONS, (scene.height // 5 + 1, scene.width // 5 + 1))
    return (
        np.kron(patches, np.ones((5, 5), int))[: scene.height, : scene.width]
        .clip(-1)
        .astype(np.int32)
    )


@pytest.mark.parametrize(
    ("width", "height", "count", "options"),
    [
        (64, 48, 400, RasterOptions()),
        (70, 53, 3000, RasterOptions(rasterize_mode="antialiased")),
        (17, 5, 60, RasterOptions()),
        (64, 48, 400, RasterOptions(traced=True, alpha_threshold=1e-4)),
    ],
)
def test_kernel_agrees_with_the_adjoint_of_the_reference(
    width: int, height: int, count: int, options: RasterOptions
) -> None:
    if rasterize.cpu_kernels() is None:
        pytest.skip("no compiled kernels for this machine")
    scene = make_scene(width, height, count, None)
    regions = crumbs(scene)
    exact = region_weights.by_adjoint(*prepare(scene, torch.float64), regions, REGIONS, options)
    found = region_weights.region_weights(*prepare(scene, torch.float32), regions, REGIONS, options)
    assert found.shape == (count, REGIONS) and exact.sum() > 10
    np.testing.assert_allclose(found.toarray(), exact, atol=2e-3 * exact.max())
    np.testing.assert_allclose(found.sum(0), exact.sum(0)[None], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("options", [RasterOptions(), RasterOptions(traced=True)])
def test_labels_as_a_picture_agree_with_the_reference(options: RasterOptions) -> None:
    if rasterize.cpu_kernels() is None:
        pytest.skip("no compiled kernels for this machine")
    scene = make_scene(70, 53, 900, None)
    labels = np.random.default_rng(2).integers(-2, REGIONS, 900).clip(-1).astype(np.int32)
    exact, amount = region_weights.label_map(
        *prepare(scene, torch.float64), labels, REGIONS, options
    )
    found, share = region_weights.label_map(
        *prepare(scene, torch.float32), labels, REGIONS, options
    )
    np.testing.assert_allclose(share, amount, atol=1e-4)
    assert (found == exact).mean() > 0.999 and len(np.unique(exact)) > 10
    nothing, none = region_weights.label_map(
        *prepare(scene, torch.float32), np.full(900, -1, np.int32), 1, options
    )
    assert (nothing == -1).all() and (none == 0).all()


@pytest.mark.parametrize("options", [RasterOptions(), RasterOptions(traced=True)])
def test_weights_of_all_regions_add_up_to_the_opacity_of_the_picture(
    options: RasterOptions,
) -> None:
    scene = make_scene(64, 48, 400, None)
    gaussians, view = prepare(scene, torch.float32)
    whole = region_weights.region_weights(gaussians, view, np.zeros((48, 64), np.int32), 1, options)
    means, quats, scales, opacities, colors = gaussians.tensors()
    alpha = rasterize.rasterize(
        means,
        quats,
        scales,
        opacities,
        colors,
        view.viewmat[None],
        view.K[None],
        64,
        48,
        options=options,
    ).alpha
    assert float(whole.sum()) == pytest.approx(float(alpha.sum()), rel=1e-4)
    none = region_weights.region_weights(
        gaussians, view, np.full((48, 64), -1, np.int32), 1, options
    )
    assert none.nnz == 0
