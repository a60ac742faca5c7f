"""Splats split into tiles look as they did."""

import numpy as np
import pytest
import torch
from helpers.cut_scenes import discs

from backend.cutting.splitting import BINS, COUNTS, split, tile_size, tiles
from backend.formats.splat_arrays import SplatArrays, opacities_of
from backend.gaussians.model import from_arrays
from backend.gaussians.rasterize import rasterize


@pytest.mark.parametrize("count", COUNTS[1:])
@pytest.mark.parametrize("opacity", [0.05, 0.5, 0.9, 0.99])
def test_tiles_hide_what_the_splat_hid(count: int, opacity: float) -> None:
    """Mass: the integral of alpha; and its second moment: how wide it is."""
    which = int(opacity * BINS)
    cut = tiles(count, which)
    x = np.linspace(-5, 5, 2001)
    one = (which + 0.5) / BINS * np.exp(-0.5 * x**2)
    bells = np.exp(-0.5 * ((x[None] - cut.offsets[:, None]) / cut.size) ** 2)
    many = 1 - (1 - cut.opacities[:, None] * bells).prod(0)
    assert many.sum() == pytest.approx(one.sum(), rel=0.01)
    assert (many * x**2).sum() == pytest.approx((one * x**2).sum(), rel=0.03)
    assert np.abs(many - one).max() < 0.04
    assert cut.size == tile_size(count) < 1


def _some(count: int = 40) -> SplatArrays:
    random = np.random.default_rng(0)
    normals = random.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    arrays = discs(random.uniform(-1, 1, (count, 3)), normals, (0.3, 0.2), 0.8, (0.0, 0, 0))
    arrays.sh[:, 0] = random.normal(size=(count, 3))
    arrays.log_scales[:] = arrays.log_scales[:, [2, 0, 1]]  # whichever axis is the longest
    arrays.extra["views"] = np.arange(count, dtype=np.int32)
    return arrays


def _draw(arrays: SplatArrays) -> tuple[np.ndarray, np.ndarray]:
    model, viewmat = from_arrays(arrays), torch.eye(4)
    viewmat[2, 3] = 4
    K = torch.tensor([[300.0, 0, 128], [0, 300, 128], [0, 0, 1]])
    drawn = rasterize(
        model.means, model.quats, model.scales, model.opacities, model.sh(0),
        viewmat[None], K[None], 256, 256, sh_degree=0,
    )  # fmt: skip
    return drawn.image[0].numpy(), drawn.alpha[0].numpy()


@pytest.mark.parametrize("counts", [(5, 1), (9, 1), (5, 5)])
def test_tiles_draw_as_the_splats_did(counts: tuple[int, int]) -> None:
    arrays = _some()
    cut, source = split(arrays, np.tile(counts, (len(arrays), 1)))
    assert len(cut) == len(arrays) * counts[0] * counts[1]
    assert (cut.extra["views"] == source).all() and (cut.sh == arrays.sh[source]).all()
    (before, alpha), (after, covered) = _draw(arrays), _draw(cut)
    assert -10 * np.log10(((after - before) ** 2).mean()) > 33  # all of them, from any side
    assert covered.sum() == pytest.approx(alpha.sum(), rel=0.05)
    np.testing.assert_allclose(after.sum((0, 1)), before.sum((0, 1)), rtol=0.06)


def test_what_is_not_split_keeps_its_bits() -> None:
    arrays = _some(5)
    counts = np.ones((5, 2), int)
    counts[2, 0] = 5
    cut, source = split(arrays, counts)
    assert (np.bincount(source) == [1, 1, 5, 1, 1]).all()
    for name in ("means", "quats", "log_scales", "opacity_logits"):
        same = getattr(cut, name)[source != 2] == np.delete(getattr(arrays, name), 2, 0)
        assert np.all(same)
    mass = opacities_of(cut)[source == 2].max()
    assert 0 < mass < opacities_of(arrays)[2]
