"""The verb `segment` as a user starts it: objects by shape alone and from the user's own regions,
and bad input.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import furnished_room
from helpers.command_line import refusal, run
from helpers.furnished_room import Room

from backend.cutting.hierarchy import sound_tree
from backend.formats import semantics_file, splat_ply
from backend.protocol import InputError


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Room, Path]:
    room, folder = furnished_room.make(0, views=12, pieces=7), tmp_path_factory.mktemp("room")
    furnished_room.write(room, folder)
    return room, folder


def segment(folder: Path, output: Path, *more: str) -> dict:
    done = run(
        "segment",
        "--input",
        folder / "splats.ply",
        "--capture",
        folder / "capture",
        "--output",
        output,
        *more,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((output / "manifest.json").read_text())


def recall(room: Room, owner: np.ndarray) -> float:
    good, solid = [], room.objects >= 0
    for o in np.unique(room.objects[solid]):
        mine = room.objects == o
        if (
            mine.sum() >= 60 and furnished_room.CLASSES[room.classes[o]] != "rug"
        ):  # what lies flat needs pictures
            parts = [(owner == k) & solid for k in np.unique(owner[mine])]
            good.append(max((mine & part).sum() / (mine | part).sum() for part in parts))
    return float(np.mean(np.array(good) > 0.5))


@pytest.mark.whole
@pytest.mark.parametrize("regions", [False, True])
def test_objects_are_found_and_ride_in_the_ply(
    home: tuple[Room, Path], tmp_path: Path, regions: bool
) -> None:
    room, folder = home
    manifest = segment(
        folder, tmp_path / "out", *(("--regions", str(folder / "regions")) if regions else ())
    )
    before, after = (
        splat_ply.read(folder / "splats.ply"),
        splat_ply.read(tmp_path / "out" / "splats.ply"),
    )
    np.testing.assert_array_equal(before.means, after.means)
    np.testing.assert_array_equal(before.sh, after.sh)
    owner = after.extra[semantics_file.LABEL].astype(int)
    assert recall(room, owner) >= 0.85
    objects = json.loads((tmp_path / "out" / "objects.json").read_text())
    held = owner != semantics_file.NOTHING
    assert manifest["metrics"]["of_no_object"] == (~held).sum()
    assert len(objects) == manifest["metrics"]["objects"] == owner[held].max() + 1
    assert [o["splats"] for o in objects] == np.bincount(owner[held]).tolist() and all(
        0 < o["score"] <= 1 for o in objects
    )
    assert len({tuple(o["color"]) for o in objects}) == len(objects)
    found = semantics_file.read(tmp_path / "out" / semantics_file.NAME)
    assert (found.objects[:, 0] == owner)[held].mean() > 0.99 and found.features.shape == (
        len(objects),
        0,
    )
    assert found.tree_pairs is not None and found.tree_rates is not None
    tree = sound_tree(found.tree_pairs.astype(np.int64), found.tree_rates, len(objects))
    assert len(tree.pairs) == len(objects) - 1 and set(tree.at(1).tolist()) == {0}


@pytest.mark.whole
def test_an_object_is_taken_out_bit_by_bit(home: tuple[Room, Path], tmp_path: Path) -> None:
    _, folder = home
    segment(folder, tmp_path / "out")
    whole = splat_ply.read(tmp_path / "out" / "splats.ply")
    owner = whole.extra[semantics_file.LABEL]
    for rest in ("--rest", "--no-rest"):
        done = run(
            "select",
            "--input",
            tmp_path / "out",
            "--objects",
            "1, 3",
            rest,
            "--output",
            tmp_path / rest,
        )
        assert done.returncode == 0, done.stderr
        kept, wanted = (
            splat_ply.read(tmp_path / rest / "splats.ply"),
            splat_ply.take(whole, np.isin(owner, (1, 3)) == (rest != "--rest")),
        )
        assert len(kept) and not kept.extra, "a standard PLY"
        for name in ("means", "quats", "log_scales", "opacity_logits", "sh"):
            assert getattr(kept, name).tobytes() == getattr(wanted, name).tobytes()
    for arguments, words in (
        ((), "Say what to select"),
        (("--objects", "99"), "There is no object '99'"),
        (("--prompt", "chair"), "without a CLIP model"),
        (("--prompt", " ; ,"), "The prompt is empty"),
        (("--objects", "1", "--prompt", "chair"), "Say what to select"),
    ):
        bad = ("select", "--input", tmp_path / "out", *arguments, "--output", tmp_path / "bad")
        assert words in refusal(*bad).what
    bad = ("select", "--input", folder, "--objects", "1", "--output", tmp_path / "bad")
    assert "is no segmentation" in refusal(*bad).what


def read_strictly(path: Path) -> np.ndarray:
    """As the strictest of viewers read: the header that the original implementation writes, every
    property a float and in its order, nothing before, between or after.
    """
    head, _, body = path.read_bytes().partition(b"end_header\n")
    lines = [line for line in head.decode("ascii").splitlines() if not line.startswith("comment")]
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"] and lines[2].startswith(
        "element vertex "
    )
    names = ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"]
    names += [f"f_rest_{i}" for i in range(len(lines) - 3 - 17)]
    names += ["opacity", *(f"scale_{i}" for i in range(3)), *(f"rot_{i}" for i in range(4))]
    assert lines[3:] == [f"property float {name}" for name in names]
    values = np.frombuffer(body, "<f4")
    assert len(values) == int(lines[2].split()[-1]) * len(names)
    return values.reshape(-1, len(names))


@pytest.mark.whole
def test_what_is_taken_out_opens_in_the_strictest_reader(
    home: tuple[Room, Path], tmp_path: Path
) -> None:
    segment(home[1], tmp_path / "out")
    assert (
        run(
            "select", "--input", tmp_path / "out", "--objects", "0", "--output", tmp_path / "one"
        ).returncode
        == 0
    )
    found, whole = (
        read_strictly(tmp_path / "one" / "splats.ply"),
        splat_ply.read(tmp_path / "out" / "splats.ply"),
    )
    np.testing.assert_array_equal(found[:, :3], whole.means[whole.extra[semantics_file.LABEL] == 0])
    with pytest.raises(AssertionError):
        read_strictly(tmp_path / "out" / "splats.ply")  # labels are more than it knows


@pytest.mark.whole
def test_bad_input_gets_one_sentence(home: tuple[Room, Path], tmp_path: Path) -> None:
    _, folder = home
    (tmp_path / "empty").mkdir()
    whole = ("--input", folder / "splats.ply", "--capture", folder / "capture")
    away = splat_ply.read(folder / "splats.ply")
    away.means[:] += 1000  # splats that no camera sees
    splat_ply.write(tmp_path / "away.ply", away)
    splat_ply.write(tmp_path / "few.ply", splat_ply.take(away, np.arange(0)))
    cases = [
        (("--input", folder / "splats.ply"), "No capture is given"),
        (
            ("--input", tmp_path / "away.ply", "--capture", folder / "capture"),
            "None of the pictures shows the splats",
        ),
        (("--input", tmp_path / "few.ply", "--capture", folder / "capture"), "holds no splats"),
        ((*whole, "--sam", tmp_path / "away.ply"), "no longer read"),
        ((*whole, "--model", tmp_path / "none"), "There is no CLIP model"),
        ((*whole, "--regions", tmp_path / "none"), "There is no folder"),
        ((*whole, "--regions", tmp_path / "empty"), "has no regions for the picture"),
        (("--input", folder / "capture", "--capture", folder / "capture"), ""),
        (("--input", folder / "splats.ply", "--capture", tmp_path / "empty"), ""),
    ]
    for number, (arguments, words) in enumerate(cases):
        assert words in refusal("segment", *arguments, "--output", tmp_path / f"out{number}").what
        assert not (tmp_path / f"out{number}" / "splats.ply").exists()


def test_a_hostile_semantics_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "semantics.npz"
    good = semantics_file.Semantics(
        objects=np.array([[0, 1, semantics_file.NOTHING]], np.uint16),
        shares=np.array([[200, 55, 0]], np.uint8),
        features=np.ones((2, 4), np.float32),
        mean=np.zeros(4, np.float32),
        model="a model",
    )
    semantics_file.write(path, good)
    again = semantics_file.read(path)
    assert (
        again.model == "a model"
        and (again.objects == good.objects).all()
        and (again.features == 1).all()
    )
    whole = path.read_bytes()
    np.savez(tmp_path / "pickled.npz", objects=np.array([{}], object))
    semantics_file.write(
        tmp_path / "beyond.npz",
        semantics_file.Semantics(
            objects=good.objects + 5, shares=good.shares, features=good.features, mean=good.mean
        ),
    )
    path.write_bytes(whole[: len(whole) // 2])
    for bad in (path, tmp_path / "pickled.npz", tmp_path / "beyond.npz", tmp_path / "none.npz"):
        with pytest.raises(InputError):
            semantics_file.read(bad)
