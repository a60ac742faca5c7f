"""The free-topology mode: its networks, its rows, and the whole verb on the bending ball."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import turning_blob
from helpers.command_line import backend

from backend.dynamic_mesh.footage import load as footage
from backend.dynamic_mesh.free import fit as fitting, saved_fit
from backend.dynamic_mesh.free.config import FreeConfig
from backend.dynamic_mesh.free.fields import Deformation, FieldConfig
from backend.dynamic_mesh.free.model import deformed
from backend.dynamic_mesh.free.rows import spread_over_faces
from backend.dynamic_mesh.optimization.loop import make_clip
from backend.dynamic_mesh.surfaces.anchoring import AnchorConfig
from backend.dynamic_mesh.surfaces.poisson import PoissonConfig
from backend.formats import capture, mesh_frames
from tests.benchmarks import mesh_metrics as metrics


def test_networks_change_nothing_at_first() -> None:
    offsets = Deformation(FieldConfig(16, 3, 2, 2))(torch.randn(5, 3), 0.3)
    assert offsets.rows.shape == (5, 13) and not offsets.rows.any()


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> fitting.FreeFit:
    folder = tmp_path_factory.mktemp("free")
    turning_blob.write(folder / "clip", frames=12, size=48)
    clip = make_clip(footage.load(capture.read(folder / "clip"), None, 0.0))
    config = replace(
        FreeConfig(),
        steps=40,
        count=800,
        network=FieldConfig(16, 3, 2, 2),
        poisson=PoissonConfig(32, 0.8),
    )
    made = fitting.begin(clip.training, config, 0)
    while made.step < 32:  # past the beginning of anchoring
        assert np.isfinite(fitting.fit_step(made))
    return made


def test_anchoring_moves_rows_and_what_adam_remembers_alike(fit: fitting.FreeFit) -> None:
    view = fit.views[3]
    with torch.no_grad():
        now = deformed(fit.model.gaussians, fitting.change_at(fit, view.time))
        mesh = fitting.mesh_at(fit, now)
    assert mesh is not None
    before = len(fit.model.gaussians.means)
    plan = spread_over_faces(
        fit.model, fit.optimizer, now, mesh, view.time, AnchorConfig(), fit.generator
    )
    gaussians = fit.model.gaussians
    assert len(gaussians.means) == int(plan.kept.sum()) + len(plan.births) and before == len(
        plan.kept
    )
    for values in gaussians.named().values():
        assert len(values) == len(gaussians.means) and values.requires_grad
        assert all(
            state.shape == values.shape
            for key, state in fit.optimizer.state[values].items()
            if key != "step"
        )
    assert np.isfinite(fitting.fit_step(fit))


def test_a_fit_goes_on_where_it_was_saved(fit: fitting.FreeFit) -> None:
    tensors = {name: values.detach().clone() for name, values in saved_fit.state_of(fit).items()}
    again = saved_fit.restored(fit.views, fit.config, tensors, fit.step)
    losses = [(fitting.fit_step(fit), fitting.fit_step(again)) for _ in range(3)]
    assert all(one == other for one, other in losses)


@pytest.mark.process
def test_a_bending_ball_is_found_again_with_ids(tmp_path: Path) -> None:
    truth = turning_blob.write(tmp_path / "clip", frames=16, size=64)
    options = ["--mode", "free", "--preset", "fast", "--steps", "450"]
    done = backend("mesh", "--input", tmp_path / "clip", "--output", tmp_path / "mesh", *options)
    assert done.returncode == 0, done.stderr
    found = mesh_frames.read(tmp_path / "mesh" / mesh_frames.NAME)
    size, random = np.ptp(truth, axis=(0, 1)).max(), np.random.default_rng(0)
    faces = turning_blob.ball()[1]
    for frame, true in zip(found.frames[::5], truth[::5], strict=True):
        here, deform = (
            metrics.sample_surface(v, f, 3000, random)
            for v, f in ((frame.vertices, frame.faces), (true, faces))
        )
        assert metrics.chamfer(here, deform) < 0.06 * size
        assert frame.ids.max() < len(found.canonical)
    first, last = found.frames[0], found.frames[7]
    for frame, k in (
        (first, 0),
        (last, 7),
    ):  # an id is where the canonical mesh's vertex is carried
        assert (
            np.linalg.norm(found.canonical_tracks[k][frame.ids] - frame.vertices, axis=1).mean()
            < 0.06 * size
        )
    manifest = json.loads((tmp_path / "mesh" / "manifest.json").read_text())
    assert (
        manifest["metrics"]["iou"] > 0.8
        and manifest["metrics"]["one_topology"] < 1
        and manifest["metrics"]["cycle_error"] < 0.12
    )
