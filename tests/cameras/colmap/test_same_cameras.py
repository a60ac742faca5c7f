"""COLMAP in its process: threads change nothing, and what its mapper tries is counted in work."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from helpers import clips
from helpers.places import ROOT

from backend.cameras.colmap import mapping, runner, solved
from backend.cameras.colmap.channel import Channel
from backend.cameras.colmap.colmap_command import ColmapTask
from backend.runtime.cancel import CancelToken

TRIES = 3


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> ColmapTask:
    """To match six photos."""
    folder = tmp_path_factory.mktemp("photos")
    clips.write_photos(folder / "images", 6, (200, 150), 190.0)
    return ColmapTask(
        kind="match",
        images=str(folder / "images"),
        work=str(folder),
        output="",
        names=sorted(p.name for p in (folder / "images").iterdir()),
        ordered=True,
        features=1024,
        seed=7,
    )


def run(task: ColmapTask, work: Path) -> solved.Solved:
    work.mkdir(exist_ok=True)
    task = replace(task, work=str(work), solved=str(work / f"{task.kind}.npz"))
    runner.run(task, CancelToken(), lambda _: None, lambda *_: None)
    return solved.load(Path(task.solved))


@pytest.mark.process
def test_threads_change_neither_matches_nor_cameras(task: ColmapTask, tmp_path: Path) -> None:
    """With three threads on two cores pictures come home in any order."""
    found = []
    for number, threads in enumerate([1, *[3] * TRIES]):
        given = replace(task, threads=threads)
        matched = run(given, tmp_path / str(number)).tracks
        placed = run(replace(given, kind="map"), tmp_path / str(number))
        assert matched.points > 100 and len(placed.frames) > 3
        found.append([matched.uv, matched.point, matched.frame, placed.viewmats, placed.focals])
    for again in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], again, strict=True))


class Token:
    """COLMAP's, for processes that do not load it."""

    is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


def searching(starts: int, placed: int) -> Callable[..., dict[int, Any]]:
    """A mapper that begins and places so often, unless it is stopped."""

    def search(
        *_: object,
        initial_image_pair_callback: Callable[[], None],
        next_image_callback: Callable[[], None],
        cancellation_token: Any,
    ) -> dict[int, Any]:
        calls = [initial_image_pair_callback] * starts + [next_image_callback] * placed
        for call in calls:
            call()
            if cancellation_token.is_cancelled:
                raise InterruptedError("Operation cancelled")
        return {}

    return search


class Silent:
    """Says nothing."""

    def send(self, **_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("starts", "placed", "stopped"), [(1, 6, False), (4, 24, False), (40, 0, True), (1, 120, True)]
)
def test_a_search_in_vain_is_stopped_by_its_work(
    task: ColmapTask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    starts: int,
    placed: int,
    stopped: bool,
) -> None:
    monkeypatch.setattr(mapping.pycolmap, "CancellationToken", Token)
    monkeypatch.setattr(mapping.pycolmap, "incremental_mapping", searching(starts, placed))

    work = replace(task, work=str(tmp_path), solved=str(tmp_path / "map.npz"))
    stats = mapping.map_cameras(work, cast(Channel, Silent()))
    assert stats["stopped"] is stopped and not len(solved.load(tmp_path / "map.npz").frames)


@pytest.mark.process
def test_the_mapper_can_be_stopped(task: ColmapTask, tmp_path: Path) -> None:
    """The real one heeds the token, and leaves no cameras that would depend on where it was."""
    run(task, tmp_path / "work")
    path = tmp_path / "work" / "task.json"
    replace(task, kind="map", work=str(tmp_path / "work"), solved=str(tmp_path / "map.npz")).write(
        path
    )
    code = (
        "import sys; from backend.cameras.colmap import mapping, process; "
        "mapping.PATIENCE, mapping.FOR_EACH = 0, 0; sys.exit(process.main())"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:  # it ends when its input does
        said = process.stdout.read()
    assert b'"stopped": true' in said
    assert not len(solved.load(tmp_path / "map.npz").frames)
