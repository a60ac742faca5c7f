"""A mesh job that was stopped at any step ends, bit for bit, as one that was not; and gets past a
checkpoint that is none.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import turning_blob
from helpers.fake_verbs import Told

from backend import protocol
from backend.dynamic_mesh import mesh_verb
from backend.dynamic_mesh.mesh_verb import VERB, MeshOptions
from backend.dynamic_mesh.template import gaits
from backend.protocol import Event, Request
from backend.runtime import checkpoint, kept_stage
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder
from backend.runtime.job import run_job

STEPS = 14
FILES = {"tracked": "mesh.npz", "free": "mesh_frames.npz"}
SMALL = replace(
    mesh_verb.PRESETS["fast"],
    side=32,
    texture=32,
    faces=200,
    nodes=12,
    template_steps=30,
    template_gaussians=300,
    template_resolution=20,
    free_gaussians=300,
    free_cells=20,
)


class Stopping(Told):
    """Sets the token at a step of the fit."""

    def __init__(self, cancel: CancelToken, at: int) -> None:
        super().__init__()
        self.cancel, self.at = cancel, at

    def send(self, event: Event) -> None:
        """Keeps it, and stops."""
        super().send(event)
        if isinstance(event, protocol.Progress) and (event.total, event.step) == (STEPS, self.at):
            self.cancel.set()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip") / "a"
    turning_blob.write(folder, frames=8, size=40)
    return folder


def reconstruct(clip: Path, out: Path, mode: Any, stop_at: int = 0) -> Stopping:
    cancel = CancelToken()
    told = Stopping(cancel, stop_at)
    request = Request(
        verb="mesh",
        input=str(clip),
        options=MeshOptions(mode=mode, steps=STEPS),
        preset="fast",
        device="cpu",
        seed=2,
    )
    run_job(VERB, request, JobFolder.for_output(out), told, cancel)
    return told


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mesh_verb.PRESETS, "fast", SMALL)


@pytest.fixture(scope="module", params=["tracked", "free"])
def whole(request: Any, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp("whole") / request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(mesh_verb.PRESETS, "fast", SMALL)
        told = reconstruct(clip, out, request.param)
    assert isinstance(told.end, protocol.Result), told.end
    return request.param, out


@pytest.mark.parametrize("step", [1, 12])
def test_stopped_at_a_step_it_ends_the_same(
    step: int, whole: tuple[str, Path], clip: Path, tmp_path: Path
) -> None:
    mode, reference = whole
    out = tmp_path / "out"
    assert reconstruct(clip, out, mode, step).end == protocol.Cancelled(resumable=True)
    again = reconstruct(clip, out, mode)
    assert not [w for w in again.all(protocol.Warn) if w.code == "CHECKPOINT"]
    steps = [p.step for p in again.all(protocol.Progress) if p.total == STEPS]
    assert steps[0] == step + 2, "it stops at the next word after the wish, and goes on after it"
    assert (out / FILES[mode]).read_bytes() == (reference / FILES[mode]).read_bytes()


def test_a_gait_that_was_stopped_ends_the_same(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its nodes are spread anew, and behind that."""
    monkeypatch.setattr(gaits, "search_cycles", lambda *given: 2.0)
    monkeypatch.setattr(gaits, "misfit", lambda model, *given: 1.0 - len(model.motion.cycles))
    told = reconstruct(clip, tmp_path / "whole", "tracked")
    assert isinstance(told.end, protocol.Result), told.end
    manifest = json.loads((tmp_path / "whole" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["metrics"]["gait_cycles"] == pytest.approx(2.0, abs=0.1)
    for step in (3, 11):
        out = tmp_path / f"stopped_{step}"
        assert reconstruct(clip, out, "tracked", step).end == protocol.Cancelled(resumable=True)
        again = reconstruct(clip, out, "tracked")
        assert not [w for w in again.all(protocol.Warn) if w.code == "CHECKPOINT"]
        whole = tmp_path / "whole" / FILES["tracked"]
        assert (out / FILES["tracked"]).read_bytes() == whole.read_bytes()


def test_killed_before_the_first_step_was_kept_it_goes_on(
    whole: tuple[str, Path], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_stage, "LEAST", 0.0)  # every stage is worth a file
    mode, reference = whole
    out = tmp_path / "out"
    reconstruct(clip, out, mode, 3)
    state = out / ".job" / "checkpoint" / "state.safetensors"
    state.unlink()
    told = reconstruct(clip, out, mode)
    assert not [w for w in told.all(protocol.Warn) if w.code == "CHECKPOINT"]
    assert (out / FILES[mode]).read_bytes() == (reference / FILES[mode]).read_bytes()


def test_it_gets_past_a_checkpoint_that_is_none(
    whole: tuple[str, Path], clip: Path, tmp_path: Path
) -> None:
    mode, reference = whole
    out = tmp_path / "out"
    reconstruct(clip, out, mode, 8)
    state = out / ".job" / "checkpoint" / "state.safetensors"
    tensors, note = checkpoint.load(state)
    name = "faces" if mode == "tracked" else "gaussians/quats"
    harmed = tensors[name] + 100_000 if mode == "tracked" else tensors[name][:, :3]
    checkpoint.save(state, {**tensors, name: harmed}, note)
    told = reconstruct(clip, out, mode)
    (warned,) = (w for w in told.all(protocol.Warn) if w.code == "CHECKPOINT")
    assert "starts anew" in warned.text
    assert (out / FILES[mode]).read_bytes() == (reference / FILES[mode]).read_bytes()


def test_a_changed_picture_starts_anew(clip: Path, tmp_path: Path) -> None:
    """What was learned of the old pictures is in no result of the new ones."""
    own, out = tmp_path / "clip", tmp_path / "out"
    turning_blob.write(own, frames=8, size=40)
    reconstruct(own, out, "free", 8)
    picture = own / "images" / "003.png"
    (own / "images" / "004.png").write_bytes(picture.read_bytes())
    told = reconstruct(own, out, "free")
    (warned,) = (w for w in told.all(protocol.Warn) if w.code == "CHECKPOINT")
    assert "The input has changed" in warned.text
    fresh = tmp_path / "fresh"
    reconstruct(own, fresh, "free")
    assert (out / FILES["free"]).read_bytes() == (fresh / FILES["free"]).read_bytes()
