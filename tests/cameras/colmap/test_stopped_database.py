"""COLMAP goes on in the database that a killed process has left, and finds the same tracks."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import clips

from backend.cameras.colmap import runner, solved, stopped_database
from backend.cameras.colmap.colmap_command import ColmapTask
from backend.runtime.cancel import CancelToken

pytestmark = pytest.mark.process


def match(task: ColmapTask) -> solved.Solved:
    runner.run(task, CancelToken(), lambda stage: None, lambda step, total: None)
    return solved.load(Path(task.solved))


def change(database: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ColmapTask:
    """The task of an unbroken matching of five photos, which is done."""
    work = tmp_path_factory.mktemp("matched")
    clips.write_photos(work / "photos", 5, (160, 120))
    task = ColmapTask(
        kind="match",
        images=str(work / "photos"),
        work=str(work),
        output="",
        names=[f"{i:03d}.png" for i in range(5)],
        features=400,
        solved=str(work / "match.npz"),
    )
    match(task)
    return task


def within_features(database: Path) -> None:
    change(
        database,
        "DELETE FROM keypoints WHERE image_id IN (3, 5)",
        "DELETE FROM descriptors WHERE image_id IN (3, 5)",
        "DELETE FROM matches",
        "DELETE FROM two_view_geometries",
        "CREATE TABLE goes_on(x)",
    )


def within_matches(database: Path) -> None:
    change(
        database,
        "DELETE FROM matches WHERE pair_id % 3 = 0",
        "DELETE FROM two_view_geometries WHERE pair_id % 3 < 2",
        "CREATE TABLE goes_on(x)",
    )


def before_features(database: Path) -> None:
    change(database, "DELETE FROM images WHERE image_id > 2")


def torn(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:3000])


@pytest.mark.parametrize("stop", [within_features, within_matches, before_features, torn])
def test_a_stopped_matching_ends_as_an_unbroken_one(
    whole: ColmapTask, tmp_path: Path, stop: Callable[[Path], None]
) -> None:
    database = tmp_path / "database.db"
    shutil.copyfile(Path(whole.work) / "database.db", database)
    stop(database)
    again = replace(whole, work=str(tmp_path), solved=str(tmp_path / "match.npz"), goes_on=True)
    found, wanted = match(again).tracks, solved.load(Path(whole.solved)).tracks
    assert wanted.points > 50
    for name in ("frame", "point", "uv"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert ("goes_on" in tables) == (stop in (within_features, within_matches))


def test_other_pictures_begin_anew(whole: ColmapTask) -> None:
    database = Path(whole.work) / "database.db"
    assert stopped_database.can_go_on(database, whole.names)
    assert not stopped_database.can_go_on(database, whole.names[::-1])
    assert not stopped_database.can_go_on(database.with_name("none.db"), whole.names)
