"""Long loops that are cancelled and gone on with end where they would have ended, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import clips
from helpers.kept_jobs import make_job

from backend.cameras.flowmap.clip import FlowMapClip
from backend.cameras.flowmap.fit import FlowMapConfig, FlowMapResult, fit
from backend.dynamic_mesh.deformation.registration import RegistrationConfig, register
from backend.dynamic_mesh.deformation.skinning import SkinningConfig, decompose
from backend.dynamic_mesh.footage.propagated_masks import carry
from backend.dynamic_mesh.surfaces.surface import level_set
from backend.media import photos, video
from backend.media.frames import Footage
from backend.media.tracks.follow import FollowConfig, follow
from backend.media.tracks.tracks import make
from backend.protocol import JobCancelled
from backend.runtime import kept_stage
from backend.runtime.kept_stage import KEEP_NOTHING, StageKeeper
from backend.talking_head.motion.motion_training import MotionTrainingConfig, train
from backend.talking_head.motion.motion_translator import MotionTranslatorConfig
from backend.talking_head.motion.speech_clip import SpeechClip
from backend.talking_head.speech.audio_features import CHANNELS

Work = Callable[[StageKeeper, Callable[..., None]], Any]


def both(folder: Path, work: Work, stops: tuple[int, ...]) -> tuple[Any, Any]:
    """What comes of it unbroken, and cancelled after so many reports of progress, each time."""
    resumed = False
    for stop in stops:
        left = stop

        def count(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise JobCancelled("Stopped.", "")

        with pytest.raises(JobCancelled):
            work(StageKeeper(make_job(folder, resumed)), count)
        resumed = True
    assert any((folder / "checkpoint").rglob("*.safetensors"))
    return work(KEEP_NOTHING, lambda *_: None), work(
        StageKeeper(make_job(folder, True)), lambda *_: None
    )


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_stage, "SECONDS", 0.0)


def small_clip() -> FlowMapClip:
    """Six pictures of noise that slides by a pixel a frame."""
    random = np.random.default_rng(0)
    wide = torch.from_numpy(random.random((3, 16, 40)).astype(np.float32))
    video = torch.stack([wide[:, :, i : i + 24] for i in range(6)])
    flow = torch.zeros(5, 16, 24, 2)
    flow[..., 0] = -1 / 24
    seen = [
        (j, p, (0.3 + p / 60 - j / 24, 0.2 + (p * 7 % 20) / 40))
        for p in range(30)
        for j in range(6)
    ]
    frame, point, uv = (np.array(column) for column in zip(*seen, strict=True))
    return FlowMapClip(
        video=video,
        forward=flow,
        backward=-flow,
        forward_trust=torch.ones(5, 16, 24),
        backward_trust=torch.ones(5, 16, 24),
        tracks=make(frame, point, uv),
    )


@pytest.mark.parametrize("stops", [(1,), (9, 4, 3)])  # before and behind the second start
def test_flowmap(tmp_path: Path, stops: tuple[int, ...]) -> None:
    clip = small_clip()
    config = FlowMapConfig(steps=24, window=4, mirror_at=0.3, mirror_steps=2, tracks_from=3)

    def work(keeper: StageKeeper, progress: Callable[..., None]) -> FlowMapResult:
        return fit(clip, config, progress=progress, keeper=keeper)

    whole, again = both(tmp_path, work, stops)
    assert torch.equal(whole.camera_to_world, again.camera_to_world)
    assert torch.equal(whole.depth, again.depth) and whole.focal == again.focal


def test_following_points(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 140)).astype(np.uint8)
    frames = [np.ascontiguousarray(noise[:, 3 * i : 3 * i + 90]) for i in range(8)]

    def work(keeper: StageKeeper, progress: Callable[..., None]) -> Any:
        return follow(frames, FollowConfig(points=60), None, progress, keeper)

    whole, again = both(tmp_path, work, (2, 3))
    assert whole.points > 20
    for name in ("frame", "point", "uv"):
        assert np.array_equal(getattr(whole, name), getattr(again, name))


@pytest.mark.parametrize("known", [(0,), (0, 7), (4,)])
def test_propagated_masks(tmp_path: Path, known: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    ground, thing = (random.integers(0, 256, (60, 80, 3)).astype(np.uint8) for _ in range(2))
    images, masks = [], []
    for step in range(8):
        inside = np.zeros((60, 80), bool)
        inside[20:44, 10 + 2 * step : 34 + 2 * step] = True
        moved = np.roll(thing, 2 * step, 1)
        images.append(np.where(inside[..., None], moved, ground))
        masks.append((inside * 255).astype(np.uint8))

    def work(keeper: StageKeeper, progress: Callable[..., None]) -> Any:
        given = [mask if i in known else None for i, mask in enumerate(masks)]
        return carry(images, given, progress=progress, keeper=keeper)

    whole, again = both(tmp_path, work, (3, 4, 3))
    assert all(np.array_equal(one, other) for one, other in zip(whole, again, strict=True))


def test_learning_to_speak(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(600, CHANNELS)).astype(np.float32)
    motion = random.random((180, 3)).astype(np.float32)
    clip = SpeechClip(features, motion, 30.0)
    config = MotionTranslatorConfig(channels=CHANNELS, coefficients=3)

    def work(keeper: StageKeeper, progress: Callable[..., None]) -> Any:
        training = MotionTrainingConfig(steps=6, batch=2)
        return train([clip], config, training, progress=progress, keeper=keeper).state_dict()

    whole, again = both(tmp_path, work, (2, 2))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def contents(footage: Footage) -> list[Any]:
    files = [(footage.folder / name).read_bytes() for name in footage.names]
    return [files, replace(footage, folder=Path())]


@pytest.mark.parametrize("stops", [(5,), (7, 14)])
def test_frames_of_a_video(tmp_path: Path, stops: tuple[int, ...]) -> None:
    """The second run decodes what the first had looked at, but does not look at it again."""
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (48, 64, 3)).astype(np.uint8) for _ in range(20)]
    clips.write_video(tmp_path / "v.mp4", images)

    def work(keeper: StageKeeper, progress: Callable[..., None]) -> Any:
        folder = tmp_path / ("kept" if keeper.job else "whole")
        video_file = tmp_path / "v.mp4"
        return contents(video.extract(video_file, folder, 6, 0, progress=progress, keeper=keeper))

    whole, again = both(tmp_path, work, stops)
    assert whole == again and len(whole[0]) == 6
    (tmp_path / "kept/0002.jpg").unlink()  # what was kept is not there
    assert work(StageKeeper(make_job(tmp_path, True)), lambda *_: None) == whole


def test_photos(tmp_path: Path) -> None:
    clips.write_photos(tmp_path / "photos", 6, (64, 48))
    (tmp_path / "photos/002.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    def work(keeper: StageKeeper, progress: Callable[..., None]) -> Any:
        folder = tmp_path / ("kept" if keeper.job else "whole")
        return contents(photos.gather(tmp_path / "photos", folder, 6, 32, progress, keeper))

    whole, again = both(tmp_path, work, (2, 2))
    assert whole == again and len(whole[0]) == 5


def ball(size: float) -> tuple[np.ndarray, np.ndarray]:
    axis = np.linspace(-1, 1, 16)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    surface = level_set(0.7 - np.sqrt(x**2 + (y / size) ** 2 + z**2), 0.0, -1.0, 1.0)
    assert surface is not None
    return surface.vertices, surface.faces


def test_following_meshes(tmp_path: Path) -> None:
    meshes = [ball(size) for size in (1.0, 1.05, 1.1, 1.15)]
    config = RegistrationConfig(faces=300, nodes=12, steps=4, samples=200)

    def work(keeper: StageKeeper, progress: Callable[..., None]) -> Any:
        return register(meshes, config, progress, keeper)

    whole, again = both(tmp_path, work, (2, 1))
    assert np.array_equal(whole.positions, again.positions)
    assert np.array_equal(whole.distances, again.distances)


def test_finding_bones(tmp_path: Path) -> None:
    rest = np.random.default_rng(0).random((80, 3))
    bent = [rest + np.sin(t + 3 * rest[:, :1]) * [0, 0.2, 0.1] for t in np.linspace(0, 2, 6)]

    def work(keeper: StageKeeper, progress: Callable[..., None]) -> Any:
        config = SkinningConfig(bones=5, clusterings=3, rounds=3)
        return decompose(np.stack(bent), config, progress, keeper)

    whole, again = both(tmp_path, work, (2, 3))
    assert np.array_equal(whole.transforms, again.transforms)
    assert np.array_equal(whole.weights, again.weights)
