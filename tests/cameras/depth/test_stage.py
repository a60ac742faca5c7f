"""What the stage of depth maps hands on of a capture, beside the depths that it adds."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from helpers import clips

from backend.cameras.depth import stage
from backend.cameras.depth.capture_depth import DepthConfig
from backend.cameras.depth.multiview_depth import DepthMap
from backend.formats import capture
from backend.formats.capture import World


@pytest.mark.parametrize("fps", [0.0, 24000 / 1001, 60.0])
@pytest.mark.parametrize("offset", [(0.0, 0.0, 0.0), (500_000.0, 4_500_000.0, 120.0)])
def test_a_capture_keeps_its_rate_and_where_its_world_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fps: float, offset: tuple[float, ...]
) -> None:
    root, work = tmp_path / "capture", tmp_path / "work"
    work.mkdir()
    clips.write_capture(root, 3)
    first = capture.read(root)
    world = World(offset=np.array(offset))
    capture.write(root, first.frames, first.points, world=world, fps=fps)
    every = np.tile(np.arange(stage.LEAST_POINTS), 3)
    counts = np.full(3, stage.LEAST_POINTS)
    points = np.random.default_rng(0).uniform(-1, 1, (stage.LEAST_POINTS, 3))
    np.savez(work / "visible.npz", points=points, seen=every, counts=counts)

    def all_flat(*given: Any) -> None:
        store: Callable[[int, DepthMap], None] = given[5]
        for index, frame in enumerate(given[0].frames):
            depth = torch.ones(frame.height, frame.width)
            store(index, DepthMap(depth, 0.01 * depth))

    monkeypatch.setattr(stage, "pick_neighbors", lambda *_: [[]] * 3)
    monkeypatch.setattr(stage, "capture_depth", all_flat)
    nothing = np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8)
    monkeypatch.setattr(stage, "fuse", lambda *_: nothing)
    folder = SimpleNamespace(previews=work)
    job: Any = SimpleNamespace(folder=folder, preview=lambda _: None, progress=lambda *_: None)
    found = stage.find_depth(job, root, work / "visible.npz", DepthConfig())
    assert found is not None
    stage.write_depth(found, root)
    again = capture.read(root)
    assert again.fps == fps
    np.testing.assert_array_equal(again.reading.world.offset, offset)
    assert all(f.depth is not None and f.depth.is_file() for f in again.frames)
