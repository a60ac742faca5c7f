"""What a segmentation knows, on disk."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.archives import change, label, with_value

from backend.formats import semantics_file
from backend.formats.semantics_file import NOTHING, Semantics, distinct_color
from backend.protocol import InputError

OBJECTS = np.array([[0, 1, NOTHING], [1, NOTHING, NOTHING]], np.uint16)
SHARES = np.array([[200, 55, 0], [255, 0, 0]], np.uint8)
FEATURES = np.array([[0.5, 0.25, -1], [1, 0, 2]], np.float32)
FOUND = Semantics(
    objects=OBJECTS,
    shares=SHARES,
    features=FEATURES,
    mean=np.array([0.1, 0.2, 0.3], np.float32),
    model="ViT",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    semantics_file.write(tmp_path / "s.npz", FOUND)
    return tmp_path / "s.npz"


def test_segmentations_come_back(file: Path) -> None:
    back = semantics_file.read(file)
    assert back.model == "ViT"
    for name in ("objects", "shares", "features", "mean"):
        np.testing.assert_array_equal(getattr(back, name), getattr(FOUND, name))
        assert getattr(back, name).dtype == getattr(FOUND, name).dtype


def test_trees_come_back_where_there_are_any(file: Path, tmp_path: Path) -> None:
    assert semantics_file.read(file).tree_pairs is None
    pairs, rates = np.array([[0, 1]], np.int32), np.array([0.5], np.float32)
    semantics_file.write(file, replace(FOUND, tree_pairs=pairs, tree_rates=rates))
    back = semantics_file.read(file)
    assert back.tree_pairs is not None and back.tree_pairs.tolist() == [[0, 1]]
    assert back.tree_rates is not None and back.tree_rates.tolist() == [0.5]


def test_without_a_teacher_features_are_empty(file: Path) -> None:
    change(file, features=np.zeros((2, 0), np.float16), mean=np.zeros(0, np.float32))
    assert semantics_file.read(file).features.shape == (2, 0)


@pytest.mark.parametrize("wrong", [
    {"objects": OBJECTS.astype(np.int32)}, {"objects": OBJECTS[:, :2], "shares": SHARES[:, :2]},
    {"objects": OBJECTS.ravel(), "shares": SHARES.ravel()}, {"objects": OBJECTS[:1]},
    {"objects": with_value(OBJECTS, (0, 0), 2)},
    {"objects": with_value(OBJECTS, (0, 0), NOTHING - 1)}, {"shares": SHARES.astype(np.int16)},
    {"shares": SHARES[:, :2]}, {"features": FEATURES[:, 0], "mean": np.zeros((), np.float32)},
    {"features": FEATURES[:0]}, {"features": FEATURES[:1]}, {"features": FEATURES[:, :2]},
    {"features": with_value(FEATURES, (1, 2), np.nan)}, {"mean": np.zeros(4, np.float32)},
    {"tree_pairs": np.array([[0, 2]]), "tree_rates": np.zeros(1, np.float32)},
    {"tree_pairs": np.array([[0, 1]])}, {"tree_rates": np.zeros(1, np.float32)},
    {"tree_pairs": np.array([[0, 1]]), "tree_rates": np.zeros(2, np.float32)},
    {"tree_pairs": np.array([[0, 1]]), "tree_rates": np.full(1, np.nan, np.float32)},
    {"mean": np.zeros(3)}, {"mean": np.array([0, 0, np.inf], np.float32)},
], ids=label)  # fmt: skip
def test_damaged_ones_are_refused(wrong: dict[str, Any], file: Path) -> None:
    change(file, **wrong)
    with pytest.raises(InputError, match="objects"):
        semantics_file.read(file)


@pytest.mark.parametrize("name", ["objects", "shares", "features", "mean", "model"])
def test_parts_that_are_missing(name: str, file: Path) -> None:
    change(file, **{name: None})
    with pytest.raises(InputError, match="objects"):
        semantics_file.read(file)


def test_objects_in_a_file_are_never_run(file: Path) -> None:
    change(file, model=np.array("ViT", object))
    with pytest.raises(InputError, match="objects"):
        semantics_file.read(file)


def test_colours_that_follow_each_other_differ() -> None:
    colors = np.array([distinct_color(i) for i in range(200)])
    assert ((colors >= 0) & (colors <= 1)).all()
    assert colors.max(1).min() == pytest.approx(0.75) and colors.max(1).max() == pytest.approx(
        0.95
    ), "never dark"
    saturation = 1 - colors.min(1) / colors.max(1)
    assert saturation.min() == pytest.approx(0.55) and saturation.max() == pytest.approx(0.9), (
        "never grey"
    )
    for apart in (1, 2, 3):
        assert np.abs(colors[apart:] - colors[:-apart]).max(1).min() > 0.15
    assert len(np.unique(colors.round(3), axis=0)) == 200
    bright = [round(c, 3) for c in colors.max(1)]
    assert bright == [0.95, 0.95, 0.75, 0.75] * 50, "brightness turns every second time"


def test_the_first_colour_is_a_light_red() -> None:
    assert distinct_color(0) == pytest.approx((0.95, 0.4275, 0.4275))
