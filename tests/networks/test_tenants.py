"""Segmenters, depth and SAM on tiny networks that the tests make."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import tiny_onnx

from backend.networks.relative_depth import DisparityConfig, align, load_depth, shown_size
from backend.networks.sam import BACKGROUND, FOREGROUND, load_sam
from backend.networks.segmenter import load_segmenter
from backend.protocol import InputError


def halves(height: int = 40, width: int = 60) -> np.ndarray:
    """Left red, right green, a dark bar below."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2, 0] = 220
    image[:, width // 2 :, 1] = 220
    image[height * 3 // 4 :] = 10
    return image


def test_a_segmenter_says_what_every_pixel_shows(tmp_path: Path) -> None:
    image = halves()
    expected = np.where(image[..., 0] > 100, 1, np.where(image[..., 1] > 100, 2, 0))
    found = load_segmenter(tiny_onnx.segmenter(tmp_path / "onnx" / "model.onnx")).classes(image)
    assert found.shape == (40, 60) and (found == expected).mean() > 0.97
    again = load_segmenter(tmp_path).classes(image)  # its folder, as the hub lays them out
    np.testing.assert_array_equal(found, again)


def test_bytes_in_and_classes_out_work_too(tmp_path: Path) -> None:
    model = load_segmenter(tiny_onnx.bytes_segmenter(tmp_path / "m.onnx"))
    image = halves()
    assert ((model.classes(image) == 1) == (image[..., 0] > 127)).mean() > 0.95


@pytest.mark.parametrize("chance", [True, False])
def test_a_single_score_tells_things_from_the_rest(tmp_path: Path, chance: bool) -> None:
    model = load_segmenter(tiny_onnx.matte(tmp_path / "m.onnx", chance))
    image = halves()
    assert ((model.classes(image) == 1) == (image[..., 0] > 127)).mean() > 0.95


def test_settings_beside_the_model_say_its_colours(tmp_path: Path) -> None:
    path = tiny_onnx.segmenter(tmp_path / "m.onnx")
    settings = tmp_path / "preprocessor_config.json"
    settings.write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
    assert load_segmenter(path).normalization.mean == (0.5, 0.5, 0.5)
    settings.write_text(json.dumps({"do_normalize": False}))
    assert load_segmenter(path).normalization.deviation == (1.0, 1.0, 1.0)
    for bad in ({"image_mean": "x"}, {"image_std": [0, 1, 1]}, {"image_mean": [1]}):
        settings.write_text(json.dumps(bad))
        with pytest.raises(InputError, match="which colours"):
            load_segmenter(path)


def test_other_networks_are_refused_by_what_they_take(tmp_path: Path) -> None:
    path = tiny_onnx.doubling(tmp_path / "m.onnx")
    for load, what in ((load_segmenter, "a segmenter"), (load_depth, "a depth model")):
        with pytest.raises(InputError, match=f"m.onnx is not {what}"):
            load(path)
    (tmp_path / "weights.pt").write_bytes(b"x")
    with pytest.raises(InputError, match="is no ONNX file"):
        load_depth(tmp_path / "weights.pt")
    tiny_onnx.doubling(tmp_path / "n.onnx")
    with pytest.raises(InputError, match=r"several models: m.onnx, n.onnx"):
        load_depth(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no ONNX file"):
        load_depth(tmp_path / "empty")


def test_disparity_is_of_the_pictures_size(tmp_path: Path) -> None:
    model = load_depth(tiny_onnx.depth(tmp_path / "d.onnx"))
    image = np.repeat(np.linspace(0, 255, 90).astype(np.uint8)[None, :, None], 50, 0).repeat(3, 2)
    found = model.disparity(image)
    assert found.shape == (50, 90) and found.dtype == np.float32
    assert np.all(np.diff(found.mean(0)) > -1e-3) and found[:, -1].mean() > found[:, 0].mean() + 3
    assert shown_size(480, 640, DisparityConfig()) == (518, 686)
    assert shown_size(100, 1000, DisparityConfig()) == (98, 1036)


def test_depth_is_aligned_though_a_third_is_wrong() -> None:
    rng = np.random.default_rng(1)
    depth = rng.uniform(1, 6, (40, 50)).astype(np.float32)
    disparity = ((1 / depth - 0.05) / 0.02).astype(np.float32)
    noisy = disparity + rng.normal(0, 0.3, depth.shape).astype(np.float32)
    told, known = depth.copy(), rng.random(depth.shape) < 0.3
    wrong = rng.random(depth.shape) < 0.33
    told[wrong] = rng.uniform(0.5, 20, int(wrong.sum()))
    found = align(noisy, told, known)
    assert found.points == known.sum()
    np.testing.assert_allclose([found.scale, found.shift], [0.02, 0.05], rtol=0.1)
    exact = align(disparity, depth, known)
    np.testing.assert_allclose(exact.depth(disparity), depth, rtol=1e-3)
    assert exact.residual < 1e-4 and np.isinf(exact.depth(np.array([[-4.0]], np.float32))).all()


def test_depth_that_can_not_be_aligned_is_said() -> None:
    depth = np.linspace(1, 2, 30, dtype=np.float32).reshape(5, 6)
    every = np.ones(depth.shape, bool)
    with pytest.raises(InputError, match="too few to align"):
        align((1 / depth).astype(np.float32), depth, np.zeros(depth.shape, bool))
    with pytest.raises(InputError, match="runs against"):
        align(depth, depth, every)
    with pytest.raises(InputError, match="runs against"):
        align(np.ones_like(depth), depth, every)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("free", [True, False])
def test_sam_answers_places_in_a_picture(tmp_path: Path, plain: bool, free: bool) -> None:
    network = load_sam(tiny_onnx.sam(tmp_path, plain, free=free))
    assert network.is_plain is plain and network.side == 1024
    image = halves()
    seen = network.look(image)
    assert seen.embedding.shape == (1, 3, 64, 64)
    places = np.array([[[10, 10]], [[45, 10]], [[30, 36]]], np.float32)
    found = network.ask(seen, places, np.full((3, 1), FOREGROUND, np.float32))
    assert found.logits.shape == (3, 3, 171, 256) and found.scores.shape == (3, 3)
    masks = (image[..., 0] > 100, image[..., 1] > 100, image.max(2) < 100)
    for number, expected in enumerate(masks):
        mask = found.at_size(number, 1, 60, 40)
        assert (mask & expected).sum() > 0.9 * (mask | expected).sum()


def test_several_points_have_one_reading(tmp_path: Path) -> None:
    network = load_sam(tiny_onnx.sam(tmp_path))
    places = np.array([[[10, 10], [45, 10]]], np.float32)
    labels = np.array([[FOREGROUND, BACKGROUND]], np.float32)
    found = network.ask(network.look(halves()), places, labels)
    assert found.scores.round(2).tolist() == [[0.5]]


def test_what_is_no_sam_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        load_sam(tmp_path / "none")
    (tmp_path / "sam.pth").write_bytes(b"x")
    with pytest.raises(InputError, match="no longer read") as error:
        load_sam(tmp_path / "sam.pth")
    assert "Get a Model" in error.value.advice
    folder = tiny_onnx.sam(tmp_path / "sam")
    (folder / "tiny_decoder_multi.onnx").rename(folder / "tiny_other.onnx")
    with pytest.raises(InputError, match="no ONNX file with decoder"):
        load_sam(folder)
    tiny_onnx.doubling(folder / "decoder.onnx")
    with pytest.raises(InputError, match=r"decoder.onnx is not a SAM's decoder"):
        load_sam(folder)
