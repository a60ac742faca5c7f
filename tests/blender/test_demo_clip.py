"""The clip that the add-on renders itself: small here, and with few samples."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FRAMES, WIDTH, HEIGHT = 3, 60, 40
KINDS = ("objects", "meshes", "materials", "images", "worlds", "actions", "scenes", "node_groups")


@pytest.fixture
def small(bpy: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The room of the demo clip, set to a clip of moments."""
    clip = rooms("scene.captures.demo_clip")
    for name, value in (("FRAMES", FRAMES), ("WIDTH", WIDTH), ("HEIGHT", HEIGHT), ("SAMPLES", 1)):
        monkeypatch.setattr(clip, name, value)
    return clip


def test_a_demo_clip_has_its_cameras_and_leaves_nothing(
    bpy: Any, small: Any, tmp_path: Path
) -> None:
    before = {kind: len(getattr(bpy.data, kind)) for kind in KINDS}
    path = small.make(tmp_path / "clip.mp4")
    assert path.stat().st_size > 1000
    assert {kind: len(getattr(bpy.data, kind)) for kind in KINDS} == before
    frames = json.loads((tmp_path / "truth.json").read_text())["frames"]
    assert [frame["file_path"] for frame in frames] == ["0001.png", "0002.png", "0003.png"]
    places = np.array([frame["transform_matrix"] for frame in frames])[:, :3, 3]
    assert np.allclose(np.hypot(*places[:, :2].T), 4.4, atol=1e-4)  # an arc around the table


def test_no_part_of_the_demo_is_without_texture(bpy: Any, small: Any, tmp_path: Path) -> None:
    small.make(tmp_path / "clip.mp4")
    movie = bpy.data.images.load(str(tmp_path / "clip.mp4"))
    pixels = np.zeros(movie.size[0] * movie.size[1] * 4, np.float32)
    movie.pixels.foreach_get(pixels)
    gray = pixels.reshape(HEIGHT, WIDTH, 4)[..., :3].mean(2)
    blocks = gray.reshape(HEIGHT // 10, 10, WIDTH // 10, 10).std(axis=(1, 3))
    assert blocks.min() > 0.01
    assert 0.15 < gray.mean() < 0.7  # neither too dark nor burnt out


def test_a_blender_without_the_panorama_gets_an_even_sky(
    bpy: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = rooms("scene.captures.still_life.studio")
    monkeypatch.setattr(studio, "PANORAMA", "of no Blender.exr")
    scene = bpy.data.scenes.new("Dim")
    try:
        studio.world(scene)
        assert not any(node.type == "TEX_ENVIRONMENT" for node in scene.world.node_tree.nodes)
    finally:
        bpy.data.worlds.remove(scene.world)
        bpy.data.scenes.remove(scene)
