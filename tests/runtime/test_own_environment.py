"""What Set Up and Remove may empty: an environment of ours, and only what making it has left."""

import sys
from pathlib import Path

import pytest

from backend.protocol import JobState, Request, SetupError
from backend.runtime import environment, own_environment as own
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder
from backend.runtime.job import Job
from backend.runtime.setup_verb import SetupOptions


class Silent:
    def send(self, event: object) -> None:
        pass


def setup_job(folder: Path, record: Path) -> Job[SetupOptions]:
    request = Request(verb="setup", input=str(folder), options=SetupOptions(wheels="none"))
    job_folder = JobFolder.for_output(record)
    job_folder.root.mkdir(parents=True)
    job_folder.write_state(JobState(status="running"))
    return Job(request=request, folder=job_folder, reporter=Silent(), cancel=CancelToken())


def thesis(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "thesis.txt").write_text("three years")
    return folder / "thesis.txt"


FOREIGN = {
    "a virtual environment": {"pyvenv.cfg": "home = /usr/bin\n"},
    "a file of that name": {"incomplete": "no"},
    "the old marker": {"incomplete": "made"},
    "an empty marker": {own.MARKER: ""},
    "another line": {own.MARKER: "Made by someone\nbegun\n"},
    "another stage": {own.MARKER: f"{own.LINE}\nwhatever\n"},
    "more lines": {own.MARKER: f"{own.LINE}\nbegun\nand more\n"},
    "no text": {own.MARKER: "\udcff"},
}


@pytest.mark.parametrize("files", FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_ours_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    place = tmp_path / "work"
    kept = thesis(place)
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    with pytest.raises(SetupError, match="not an environment that Splatsmith has made"):
        environment._make(setup_job(place, tmp_path / "record"), place)
    with pytest.raises(SetupError, match="left alone"):
        own.clear(place)
    with pytest.raises(SetupError, match="left alone"):
        own.remove(place)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    assert kept.is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
@pytest.mark.parametrize("part", ["folder", "marker"])
def test_links_are_not_followed(tmp_path: Path, part: str) -> None:
    real = tmp_path / "real"
    kept = thesis(real)
    own.mark(real, own.READY)
    if part == "folder":
        place = tmp_path / "link"
        place.symlink_to(real)
    else:
        place = tmp_path / "other"
        place.mkdir()
        (place / own.MARKER).symlink_to(real / own.MARKER)
    assert own.stage_of(place) == ""
    with pytest.raises(SetupError, match="left alone"):
        own.claim(place)
    with pytest.raises(SetupError, match="left alone"):
        own.remove(place)
    assert kept.is_file()


def test_only_what_an_environment_holds_is_removed(tmp_path: Path) -> None:
    place, elsewhere = tmp_path / "environment", tmp_path / "elsewhere"
    assert own.claim(place) == own.BEGUN
    kept, outside = thesis(place), thesis(elsewhere)
    for name in ("lib", "bin"):
        (place / name / "inner").mkdir(parents=True)
    (place / "pyvenv.cfg").write_text("home")
    (place / "lib64").symlink_to(elsewhere)
    assert not own.remove(place)
    assert sorted(path.name for path in place.iterdir()) == ["thesis.txt"]
    assert kept.is_file() and outside.is_file()
    kept.unlink()
    own.mark(place, own.READY)
    assert own.remove(place)
    assert not place.exists()


def test_a_new_folder_is_claimed_and_gone_on_with(tmp_path: Path) -> None:
    place = tmp_path / "new" / "environment"
    assert own.claim(place) == own.BEGUN
    own.mark(place, own.MADE)
    assert own.claim(place) == own.MADE
    job = setup_job(place, tmp_path / "record")
    environment._make(job, place)  # its packages are gone on with: nothing is made
    assert [path.name for path in place.iterdir()] == [own.MARKER]


def test_an_older_environment_is_adopted_only_where_asked(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home")
    assert own.stage_of(tmp_path) == ""
    own.adopt(tmp_path)
    assert own.stage_of(tmp_path) == own.READY
