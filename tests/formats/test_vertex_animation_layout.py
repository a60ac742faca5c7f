"""Vertex-animation textures texel by texel, as a shader looks them up."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.formats import vertex_animation
from backend.protocol import InputError

# two vertices, three frames: one stays, the other goes 1 to the right, then 3 down
MOVING = np.array(
    [[[5, 5, 5], [1, 2, 3]], [[5, 5, 5], [2, 2, 3]], [[5, 5, 5], [1, -1, 3]]], np.float32
)


def pixels(path: Path) -> np.ndarray:
    """(H, W, 3) red, green, blue."""
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1]


def test_a_texel_is_a_way_between_low_and_high(tmp_path: Path) -> None:
    error = vertex_animation.write(tmp_path / "a.png", MOVING)
    note = json.loads((tmp_path / "a.json").read_text())
    shape = {
        "frames": 3,
        "vertices": 2,
        "width": 2,
        "rows_per_frame": 1,
        "low": -3.0,
        "high": 1.0,
        "uv_set": 1,
    }
    assert {name: note[name] for name in shape} == shape
    stays = round(3 / 4 * 65535)
    assert pixels(tmp_path / "a.png").tolist() == [
        [[stays] * 3, [stays] * 3], [[stays] * 3, [65535, stays, stays]],
        [[stays] * 3, [stays, 0, stays]],
    ]  # fmt: skip
    assert 0 < error < 1 / 65535
    worst = np.abs(vertex_animation.read(tmp_path / "a.png", MOVING[0]) - MOVING).max()
    assert error == pytest.approx(worst / 6), "in shares of the box: y runs from -1 to 5"
    assert worst == pytest.approx(0.25 * 4 / 65535, rel=0.02), (
        "0.75 of the levels lies between two of them"
    )


def test_ways_of_which_some_are_negative_only(tmp_path: Path) -> None:
    """The largest way is none: low and high still have something between them."""
    still = np.zeros((2, 3, 3), np.float32)
    assert vertex_animation.write(tmp_path / "a.png", still) < 1e-6
    np.testing.assert_allclose(vertex_animation.read(tmp_path / "a.png", still[0]), 0, atol=1e-8)
    note = json.loads((tmp_path / "a.json").read_text())
    assert note["low"] == 0 and 0 < note["high"] <= 1e-8


@pytest.mark.parametrize("size", [1e-8, 1e-3, 1e4])
def test_scenes_of_any_size_use_all_levels(size: float, tmp_path: Path) -> None:
    error = vertex_animation.write(tmp_path / "a.png", MOVING * np.float32(size))
    assert pixels(tmp_path / "a.png").min() == 0 and pixels(tmp_path / "a.png").max() == 65535
    assert error < 2e-5, "in shares of the box, whatever the unit"
    assert error == pytest.approx(vertex_animation.write(tmp_path / "b.png", MOVING), rel=0.05)


def test_meshes_wider_than_a_picture_take_more_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vertex_animation, "WIDEST", 4)
    positions = np.random.default_rng(0).normal(size=(3, 10, 3)).astype(np.float32)
    vertex_animation.write(tmp_path / "a.png", positions)
    assert pixels(tmp_path / "a.png").shape == (9, 4, 3)
    np.testing.assert_allclose(
        vertex_animation.read(tmp_path / "a.png", positions[0]), positions, atol=1e-3
    )
    texels = vertex_animation.texels(tmp_path / "a.png")
    wide, high = 1 / 4, 1 / 9
    assert texels.shape == (10, 2)
    np.testing.assert_allclose(texels[0], [0.5 * wide, 0.5 * high])
    np.testing.assert_allclose(texels[3], [3.5 * wide, 0.5 * high])
    np.testing.assert_allclose(texels[4], [0.5 * wide, 1.5 * high])
    np.testing.assert_allclose(texels[9], [1.5 * wide, 2.5 * high])
    place = (texels * [4, 9]).astype(int)
    note = json.loads((tmp_path / "a.json").read_text())
    for frame in range(3):  # what the shader does: a block of rows further down for each frame
        levels = pixels(tmp_path / "a.png")[place[:, 1] + 3 * frame, place[:, 0]] / 65535
        np.testing.assert_allclose(
            levels * (note["high"] - note["low"]) + note["low"],
            (positions - positions[0])[frame],
            atol=1e-4,
        )


@pytest.mark.parametrize("frames", [16384, 16385])
def test_pictures_are_16384_texels_high_at_most(frames: int, tmp_path: Path) -> None:
    positions = np.zeros((frames, 1, 3), np.float32)
    if frames == 16384:
        assert vertex_animation.write(tmp_path / "a.png", positions) < 1e-6
    else:
        with pytest.raises(InputError, match="do not fit"):
            vertex_animation.write(tmp_path / "a.png", positions)
        assert not (tmp_path / "a.png").exists()


def test_sharpest_and_flattest_levels_are_kept(tmp_path: Path) -> None:
    """0 and 65535 read back as `low` and `high`, exactly as far as float32 goes."""
    positions = np.zeros((2, 2, 3), np.float32)
    positions[1, 0, 0], positions[1, 1, 2] = -1000, 3000
    vertex_animation.write(tmp_path / "a.png", positions)
    found = vertex_animation.read(tmp_path / "a.png", positions[0])
    assert found[1, 0, 0] == -1000 and found[1, 1, 2] == 3000


def test_sidecars_that_are_damaged(tmp_path: Path) -> None:
    vertex_animation.write(tmp_path / "a.png", MOVING)
    note = json.loads((tmp_path / "a.json").read_text())
    for changed in (
        {"frames": 4},
        {"width": 3},
        {"low": None},
        {"vertices": "many"},
        {"rows_per_frame": 2},
    ):
        (tmp_path / "a.json").write_text(json.dumps({**note, **changed}))
        with pytest.raises(InputError, match="no vertex-animation texture"):
            vertex_animation.read(tmp_path / "a.png", MOVING[0])
    (tmp_path / "a.json").unlink()
    with pytest.raises(InputError, match="There is no file"):
        vertex_animation.read(tmp_path / "a.png", MOVING[0])


def test_the_sidecar_tells_how_long_it_lasts(tmp_path: Path) -> None:
    vertex_animation.write(tmp_path / "a.png", MOVING, 30000 / 1001)
    assert vertex_animation.seconds(tmp_path / "a.png") == pytest.approx(2 * 1001 / 30000)
    vertex_animation.write(tmp_path / "a.png", MOVING)
    assert vertex_animation.seconds(tmp_path / "a.png") == pytest.approx(2 / 24)
