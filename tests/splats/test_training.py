"""Training on a small world with known cameras: it learns, it densifies, its parts do what their
equations say.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import clips
from helpers.command_line import backend
from helpers.small_training import NO_SURROUNDINGS

from backend.formats import splat_ply
from backend.gaussians import losses
from backend.gaussians.rasterize import cpu_kernels, rasterize
from backend.splats.config import DensifyConfig
from backend.splats.densify import Densifier, split_evenly
from backend.splats.initialization import thin


@pytest.mark.process
def test_training_learns_the_world(tmp_path: Path) -> None:
    clips.write_capture(tmp_path / "capture", 16)
    done = backend(
        "splats",
        "--input",
        tmp_path / "capture",
        "--output",
        tmp_path / "out",
        "--steps",
        "700",
        "--max-splats",
        "4000",
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["metrics"]["psnr"] > 16
    assert manifest["metrics"]["ssim"] > 0.5
    splats = splat_ply.read(tmp_path / "out" / "splats.ply")
    assert manifest["metrics"]["splats"] == len(splats) == 4000 - manifest["unsupported"]
    assert manifest["unsupported"] < 1200 and splats.extra["views"].min() >= 2
    assert manifest["curve"][-1]["psnr"] > manifest["curve"][0]["psnr"] + 2
    assert {p.name for p in (tmp_path / "out").iterdir() if p.name != ".job"} == {
        "manifest.json",
        "splats.ply",
        "heldout.png",
        "curve.json",
    }


@pytest.mark.parametrize("copies", [2, 3, 7])
def test_copies_look_like_the_one(copies: int) -> None:
    """Eq. 9 of 3DGS-MCMC keeps the Gaussian's blended light: its integral over the line of
    sight.
    """
    opacity, scales = torch.tensor([0.7]), torch.full((1, 3), 0.05)
    new_opacity, new_scales = split_evenly(opacity, scales, torch.tensor([copies]))
    size, K = 96, torch.tensor([[[96.0, 0, 48], [0, 96, 48], [0, 0, 1]]])

    def light(count: int, o: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        means = torch.tensor([[0.0, 0.0, 1.0]]).repeat(count, 1)
        quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1)
        args = (
            means,
            quats,
            s.repeat(count, 1),
            o.repeat(count),
            torch.ones(count, 3),
            torch.eye(4)[None],
            K,
            size,
            size,
        )
        return rasterize(*args).alpha[0, ..., 0]

    one, many = light(1, opacity, scales), light(copies, new_opacity, new_scales)
    assert many.max() == pytest.approx(float(one.max()), abs=0.01)
    assert float(many.sum() / one.sum()) == pytest.approx(1.0, abs=0.12)


def test_growth_reaches_its_limit() -> None:
    densifier = Densifier(DensifyConfig(), 3000, 4000, 30_000, torch.Generator(), NO_SURROUNDINGS)
    count = 4000.0
    for step in range(1, 1501):
        if densifier.is_due(step, 3000):
            count = min(30_000, np.ceil(count * densifier.growth))
    assert count == 30_000


def test_fused_loss_equals_the_torch_one() -> None:
    if cpu_kernels() is None:
        pytest.skip("no compiled kernels")
    g = torch.Generator().manual_seed(0)
    for size in ((45, 37), (4, 3), (1, 1), (11, 200)):
        image, target = (torch.rand(*size, 3, generator=g) for _ in range(2))
        x, y = image.clone().requires_grad_(True), image.double().requires_grad_(True)
        loss, similarity = losses.l1_dssim_for("cpu")(x, target, 0.2)
        reference, similarity2 = losses.l1_dssim_torch(y, target.double(), 0.2)
        loss.backward()
        reference.backward()
        assert float(loss.detach()) == pytest.approx(float(reference.detach()), rel=1e-5)
        assert float(similarity) == pytest.approx(float(similarity2), abs=1e-5)
        assert (x.grad - y.grad).norm() < 1e-5 * y.grad.norm()


def test_crowds_are_thinned_and_lone_points_stay() -> None:
    random = np.random.default_rng(0)
    lone = np.array([[30.0, 0, 0], [0, 40, 0], [0, 0, 1e6]], np.float32)
    points = np.concatenate([random.random((20_000, 3)).astype(np.float32), lone])
    kept = thin(points, 1000)
    assert 500 < len(kept) <= 1000
    assert set(range(20_000, 20_003)) <= set(kept.tolist())
    assert thin(points[:5], 10).tolist() == [0, 1, 2, 3, 4]
    assert len(thin(np.zeros((20, 3), np.float32), 10)) == 1
