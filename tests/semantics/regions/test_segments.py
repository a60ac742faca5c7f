"""Regions by a segmenter that the test makes: connected pixels of one class."""

from pathlib import Path

import numpy as np
from helpers import tiny_onnx

from backend.networks.segmenter import load_segmenter
from backend.semantics.regions.segments import SegmentsConfig, segment_regions


def test_connected_pixels_of_a_class_are_a_region_and_crumbs_are_none(tmp_path: Path) -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    image[10:50, 5:25, 0] = 220  # two red things, apart
    image[10:30, 45:60, 0] = 220
    image[52:54, 70:72, 1] = 220  # a crumb of green
    segmenter = load_segmenter(tiny_onnx.segmenter(tmp_path / "m.onnx"))
    regions, count = segment_regions(segmenter, image, SegmentsConfig(smallest=0.01))
    assert count == 3 and regions.shape == (60, 80)
    assert regions[0, 0] == 0, "the rest of the room, the largest"
    assert regions[30, 15] == 1 and regions[20, 50] == 2
    assert regions[53, 71] in (-1, 0)
    assert np.unique(regions).tolist() in ([-1, 0, 1, 2], [0, 1, 2])
