"""A damaged video shows the same pictures each time it is read, whoever decodes it."""

import contextlib
import hashlib
from pathlib import Path

import av
import numpy as np
from helpers import clips

from backend.media.decoding import Damage, decode, opened_at

FRAMES, SIZE = 48, (96, 64)


def hurt(path: Path) -> Path:
    """A clip whose frames are drawn from each other, with sixty wrong bytes."""
    wall = clips.texture()
    pictures = [wall[k : k + SIZE[1], 2 * k : 2 * k + SIZE[0]] for k in range(FRAMES)]
    clips.write_video(path, pictures)
    data, random = bytearray(path.read_bytes()), np.random.default_rng(0)
    begin = data.find(b"mdat") + 1000
    for place in random.integers(begin, len(data) - 2500, 60):
        data[place] ^= 0xFF
    path.write_bytes(data)
    return path


def read(path: Path, start: float = 0.0) -> tuple[list[str], Damage]:
    damage = Damage(since=start)
    with opened_at(path, start) as container:
        return [
            hashlib.sha256(frame.to_ndarray(format="rgb24").tobytes()).hexdigest()
            for _, frame in decode(container, path, damage, start)
        ], damage


def read_by_one_thread(path: Path) -> list[str]:
    found = []
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for packet in container.demux(video=0):
            with contextlib.suppress(av.FFmpegError):
                found += [f for f in packet.decode() if not f.is_corrupt]
    return [hashlib.sha256(f.to_ndarray(format="rgb24").tobytes()).hexdigest() for f in found]


def test_threads_do_not_show(tmp_path: Path) -> None:
    path = hurt(tmp_path / "hurt.mp4")
    expected = read_by_one_thread(path)
    assert 3 < len(expected) < FRAMES
    for _ in range(4):
        frames, damage = read(path)
        assert frames == expected and damage.frames == FRAMES - len(expected)


def test_nor_where_reading_begins_later(tmp_path: Path) -> None:
    """The second reading starts at the same frame as the first."""
    path = hurt(tmp_path / "hurt.mp4")
    first, _ = read(path, start=2.0)
    assert first and all(read(path, start=2.0)[0] == first for _ in range(3))
