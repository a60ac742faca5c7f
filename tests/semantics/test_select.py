"""Objects taken out of a segmentation by `select`: one file each, clean, the hole closed."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import refusal, run
from helpers.cut_scenes import BALL, FLOOR, RED, SPACING, ball, discs, floor, scene

from backend.formats import semantics_file, splat_ply
from backend.formats.semantics_file import NOTHING, Semantics

pytestmark = pytest.mark.process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ball with ten floaters on a floor with a hole under it."""
    places = np.array([[1.2, 0, 0.5 + 0.2 * i] for i in range(10)])
    floaters = discs(places, np.tile([[0.0, 0, 1]], (10, 1)), 0.5 * SPACING, 0.9, RED)
    arrays, labels = scene((ball(), BALL), (floaters, BALL), (floor(hole=0.3), FLOOR))
    arrays.extra[semantics_file.LABEL] = labels.astype(np.uint16)
    home = tmp_path / "objects"
    home.mkdir()
    splat_ply.write(home / "splats.ply", arrays)
    objects = np.full((len(labels), 3), NOTHING, np.uint16)
    objects[:, 0] = labels
    shares = np.zeros((len(labels), 3), np.uint8)
    shares[:, 0] = 255
    features, mean = np.zeros((2, 0), np.float32), np.zeros(0, np.float32)
    semantics = Semantics(objects=objects, shares=shares, features=features, mean=mean)
    semantics_file.write(home / semantics_file.NAME, semantics)
    records = [{"id": 0, "name": "Red ball"}, {"id": 1, "name": "../Floor"}]
    (home / "objects.json").write_text(json.dumps(records))
    return home


def test_every_object_becomes_a_file(folder: Path, tmp_path: Path) -> None:
    done = run("select", "--input", folder, "--each", "--clean", "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "Red ball: kept 1,256" in done.stderr and "10 floaters" in done.stderr
    made = sorted(p.name for p in (tmp_path / "out" / "objects").iterdir())
    assert made == ["000-Red-ball.ply", "001-Floor.ply"]
    own = splat_ply.read(tmp_path / "out" / "objects" / made[0])
    assert len(own) == len(ball()) and not own.extra
    done = run(
        "select", "--input", folder, "--each", "--objects", "0", "--output", tmp_path / "one"
    )
    assert [p.name for p in (tmp_path / "one" / "objects").iterdir()] == ["000-Red-ball.ply"]
    own = splat_ply.read(tmp_path / "one" / "objects" / "000-Red-ball.ply")
    assert len(own) == len(ball()) + 10  # as it was found


def test_the_rest_is_closed(folder: Path, tmp_path: Path) -> None:
    arguments = ("--objects", "0", "--rest", "--fill", "--no-plain", "--output", tmp_path / "out")
    done = run("select", "--input", folder, *arguments)
    assert done.returncode == 0 and "splats continue ../Floor" in done.stderr, done.stderr
    rest = splat_ply.read(tmp_path / "out" / "splats.ply")
    ground = len(floor(hole=0.3))
    assert len(rest) > ground + 20 and (rest.extra[semantics_file.LABEL] == FLOOR).all()
    assert np.abs(rest.means[ground:, 2]).max() < 0.02


@pytest.mark.parametrize(
    ("more", "sentence"),
    [((), "Say what to select"), (("--objects", "0", "--fill"), "closes the hole")],
)
def test_what_makes_no_sense_is_said(
    folder: Path, tmp_path: Path, more: tuple[str, ...], sentence: str
) -> None:
    bad: list[str | Path] = ["select", "--input", folder, *more, "--output", tmp_path / "bad"]
    assert sentence in refusal(*bad).what
