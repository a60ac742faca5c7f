"""Networks of .tflite files: what they compute is what OpenCV's own reader computes; damaged files
are refused.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from helpers.places import DATA
from helpers.tflite_writer import Writer

from backend.protocol import InputError
from backend.talking_head.tracking import landmark_operators
from backend.talking_head.tracking.tflite_network import TfliteNetwork
from backend.talking_head.tracking.weights import SHA256, SHORT_RANGE_FILE

NETWORKS = DATA / "weights/mediapipe_face"
SAME, VALID = 0, 1


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Every builtin operator of the mesh networks that OpenCV knows as well, on a picture of odd
    height.
    """
    w = Writer((1, 13, 16, 3))
    conv = {"Padding": SAME, "StrideW": 2, "StrideH": 2, "FusedActivationFunction": 0}
    x = w.step(
        "CONV_2D",
        [0, w.constant(random(8, 3, 3, 3)), w.constant(random(8))],
        (1, 7, 8, 8),
        ("Conv2DOptions", conv),
    )
    x = w.step("PRELU", [x, w.constant(random(1, 1, 8))], (1, 7, 8, 8))
    deep = {
        "Padding": SAME,
        "StrideW": 1,
        "StrideH": 1,
        "DepthMultiplier": 1,
        "FusedActivationFunction": 1,
    }
    y = w.step(
        "DEPTHWISE_CONV_2D",
        [x, w.constant(random(1, 3, 3, 8)), w.constant(random(8))],
        (1, 7, 8, 8),
        ("DepthwiseConv2DOptions", deep),
    )
    y = w.step("ADD", [x, y], (1, 7, 8, 8), ("AddOptions", {"FusedActivationFunction": 0}))
    pool = {"Padding": VALID, "StrideW": 2, "StrideH": 2, "FilterWidth": 2, "FilterHeight": 2}
    y = w.step("MAX_POOL_2D", [y], (1, 3, 4, 8), ("Pool2DOptions", pool))
    y = w.step(
        "PAD", [y, w.constant(np.array([[0, 0], [1, 0], [0, 2], [0, 0]], np.int32))], (1, 4, 6, 8)
    )
    last = {"Padding": VALID, "StrideW": 1, "StrideH": 1, "FusedActivationFunction": 3}
    y = w.step(
        "CONV_2D",
        [y, w.constant(random(4, 1, 1, 8)), w.constant(random(4))],
        (1, 4, 6, 4),
        ("Conv2DOptions", last),
    )
    return w.write(tmp_path / "small.tflite", {"answer": y})


def opencv(path: Path, image: np.ndarray) -> np.ndarray:
    net = cv2.dnn.readNetFromTFLite(str(path))
    net.setInput(image)
    return net.forward()


def test_a_network_computes_what_opencv_computes(small: Path) -> None:
    image = random(1, 3, 13, 16)
    found = TfliteNetwork(small)(torch.from_numpy(image))["answer"].numpy()
    assert found.shape == (1, 4, 4, 6) and found.std() > 0.1
    np.testing.assert_allclose(found, opencv(small, image), atol=1e-4)


def test_blocks_of_channels_become_pixels_as_tensorflow_orders_them(tmp_path: Path) -> None:
    w = Writer((1, 2, 3, 8))
    y = w.step("DEPTH_TO_SPACE", [0], (1, 4, 6, 2), ("DepthToSpaceOptions", {"BlockSize": 2}))
    network = TfliteNetwork(w.write(tmp_path / "blocks.tflite", {"answer": y}))
    image = torch.arange(48.0).reshape(1, 2, 3, 8)  # channels last
    found = network(image.permute(0, 3, 1, 2))["answer"].permute(0, 2, 3, 1)
    expected = np.zeros((4, 6, 2))
    for row, column, i, j in np.ndindex(2, 3, 2, 2):
        expected[2 * row + i, 2 * column + j] = image[0, row, column].numpy()[
            (2 * i + j) * 2 : (2 * i + j) * 2 + 2
        ]
    np.testing.assert_array_equal(found[0].numpy(), expected)


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "garbled"])
def test_damaged_files_are_refused(small: Path, damage: str) -> None:
    data = small.read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, len(data) - 8, np.uint8).tobytes()
    small.write_bytes(
        {
            "empty": b"",
            "text": b"hello world, hello",
            "truncated": data[: len(data) // 2],
            "garbled": data[:8] + noise,
        }[damage]
    )
    with pytest.raises(InputError, match=r"small\.tflite"):
        TfliteNetwork(small)


def test_an_operator_that_is_unknown_is_named(tmp_path: Path) -> None:
    w = Writer((1, 4, 4, 1))
    path = w.write(
        tmp_path / "odd.tflite", {"answer": w.step("ShowMeTheWay", [0], (1, 4, 4, 1), {"speed": 3})}
    )
    with pytest.raises(InputError, match="ShowMeTheWay"):
        TfliteNetwork(path)


def test_a_closer_look_goes_to_the_landmarks_and_back() -> None:
    """The window's corners are those of the upright box, half as large again; what is seen there is
    what lies there.
    """
    angle = 0.4
    turn = torch.tensor(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float32
    )
    upright = torch.tensor([[-6.0, 0], [6, 0], [0, -2], [0, 3]])
    points = torch.cat([upright @ turn.T + torch.tensor([20.0, 17.0]), torch.zeros(4, 1)], 1)
    options: dict[str, Any] = {
        "subset_idxs": [0, 1, 2, 3],
        "left_rotation_idx": 0,
        "right_rotation_idx": 1,
        "target_rotation_radians": 0.0,
        "output_width": 16,
        "output_height": 8,
        "scale_x": 1.5,
        "scale_y": 1.5,
    }
    matrix = landmark_operators.landmarks_to_transform(points.reshape(1, -1), **options)
    corners = landmark_operators.transform_landmarks(
        torch.tensor([[[0.0, 0, 7], [16, 8, 7]]]), matrix
    )[0]
    expected = torch.tensor([[-9.0, 0.5 - 3.75], [9, 0.5 + 3.75]]) @ turn.T + torch.tensor(
        [20.0, 17.0]
    )
    torch.testing.assert_close(
        corners, torch.cat([expected, torch.full((2, 1), 7.0)], 1), atol=1e-4, rtol=0
    )
    rows, columns = torch.meshgrid(torch.arange(34) + 0.5, torch.arange(40) + 0.5, indexing="ij")
    seen = landmark_operators.sample_through(
        torch.stack([columns, rows])[None], matrix, output_width=16, output_height=8
    )
    center = landmark_operators.transform_landmarks(torch.tensor([[4.5, 2.5]]), matrix)[0]
    torch.testing.assert_close(seen[0, :, 2, 4], center, atol=1e-3, rtol=0)


@pytest.mark.data
@pytest.mark.skipif(not NETWORKS.is_dir(), reason="no ../shared/data")
def test_the_published_networks() -> None:
    image = np.random.default_rng(0).random((1, 3, 128, 128)).astype(np.float32)
    found = TfliteNetwork(NETWORKS / SHORT_RANGE_FILE)(torch.from_numpy(image))[
        "regressors"
    ].numpy()
    np.testing.assert_allclose(
        found, opencv(NETWORKS / SHORT_RANGE_FILE, image).reshape(found.shape), atol=1e-3
    )
    for name in SHA256:
        network = TfliteNetwork(NETWORKS / name)
        outputs = network(torch.rand(1, 3, network.height, network.width))
        assert all(torch.isfinite(values).all() for values in outputs.values())
