"""Videos are the same bytes, however often their making was stopped, and play as they should."""

from pathlib import Path

import av
import numpy as np
import pytest
from helpers import clips
from helpers.sounds import write_wav

from backend.media import video_parts
from backend.media.video_parts import VideoParts
from backend.media.video_writer import VideoWriter

COUNT, RATE, LENGTH = 11, 29.97, 4
NOTE = "synthetic"
# sides that are no multiples of 16: the encoder must not look at memory that nobody has written
ODD, RUNS, PICTURES = (186, 138), 8, 24


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_parts, "LENGTH", LENGTH)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [clips.ray_cast(clips.camera_on_arc(i / 10), 60.0, (64, 48)) for i in range(COUNT)]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    wave = 0.3 * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)
    write_wav(tmp_path / "sound.wav", wave[:, None], 48_000)
    return tmp_path / "sound.wav"


def test_a_stopped_video_is_the_same(
    pictures: list[np.ndarray], sound: Path, tmp_path: Path
) -> None:
    whole = VideoParts(tmp_path / "whole", RATE)
    for image in pictures:
        whole.add(image)
    whole.join(tmp_path / "whole.mp4", NOTE, sound)
    for stop in (2, 4, 9, COUNT):
        parts = VideoParts(tmp_path / "stopped", RATE)
        for image in pictures[parts.pictures : stop]:
            parts.add(image)
        assert VideoParts(tmp_path / "stopped", RATE).pictures == stop // LENGTH * LENGTH
    parts.join(tmp_path / "stopped.mp4", NOTE, sound)
    assert (tmp_path / "stopped.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_half_written_part_is_no_part(pictures: list[np.ndarray], tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / ".00000.123.part.mp4").write_bytes(b"half")
    assert VideoParts(folder, RATE).pictures == 0
    assert not list(folder.iterdir())


def test_the_video_plays_evenly_with_its_sound(
    pictures: list[np.ndarray], sound: Path, tmp_path: Path
) -> None:
    parts = VideoParts(tmp_path / "parts", RATE)
    for image in pictures:
        parts.add(image)
    parts.join(tmp_path / "video.mp4", NOTE, sound)
    with av.open(str(tmp_path / "video.mp4")) as container:
        assert container.metadata["comment"] == NOTE
        heard = container.streams.audio[0]
        assert float(heard.duration * heard.time_base) == pytest.approx(COUNT / RATE, abs=0.1)
        frames = list(container.decode(video=0))
    times = np.array([float(frame.time) for frame in frames])
    assert np.allclose(times, np.arange(COUNT) / RATE, atol=1e-4)
    shown = [frame.to_ndarray(format="rgb24").astype(float) for frame in frames]
    for number, image in enumerate(shown):
        misses = [np.abs(image - other).mean() for other in pictures]
        assert int(np.argmin(misses)) == number


def test_odd_sides_give_the_same_bytes(tmp_path: Path) -> None:
    """In memory that holds other things each time."""
    wide = clips.texture(256)
    shown = [wide[i : i + ODD[1], 2 * i : 2 * i + ODD[0]] for i in range(PICTURES)]
    random, found = np.random.default_rng(0), set()
    for run in range(RUNS):
        litter = [random.bytes(ODD[0] * ODD[1] * 3 // 2 + 97 * run) for _ in range(20)]
        del litter
        writer = VideoWriter(tmp_path / "video.mp4", 25.0, *ODD)
        for image in shown:
            writer.add(image)
        writer.close()
        found.add((tmp_path / "video.mp4").read_bytes())
    assert len(found) == 1
