"""COLMAP's mapper goes on in the segment in which it was killed, and ends in the same cameras."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import clips
from helpers.places import ROOT

from backend.cameras.colmap import runner, segments, solved
from backend.cameras.colmap.colmap_command import ColmapTask
from backend.cameras.colmap.solved import Solved
from backend.runtime.cancel import CancelToken

PHOTOS = 9
CODE = """
import os, sys
from backend.cameras.colmap import process, segments
segments.LEAST, begin, kill_at = 2, segments.Segment.begin, int(sys.argv.pop())
def counted(segment):
    print(segment.number, file=sys.stderr)
    if segment.number == kill_at:
        os.kill(os.getpid(), 9)
    return begin(segment)
segments.Segment.begin = counted
sys.exit(process.main())
"""


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory) -> ColmapTask:
    """A folder in which nine photos are matched."""
    folder = tmp_path_factory.mktemp("photos")
    clips.write_photos(folder / "images", PHOTOS, (160, 120), 150.0)
    task = ColmapTask(
        kind="match",
        images=str(folder / "images"),
        work=str(folder),
        output="",
        names=sorted(p.name for p in (folder / "images").iterdir()),
        ordered=True,
        features=1024,
        seed=7,
        solved=str(folder / "matches.npz"),
    )
    runner.run(task, CancelToken(), lambda _: None, lambda *_: None)
    return replace(task, kind="map", solved=str(folder / "map.npz"))


def mapped(task: ColmapTask, goes_on: bool, kill_at: int = -1) -> tuple[Solved | None, list[int]]:
    """The cameras, none of a killed mapper, and the numbers of the segments that it began."""
    path = Path(task.work) / "task.json"
    replace(task, goes_on=goes_on).write(path)
    Path(task.solved).unlink(missing_ok=True)
    command = [sys.executable, "-c", CODE, str(path), str(kill_at)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        begun = [int(line) for line in process.stderr.read().split() if line.isdigit()]
    return solved.load(Path(task.solved)) if Path(task.solved).is_file() else None, begun


def same(one: Solved | None, other: Solved | None) -> bool:
    assert one is not None and other is not None
    parts = ("frames", "viewmats", "focals", "radial")
    return all(np.array_equal(getattr(one, p), getattr(other, p)) for p in parts)


@pytest.mark.process
def test_a_killed_mapper_goes_on(matched: ColmapTask) -> None:
    whole, begun = mapped(matched, False)
    assert whole is not None and len(whole.frames) > PHOTOS // 2 and len(begun) > 3
    last = begun[-1]
    assert mapped(matched, False, kill_at=1)[0] is None
    assert mapped(matched, True, kill_at=last)[1] == list(range(1, last + 1))
    again, resumed = mapped(matched, True)
    assert resumed == [last] and same(whole, again)


@pytest.mark.process
def test_segments_of_another_run_or_damaged_ones_are_not_gone_on_with(matched: ColmapTask) -> None:
    whole, begun = mapped(matched, False)
    again, anew = mapped(matched, False)
    assert anew == begun and same(whole, again)
    (model,) = (Path(matched.work) / segments.FOLDER).glob("[0-9]*")
    (model / "points3D.bin").write_bytes(b"")
    again, anew = mapped(matched, True)
    assert anew == begun and same(whole, again)
