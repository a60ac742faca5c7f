"""Jobs that lie beside a stranger's .blend: shown with what they would do, and run only when asked;
nothing in their folders can say that they are the user's own, or that they may go online.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.protocol import Request
from backend.semantics.model_verb import ModelOptions
from backend.splats.splats_verb import SplatsOptions
from backend.talking_head.speech_verb import SpeechOptions

from .conftest import COMPUTE, ROOT

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")


def plant(results: Path, request: Request[Any], name: str = "20260101-000000_x") -> Path:
    """A stopped job, as a stranger's archive would hold it."""
    folder = results / name
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "checkpoint" / "state.bin").write_bytes(b"x")
    (folder / "request.json").write_text(request.to_json())
    (folder / "state.json").write_text('{"status": "cancelled"}')
    return folder


def model_request(folder: Path) -> Request[Any]:
    return Request(
        verb="model", input=str(folder), options=ModelOptions(agree=True), title="nice model"
    )


@pytest.fixture
def results(bpy: Any, rooms: Any) -> Path:
    rooms("jobs.folders").forget_unfinished()
    rooms("jobs.manager").manager.jobs.clear()
    return rooms("jobs.folders").results_folder()


def test_a_planted_job_is_not_run_unasked(
    bpy: Any, rooms: Any, results: Path, tmp_path: Path
) -> None:
    folder = plant(results, model_request(tmp_path / "models"))
    (found,) = rooms("jobs.folders").find_unfinished()
    assert not found.own
    with pytest.raises(RuntimeError, match="not started this job"):
        bpy.ops.splatsmith.resume_job(folder=str(folder))
    assert not rooms("jobs.manager").manager.jobs
    assert not (folder / "log.txt").exists()
    assert not (folder / "signature").exists()


def test_own_jobs_are_resumed_without_a_question(rooms: Any, results: Path, tmp_path: Path) -> None:
    request = model_request(tmp_path)
    job = rooms("jobs.manager").make_record(request, str(COMPUTE), ROOT, 0)
    plant(results, request, job.folder.name + "_2")
    (job.folder / "checkpoint").mkdir()
    (job.folder / "checkpoint" / "kept").write_bytes(b"work")
    (job.folder / "state.json").write_text('{"status": "cancelled"}')
    own = {item.folder: item.own for item in rooms("jobs.folders").find_unfinished()}
    assert own == {job.folder: True, results / f"{job.folder.name}_2": False}


@pytest.mark.parametrize("forgery", ["changed", "copied", "older secret", "noise", "empty"])
def test_a_signature_can_not_be_forged(
    rooms: Any, results: Path, tmp_path: Path, forgery: str
) -> None:
    """Neither taken along from a job of the user's own, nor made without the secret."""
    ownership, folders = rooms("jobs.ownership"), rooms("jobs.folders")
    request = model_request(tmp_path)
    job = rooms("jobs.manager").make_record(request, str(COMPUTE), ROOT, 0)
    assert folders.read_own_request(job.folder)[1]
    folder = job.folder
    if forgery == "changed":
        data = json.loads((folder / "request.json").read_text())
        data["input"] = str(tmp_path / "elsewhere")
        (folder / "request.json").write_text(json.dumps(data))
    elif forgery == "copied":
        folder = results / "copy"
        shutil.copytree(job.folder, folder)
    elif forgery == "older secret":
        (rooms("compute.state").folder() / ownership.SECRET).unlink()
    else:
        (folder / "signature").write_bytes({"noise": b"\xff" * 64, "empty": b""}[forgery])
    assert not folders.read_own_request(folder)[1]


def test_what_a_job_would_do_is_said(bpy: Any, rooms: Any, results: Path, tmp_path: Path) -> None:
    deeds = rooms("jobs.foreign").deeds
    text = "\n".join(deeds(tmp_path / "job", model_request(tmp_path / "models")))
    assert str(tmp_path / "models") in text and "Get a Model" in text
    assert "huggingface.co" in text and "605 MB, MIT" in text
    options = SpeechOptions(sound_model="/tmp/net.onnx")
    text = "\n".join(deeds(tmp_path, Request(verb="speech", input="a.wav", options=options)))
    assert "Sound model: /tmp/net.onnx" in text and "Downloads nothing" in text
    folder = plant(
        results, Request(verb="splats", input="\n" * 9 + "x" * 900, options=SplatsOptions())
    )
    lines = deeds(folder, rooms("jobs.folders").read_own_request(folder)[0])
    assert "Goes on from a checkpoint that someone else has made" in lines
    assert all("\n" not in line and len(line) < 400 for line in lines)


def test_the_button_asks_first(bpy: Any, rooms: Any, results: Path, tmp_path: Path) -> None:
    """What is shown is what is agreed to: a request that has changed since is not run."""
    operator = rooms("operators.job_control").SPLATSMITH_OT_resume_job
    folder, asked = plant(results, model_request(tmp_path)), list[dict[str, Any]]()

    def dialog(*_given: Any, **named: Any) -> set[str]:
        asked.append(named)
        return {"RUNNING_MODAL"}

    manager = SimpleNamespace(invoke_props_dialog=dialog)
    this = SimpleNamespace(folder=str(folder), trust="", execute=lambda context: {"FINISHED"})
    context = SimpleNamespace(window_manager=manager)
    assert operator.invoke(this, context, None) == {"RUNNING_MODAL"}
    assert asked and this.trust == model_request(tmp_path).to_json()
    other = model_request(tmp_path / "other")
    (folder / "request.json").write_text(other.to_json())
    with pytest.raises(RuntimeError, match="not started this job"):
        bpy.ops.splatsmith.resume_job(folder=str(folder), trust=this.trust)
    rooms("jobs.ownership").sign(folder, other)
    asked.clear()
    assert operator.invoke(this, context, None) == {"FINISHED"} and not asked


def test_whether_a_job_may_go_online_is_asked_when_it_starts(
    bpy: Any, rooms: Any, tmp_path: Path
) -> None:
    jobs = rooms("jobs.manager")
    manager = jobs.JobManager()
    job = jobs.make_record(model_request(tmp_path), str(COMPUTE), ROOT, 0)
    assert "--online" not in job.command and "--online" not in manager._command(job)
    manager.is_online = lambda: True
    assert manager._command(job)[-1] == "--online"
    plain = Request(verb="splats", input="x", options=SplatsOptions(), title="x")
    assert "--online" not in manager._command(jobs.make_record(plain, str(COMPUTE), ROOT, 0))


def test_a_trusted_job_stays_offline_where_blender_is(
    bpy: Any, results: Path, tmp_path: Path
) -> None:
    """One click on a planted download used to fetch it."""
    bpy.context.preferences.system.use_online_access = False
    if bpy.app.online_access:
        pytest.skip("this Blender can't be taken offline")
    request = model_request(tmp_path / "models")
    folder = plant(results, request)
    with pytest.raises(RuntimeError, match="not allowed to go online"):
        bpy.ops.splatsmith.resume_job(folder=str(folder), trust=request.to_json())
    assert not (tmp_path / "models").exists()


@POSIX
@pytest.mark.parametrize("name", ["log.txt", "result", "checkpoint"])
def test_a_job_folder_with_links_is_not_run(
    bpy: Any, results: Path, tmp_path: Path, name: str
) -> None:
    """The log would be written into another file, the result would replace other folders."""
    precious = tmp_path / "precious"
    (precious / "images").mkdir(parents=True)
    request = model_request(tmp_path / "models")
    folder = plant(results, request)
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).symlink_to(precious / "profile" if name == "log.txt" else precious)
    with pytest.raises(RuntimeError, match="link to another place"):
        bpy.ops.splatsmith.resume_job(folder=str(folder), trust=request.to_json())
    assert [path.name for path in precious.iterdir()] == ["images"]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{}", "\udcff", "x" * 3_000_000, '{"protocol": 1, "verb": ["x"]}']
)
def test_damaged_requests_are_passed_over(rooms: Any, results: Path, text: str) -> None:
    folder = plant(results, model_request(results))
    (folder / "request.json").write_text(text, errors="surrogateescape")
    assert rooms("jobs.folders").find_unfinished() == []
    with pytest.raises(rooms("jobs.folders").InputError):
        rooms("jobs.folders").read_own_request(folder)
    (folder / "state.json").write_text("[" * 100_000)
    assert rooms("jobs.folders").find_unfinished() == []


@pytest.mark.parametrize("context", [{"start": "x"}, {"start": None}])
def test_a_damaged_result_is_one_sentence(
    bpy: Any, rooms: Any, tmp_path: Path, context: dict[str, Any]
) -> None:
    request = Request(
        verb="speech", input="a.wav", options=SpeechOptions(), title="x", context=context
    )
    manager = rooms("jobs.manager").manager
    job = rooms("jobs.manager").make_record(request, str(COMPUTE), ROOT, 0)
    job.status = "done"
    job.result.mkdir()
    manager.jobs.append(job)
    with pytest.raises(RuntimeError, match=r"^Error: [^\n]*\n?$") as caught:
        bpy.ops.splatsmith.import_result(job=job.number)
    assert "Traceback" not in str(caught.value)
    manager.jobs.clear()


def test_a_capture_that_names_files_above_it_is_not_exported(rooms: Any, tmp_path: Path) -> None:
    """A name that climbs out of the folder would be written outside of the copy."""
    captures = rooms("operators.captures")
    root = tmp_path / "capture"
    assert captures._is_inside(root / "images" / "a.png", root)
    assert not captures._is_inside(root / ".." / ".." / "evil.png", root)
    assert not captures._is_inside(tmp_path / "a.png", root)


def test_removing_takes_only_our_own(bpy: Any, rooms: Any) -> None:
    state = rooms("compute.state")
    place = state.environment()
    (place / "lib").mkdir(parents=True)
    (place / "pyvenv.cfg").write_text("home")
    (place / "thesis.txt").write_text("three years")
    assert "other files stay" in state.remove()
    assert [path.name for path in place.iterdir()] == ["thesis.txt"]
    (place / "thesis.txt").unlink()
    place.rmdir()


@POSIX
@pytest.mark.parametrize("name", ["request.json", "state.json", "log.txt", "signature", "lock"])
def test_pipes_in_a_job_folder_keep_nobody_waiting(
    bpy: Any, rooms: Any, results: Path, tmp_path: Path, name: str
) -> None:
    request = model_request(tmp_path / "models")
    folder = plant(results, request)
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    rooms("jobs.folders").find_unfinished()
    assert rooms("jobs.folders").log_tail(folder) == ""
    with pytest.raises(RuntimeError, match=r"neither a file nor a folder|folder is gone"):
        bpy.ops.splatsmith.resume_job(folder=str(folder), trust=request.to_json())
