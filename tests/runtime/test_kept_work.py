"""A checkpoint is gone on from only where it belongs; else it is set aside, and the job starts
anew.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.fake_verbs import Told, run

from backend import protocol
from backend.runtime import checkpoint, fingerprint, kept_work
from backend.runtime.folder import JobFolder
from backend.runtime.job import Job, Outcome

STATE = "state.safetensors"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "in" / "images").mkdir(parents=True)
    (tmp_path / "in" / "transforms.json").write_text("{}")
    (tmp_path / "in" / "images" / "1.png").write_bytes(bytes(range(200)))
    return tmp_path / "in"


class Broken(Exception):
    """Where the first run ends."""


def stop(job: Job[Any]) -> Outcome:
    """Keeps a step and breaks off."""
    checkpoint.save(job.folder.checkpoint / STATE, {"x": torch.ones(3)}, {"step": 7})
    raise Broken


def go_on(job: Job[Any]) -> Outcome:
    """Says in its result whether it went on."""
    if not job.resumed:
        return Outcome("anew")
    tensors, note = checkpoint.load(job.folder.checkpoint / STATE, finite=True)
    with checkpoint.restoring():
        assert tensors["x"].shape == (3,)
        return Outcome(f"from {note['step']}")


def outcome(told: Told) -> tuple[str, list[str]]:
    return told.end.summary, [w.text for w in told.all(protocol.Warn)]


def test_it_goes_on_where_nothing_has_changed(source: Path, tmp_path: Path) -> None:
    folder = JobFolder.for_output(tmp_path / "out")
    run(stop, source, folder)
    assert outcome(run(go_on, source, folder)) == ("from 7", [])
    assert not folder.has_checkpoint


def rewritten(source: Path) -> None:
    """Of the same size, and dated back."""
    path = source / "images" / "1.png"
    status = path.stat()
    path.write_bytes(bytes(reversed(range(200))))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a picture's content": rewritten,
    "one more": lambda s: (s / "images" / "2.png").write_bytes(b"x"),
    "one less": lambda s: (s / "images" / "1.png").unlink(),
    "another name": lambda s: (s / "images" / "1.png").rename(s / "images" / "3.png"),
    "cameras": lambda s: (s / "transforms.json").write_text("{ }"),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("whole", [True, False])
def test_a_changed_input_starts_anew(
    name: str, whole: bool, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not whole:
        monkeypatch.setattr(fingerprint, "WHOLE", 10)
    folder = JobFolder.for_output(tmp_path / "out")
    run(stop, source, folder)
    CHANGES[name](source)
    summary, (warned,) = outcome(run(go_on, source, folder))
    assert summary == "anew"
    assert "The input has changed since the checkpoint. The job starts anew" in warned
    assert "checkpoint-of-another-input" in warned
    aside = folder.root / "checkpoint-of-another-input"
    assert checkpoint.load(aside / STATE)[1] == {"step": 7}, "it is kept"
    assert (aside / kept_work.NOTE).is_file()


def test_a_large_file_counts_by_its_date_and_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(400_000))
    os.utime(path, ns=(0, 1))
    marks = {fingerprint.of_paths([path])}
    for place, date in ((1, 1), (399_999, 1), (200_000, 2)):
        data = bytearray(400_000)
        data[place] = 1
        path.write_bytes(data)
        os.utime(path, ns=(0, date))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fingerprint, "WHOLE", 1000)
            marks.add(fingerprint.of_paths([path]))
    assert len(marks) == 4


def test_what_no_verb_reads_does_not_count(source: Path, tmp_path: Path) -> None:
    """Files of the system, of Blender and of jobs; results beside the footage; loops and pipes."""
    before = fingerprint.of_paths([source], [source / "out"])
    for name in (".DS_Store", "Thumbs.db", "scene.blend", "scene.blend1", "manifest.json"):
        (source / name).write_text("x")
    for name in ("out/a.png", "splatsmith_jobs/1/request.json", "splatsmith_jobs/1/result/b.png"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    if os.name != "nt":
        (source / "loop").symlink_to(source)
        (source / "nowhere").symlink_to(source / "gone")
    assert fingerprint.of_paths([source], [source / "out"]) == before
    if os.name != "nt":
        os.mkfifo(source / "pipe")
        fingerprint.of_paths([source])  # a pipe without a writer would never end


def test_a_copy_with_other_dates_is_the_same(source: Path) -> None:
    before = fingerprint.of_paths([source])
    os.utime(source / "images" / "1.png", ns=(5, 5))
    assert fingerprint.of_paths([source]) == before


@pytest.mark.parametrize(
    "changed", [{"size": 2}, {"seed": 1}, {"preset": "fast"}, {"masks": "elsewhere"}]
)
def test_other_settings_start_anew(changed: dict[str, Any], source: Path, tmp_path: Path) -> None:
    folder = JobFolder.for_output(tmp_path / "out")
    run(stop, source, folder)
    summary, (warned,) = outcome(run(go_on, source, folder, **changed))
    assert summary == "anew"
    assert "The settings have changed" in warned
    assert (folder.root / "checkpoint-of-other-settings" / STATE).is_file()


def test_masks_of_an_option_are_input_too(source: Path, tmp_path: Path) -> None:
    masks, folder = tmp_path / "masks", JobFolder.for_output(tmp_path / "out")
    masks.mkdir()
    (masks / "1.png").write_text("a")
    run(stop, source, folder, masks=str(masks))
    (masks / "1.png").write_text("b")
    assert outcome(run(go_on, source, folder, masks=str(masks)))[0] == "anew"


def test_files_that_the_input_names_elsewhere(source: Path, tmp_path: Path) -> None:
    outside, folder = tmp_path / "pictures" / "a.png", JobFolder.for_output(tmp_path / "out")
    outside.parent.mkdir()
    outside.write_text("a")

    def reading(work: Callable[[Job[Any]], Outcome]) -> Callable[[Job[Any]], Outcome]:
        def reads(job: Job[Any]) -> Outcome:
            job.reads([outside, source / "images" / "1.png"])
            return work(job)

        return reads

    run(reading(stop), source, folder)
    assert outcome(run(reading(go_on), source, folder)) == ("from 7", [])
    run(reading(stop), source, folder)
    outside.write_text("b")
    summary, (warned,) = outcome(run(reading(go_on), source, folder))
    assert summary == "anew"
    assert "Files that the input names have changed" in warned


@pytest.mark.parametrize("lost", [True, False])
def test_another_versions_checkpoint_is_set_aside(lost: bool, source: Path, tmp_path: Path) -> None:
    folder = JobFolder.for_output(tmp_path / "out")
    run(stop, source, folder)
    note = folder.root / kept_work.NOTE
    if lost:
        note.unlink()  # 0.1.0 wrote none
    else:
        note.write_text(json.dumps({**json.loads(note.read_text()), "version": "9, format 9"}))
    summary, (warned,) = outcome(run(go_on, source, folder))
    assert summary == "anew"
    assert "another version" in warned
    assert (folder.root / "checkpoint-of-another-version" / STATE).is_file()


def damaged_file(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4])


def no_file(path: Path) -> None:
    path.rename(path.with_name("other.safetensors"))


def of_tensors(**tensors: Any) -> Callable[[Path], None]:
    return lambda path: checkpoint.save(path, tensors, {"step": 7})


def other_format(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"format":"1"', b'"format":"2"'))


@pytest.mark.parametrize(
    "damage",
    [
        damaged_file,
        no_file,
        other_format,
        of_tensors(y=torch.ones(3)),
        of_tensors(x=torch.tensor([1.0, float("nan"), 0.0])),
        of_tensors(x=torch.tensor([1.0, float("inf"), 0.0])),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(bytes(100_000)),
    ],
)
def test_resume_gets_past_what_cannot_be_loaded(
    damage: Callable[[Path], None], source: Path, tmp_path: Path
) -> None:
    folder = JobFolder.for_job(tmp_path / "job")
    run(stop, source, folder)
    damage(folder.checkpoint / STATE)
    summary, (warned,) = outcome(run(go_on, source, folder))
    assert summary == "anew"
    assert "can't be gone on from. The job starts anew" in warned
    assert any((folder.root / "checkpoint-damaged").iterdir())


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("shape"), IndexError("x")])
def test_resume_gets_past_a_verb_that_stumbles_on_it(
    error: Exception, source: Path, tmp_path: Path
) -> None:
    def stumble(job: Job[Any]) -> Outcome:
        if job.resumed:
            raise error
        return Outcome("anew")

    folder = JobFolder.for_job(tmp_path / "job")
    run(stop, source, folder)
    assert outcome(run(stumble, source, folder))[0] == "anew"


def test_an_error_after_a_new_checkpoint_is_told(source: Path, tmp_path: Path) -> None:
    """It would cost a night to come to it again."""
    folder = JobFolder.for_job(tmp_path / "job")
    run(stop, source, folder)
    told = run(stop, source, folder)
    assert told.end.code == "INTERNAL"
    assert folder.has_checkpoint


def test_one_at_most_is_set_aside(source: Path, tmp_path: Path) -> None:
    folder = JobFolder.for_output(tmp_path / "out")
    for seed in range(3):
        run(stop, source, folder, seed=seed)
    CHANGES["one more"](source)
    run(stop, source, folder, seed=2)
    aside = [p.name for p in folder.root.iterdir() if p.name.startswith("checkpoint-")]
    assert aside == ["checkpoint-of-another-input"]
    assert folder.has_checkpoint


def test_what_was_set_aside_outlives_a_failure(source: Path, tmp_path: Path) -> None:
    folder = JobFolder.for_output(tmp_path / "out")
    run(stop, source, folder)

    def refuse(_: Job[Any]) -> Outcome:
        raise protocol.InputError("no")

    run(refuse, source, folder, seed=5)
    assert (folder.root / "checkpoint-of-other-settings" / STATE).is_file()
