"""The verb as a job runs it, in this process: what it tells, what it keeps, what it leaves."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from helpers import clips
from PIL import Image

from backend import protocol
from backend.formats import capture, points_ply, splat_ply
from backend.protocol import Event, Request
from backend.runtime import checkpoint
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder
from backend.runtime.job import run_job
from backend.splats import splats_job, trainer as training
from backend.splats.config import make_config
from backend.splats.splats_verb import VERB, SplatsOptions

STEPS = 24


@dataclass
class Recorder:
    """Everything that the job tells; `watch` may act upon it."""

    watch: Callable[[Event], object] = lambda event: None
    events: list[Event] = field(default_factory=list)

    def send(self, event: Event) -> None:
        self.events.append(event)
        self.watch(event)

    def all(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def end(self) -> Any:
        return self.events[-1]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("capture")
    clips.write_capture(folder, 9, (24, 18), 22.0)
    return folder


def train(
    source: Path,
    out: Path,
    watch: Callable[[Recorder, CancelToken, Event], object] = lambda *_: None,
    **options: Any,
) -> Recorder:
    values = {"steps": STEPS, "max_splats": 120, "sh_degree": 1, **options}
    cancel = CancelToken()
    recorder = Recorder(lambda event: watch(recorder, cancel, event))
    run_job(
        VERB,
        Request(
            verb="splats",
            input=str(source),
            options=SplatsOptions(**values),
            preset="fast",
            device="cpu",
            seed=1,
        ),
        JobFolder.for_output(out),
        recorder,
        cancel,
    )
    return recorder


@pytest.fixture(scope="module")
def done(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorder, Path]:
    out = tmp_path_factory.mktemp("out") / "a"
    return train(footage, out), out


def test_its_stages_and_its_progress(done: tuple[Recorder, Path]) -> None:
    told = done[0]
    stages = [(s.name, s.index, s.count) for s in told.all(protocol.Stage)]
    assert stages == [
        ("Loading the pictures", 1, 3),
        ("Training", 2, 3),
        ("Writing the splats", 3, 3),
    ]
    progress = told.all(protocol.Progress)
    assert [(p.step, p.total) for p in progress] == [(i, 9) for i in range(1, 10)] + [
        (i, STEPS) for i in range(1, STEPS + 1)
    ]
    assert progress[9].metrics.keys() == {"loss", "splats"}, "no quality before it was measured"
    assert progress[-1].metrics.keys() == {"loss", "splats", "psnr", "ssim"}
    assert progress[-1].metrics["splats"] == 120


def test_quality_is_measured_and_pictures_are_shown_evenly_and_at_the_end(
    done: tuple[Recorder, Path],
) -> None:
    told, out = done
    curve = json.loads((out / "curve.json").read_text())
    assert [point["step"] for point in curve] == [round(STEPS * i / 10) for i in range(1, 11)]
    assert all(point.keys() == {"step", "psnr", "ssim", "splats", "cpu_seconds"} for point in curve)
    assert curve[0]["splats"] < curve[-1]["splats"] == 120
    assert [Path(p.path).name for p in told.all(protocol.Preview)] == [
        f"{2 * i:06d}.png" for i in range(1, 13)
    ]
    assert Image.open(told.all(protocol.Preview)[0].path).size == (48, 18)


def test_its_result(done: tuple[Recorder, Path]) -> None:
    told, out = done
    assert isinstance(told.end, protocol.Result)
    splats = splat_ply.read(out / "splats.ply")
    assert len(splats) == 120 and splats.sh_degree == 1
    assert b"comment Splatsmith" in (out / "splats.ply").read_bytes()[:200]
    curve = json.loads((out / "curve.json").read_text())
    metrics = told.end.metrics
    assert metrics == {
        "psnr": curve[-1]["psnr"],
        "ssim": curve[-1]["ssim"],
        "splats": 120.0,
        "steps": float(STEPS),
    }
    quality = f"{metrics['psnr']:.2f} dB and SSIM {metrics['ssim']:.3f}"
    assert told.end.summary == (
        f"120 splats: between the cameras {quality} on 1 held-out picture; beyond them not measured"
    )
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["picture"] == [24, 18] and manifest["curve"] == curve and manifest["rasterizer"]
    assert {p.name for p in out.iterdir()} == {
        ".job",
        "manifest.json",
        "splats.ply",
        "heldout.png",
        "curve.json",
    }


def test_without_held_out_views_no_quality_is_claimed(footage: Path, tmp_path: Path) -> None:
    told = train(footage, tmp_path / "o", holdout=0, steps=2)
    assert re.fullmatch(r"\d+ splats", told.end.summary)
    assert told.end.metrics.keys() == {"splats", "steps"}
    assert all(p.metrics.keys() == {"loss", "splats"} for p in told.all(protocol.Progress)[9:])


def test_a_cancelled_job_goes_on_to_the_same_splats(
    done: tuple[Recorder, Path], footage: Path, tmp_path: Path
) -> None:
    def stop(recorder: Recorder, cancel: CancelToken, event: Event) -> None:
        if isinstance(event, protocol.Progress) and event.total == STEPS and event.step == 13:
            cancel.set()

    first = train(footage, tmp_path / "o", stop)
    assert first.end == protocol.Cancelled(True)
    second = train(footage, tmp_path / "o")
    steps = [p for p in second.all(protocol.Progress) if p.total == STEPS]
    assert steps[0].step == 15, "it stops at the next word after the wish"
    curve = json.loads((tmp_path / "o" / "curve.json").read_text())
    assert curve[5]["step"] == 14 and steps[0].metrics["psnr"] == curve[5]["psnr"], (
        "and it knows its last quality"
    )
    assert (tmp_path / "o" / "splats.ply").read_bytes() == (done[1] / "splats.ply").read_bytes()


def test_a_damaged_checkpoint_is_said_and_done_without(
    done: tuple[Recorder, Path], footage: Path, tmp_path: Path
) -> None:
    def stop(recorder: Recorder, cancel: CancelToken, event: Event) -> None:
        if isinstance(event, protocol.Progress) and event.total == STEPS:
            cancel.set()

    train(footage, tmp_path / "o", stop)
    (tmp_path / "o" / ".job" / "checkpoint" / "state.safetensors").write_bytes(b"damaged")
    told = train(footage, tmp_path / "o")
    (warning,) = told.all(protocol.Warn)
    assert warning.code == "CHECKPOINT" and "starts anew" in warning.text
    assert (tmp_path / "o" / "splats.ply").read_bytes() == (done[1] / "splats.ply").read_bytes()


def stopped(source: Path, out: Path) -> Path:
    """A job that was cancelled; its checkpoint."""

    def stop(recorder: Recorder, cancel: CancelToken, event: Event) -> None:
        if isinstance(event, protocol.Progress) and event.total == STEPS:
            cancel.set()

    train(source, out, stop)
    return out / ".job" / "checkpoint" / "state.safetensors"


HARMS: dict[str, Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]] = {
    "a tensor is missing": lambda t: {k: v for k, v in t.items() if k != "quats"},
    "too few rows": lambda t: {**t, "quats": t["quats"][:-1]},
    "too few columns": lambda t: {**t, "means": t["means"][:, :2]},
    "another type": lambda t: {**t, "log_scales": t["log_scales"].double()},
    "not finite": lambda t: {**t, "opacity_logits": t["opacity_logits"] * float("nan")},
    "moments of another shape": lambda t: {**t, "adam/means/exp_avg": torch.zeros(2, 3)},
    "a moment is missing": lambda t: {k: v for k, v in t.items() if k != "adam/sh0/exp_avg_sq"},
    "no generator": lambda t: {**t, "generator": t["generator"][:7]},
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_checkpoint_that_is_none_is_set_aside(
    harm: str, done: tuple[Recorder, Path], footage: Path, tmp_path: Path
) -> None:
    state = stopped(footage, tmp_path / "o")
    tensors, note = checkpoint.load(state)
    checkpoint.save(state, HARMS[harm](tensors), note)
    (warning,) = train(footage, tmp_path / "o").all(protocol.Warn)
    assert warning.code == "CHECKPOINT" and "starts anew" in warning.text
    assert (tmp_path / "o" / "splats.ply").read_bytes() == (done[1] / "splats.ply").read_bytes()
    assert (tmp_path / "o" / ".job" / "checkpoint-damaged" / "state.safetensors").is_file()


def test_a_changed_capture_does_not_go_on_silently(footage: Path, tmp_path: Path) -> None:
    """The result is that of the pictures that are there, to the last bit."""
    own = tmp_path / "capture"
    shutil.copytree(footage, own)
    stopped(own, tmp_path / "o")
    first, second, *_ = sorted((own / "images").iterdir())
    second.write_bytes(first.read_bytes())
    (warning,) = train(own, tmp_path / "o").all(protocol.Warn)
    assert "The input has changed" in warning.text
    train(own, tmp_path / "fresh")
    made = [(tmp_path / name / "splats.ply").read_bytes() for name in ("o", "fresh")]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("tick", "steps", "wanted"), [(5, 17, [2, 7, 12, 17]), (3, 23, [2, 9, 16, 23])]
)
def test_checkpoints_come_soon_and_then_now_and_then(
    tick: int,
    steps: int,
    wanted: list[int],
    footage: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After five seconds at first, then every twenty, and before the result is written."""
    ticks = iter(range(0, 10_000, tick))
    saved: list[int] = []
    monkeypatch.setattr(splats_job, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(splats_job, "_save", lambda job, trainer: saved.append(trainer.step))
    train(footage, tmp_path / "o", steps=steps)
    assert saved == wanted


def test_training_that_diverges_says_so(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "is_finite", lambda trainer: trainer.step < 12)
    told = train(footage, tmp_path / "o")
    assert isinstance(told.end, protocol.Failure) and "diverged" in told.end.what
    assert told.all(protocol.Progress)[-1].step == 11, "at the first look after it happened"


def test_the_loss_that_is_shown_is_smoothed(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([4.0, 2.0, 2.0, 0.0, *[1.0] * 20])

    def step(trainer: training.Trainer) -> float:
        trainer.step += 1
        return next(losses)

    monkeypatch.setattr(training, "train_step", step)
    told = train(footage, tmp_path / "o")
    shown = [p.metrics["loss"] for p in told.all(protocol.Progress) if p.total == STEPS]
    assert shown[:4] == pytest.approx([4, 3.9, 3.805, 3.61475])


def test_captures_that_cannot_be_trained(footage: Path, tmp_path: Path) -> None:
    shutil.copytree(footage, tmp_path / "c")
    frames = capture.read(tmp_path / "c").frames

    def said(frames: list[capture.Frame]) -> str:
        capture.write(tmp_path / "c", frames, None)
        return str(getattr(train(tmp_path / "c", tmp_path / "o", steps=1).end, "what", ""))

    assert said(frames[:3]) == ""
    assert "only 2 pictures" in said(frames[:2])
    assert "only 1 pictures" in said(frames[:1])
    pose = np.eye(4)
    pose[0, 3] = 5
    still = [capture.Frame(**{**vars(f), "camera_to_world": pose.copy()}) for f in frames]
    assert "only turns" in said(still) and "only turns" in said(still[:2])
    pose[1, 3] = 1e-5
    assert said([capture.Frame(**{**vars(still[0]), "camera_to_world": pose}), *still[1:]]) == ""
    (tmp_path / "c" / "images" / "004.png").unlink()
    assert "1 of 9 pictures" in said(frames)


def test_marks_are_even_and_end_with_the_end() -> None:
    config = make_config("fast", SplatsOptions())
    for count in (1, 7, 10):
        marks = sorted(splats_job._marks(config, count))
        assert len(marks) == count and marks[-1] == config.steps
        assert max(np.diff([0, *marks])) - min(np.diff([0, *marks])) <= 1
    assert splats_job._marks(config, 0) == set()


def test_depth_of_another_format_is_told_and_done_without(footage: Path, tmp_path: Path) -> None:
    shutil.copytree(footage, tmp_path / "capture")
    data = json.loads((tmp_path / "capture" / "transforms.json").read_text())
    for number, frame in enumerate(data["frames"]):
        name = f"depth{number}.png"
        Image.new("I;16", (24, 18), 1000).save(tmp_path / "capture" / name)
        frame["depth_file_path"] = name
    (tmp_path / "capture" / "transforms.json").write_text(json.dumps(data))
    told = train(tmp_path / "capture", tmp_path / "out")
    assert isinstance(told.end, protocol.Result)
    assert any("does without depth" in event.text for event in told.all(protocol.Warn))


def test_points_that_are_nowhere_are_counted(footage: Path, tmp_path: Path) -> None:
    own = tmp_path / "capture"
    shutil.copytree(footage, own)
    points, colors, _ = points_ply.read(own / "points3D.ply")
    points[[0, 3]] = np.inf
    points_ply.write(own / "points3D.ply", points, colors)
    (warning,) = train(own, tmp_path / "o").all(protocol.Warn)
    assert warning.text.startswith(f"points3D.ply: 2 of {len(points):,} points left out")


def test_an_end_of_the_path_can_be_held_out_too(footage: Path, tmp_path: Path) -> None:
    told = train(footage, tmp_path / "a", beyond=True, holdout=3)
    metrics = told.end.metrics
    assert {"psnr", "ssim", "beyond_psnr", "beyond_ssim"} <= metrics.keys()
    assert told.all(protocol.Progress)[-1].metrics["beyond_psnr"] == metrics["beyond_psnr"]
    assert re.search(
        rf"; beyond them {metrics['beyond_psnr']:.2f} dB and SSIM .* on 2 held-out pictures$",
        told.end.summary,
    )
    alone = train(footage, tmp_path / "b", beyond=True, holdout=0)
    assert "psnr" not in alone.end.metrics and "beyond_psnr" in alone.end.metrics
    assert "between the cameras not measured; beyond" in alone.end.summary


def test_the_file_says_what_is_up_and_how_it_was_trained(footage: Path, tmp_path: Path) -> None:
    train(footage, tmp_path / "a", blend="linear", antialiased=True)
    notes = splat_ply.read(tmp_path / "a" / "splats.ply").notes
    assert notes.blend == "linear" and notes.antialiased and notes.upright is not None
    poses = [f.camera_to_world for f in capture.read(footage).frames]
    up = notes.upright[:3, :3] @ np.mean([pose[:3, 1] for pose in poses], axis=0)
    assert up[2] > 0.99 * np.linalg.norm(up)
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["blend"] == "linear"
