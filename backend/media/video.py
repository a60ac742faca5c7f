"""Frames out of video files with PyAV: upright, square pixels, the sharpest of each stretch of time."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from PIL import Image

from ..protocol import InputError
from .frames import Footage, Pixels, fit_size, sharpness

Progress = Callable[[int, int], None]
MIN_FRAMES = 3


@dataclass(frozen=True)
class VideoInfo:
    """What the container says. `frames` may be an estimate."""

    width: int  # upright
    height: int
    fps: float
    duration: float  # seconds
    frames: int


def _cannot(path: Path, why: str) -> InputError:
    return InputError(f"{path.name} can't be used as a video: {why}.", "Choose a video file that a player shows.")


def open_video(path: Path) -> av.container.InputContainer:
    """Opens a file that has a picture stream; InputError for anything else."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.", "Check the path.")
    if path.stat().st_size == 0:
        raise _cannot(path, "the file is empty")
    try:
        container = av.open(str(path), "r")
    except (FFmpegError, OSError, ValueError) as error:
        raise _cannot(path, "it is not a video, or it is damaged") from error
    if not container.streams.video:
        container.close()
        raise _cannot(path, "it holds sound but no picture")
    return container


def _upright(frame: av.VideoFrame, width: int, height: int) -> Pixels:
    """RGB in the size given for the stored orientation, then turned as the rotation flag says."""
    rgb = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(rgb.astype(np.uint8, copy=False), round((frame.rotation or 0) / 90)))


def probe(path: Path) -> VideoInfo:
    """Size, pace and length. Decodes one frame, since only frames know their rotation."""
    with open_video(path) as container:
        stream = container.streams.video[0]
        frame = next(_decode(container, path), None)
        if frame is None:
            raise _cannot(path, "no frame of it can be decoded")
        fps = float(stream.average_rate or stream.guessed_rate or 25)
        seconds = _seconds(stream.duration, stream.time_base) or _seconds(container.duration, Fraction(1, av.time_base))
        seconds = seconds or stream.frames / fps or _measured_seconds(path)
        turned = round((frame.rotation or 0) / 90) % 2 == 1
        size = (frame.height, frame.width) if turned else (frame.width, frame.height)
        return VideoInfo(*size, fps, seconds, stream.frames or round(seconds * fps))


def _measured_seconds(path: Path) -> float:
    """Length of a stream whose container does not tell it (recordings, raw streams): by reading all packets."""
    with open_video(path) as container:
        stream, last, count = container.streams.video[0], 0.0, 0
        for packet in container.demux(stream):
            count += packet.size > 0
            last = max(last, _seconds(packet.pts, packet.time_base))
        return last or count / float(stream.average_rate or stream.guessed_rate or 25)


def _seconds(ticks: int | None, base: Fraction | None) -> float:
    return float(ticks * base) if ticks and base and ticks > 0 else 0.0


def _decode(container: av.container.InputContainer, path: Path) -> Iterator[av.VideoFrame]:
    """Frames in order; a damaged tail ends the video, damage before the first frame is an error."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    seen = False
    try:
        for frame in container.decode(stream):
            seen = True
            yield frame
    except (FFmpegError, ValueError) as error:
        if not seen:
            raise _cannot(path, "no frame of it can be decoded") from error


@dataclass
class _Best:
    """The sharpest frame of the current stretch."""

    score: float = -1.0
    pixels: Pixels | None = None
    time: float = 0.0

    def offer(self, frame: av.VideoFrame, size: tuple[int, int], time: float) -> None:
        small = fit_size(frame.width, frame.height, 480)
        gray = frame.reformat(width=small[0], height=small[1], format="gray8").to_ndarray()
        score = sharpness(gray.astype(np.uint8, copy=False))
        if score > self.score:
            self.score, self.pixels, self.time = score, _upright(frame, *size), time


def _stored_size(frame: av.VideoFrame, stream: av.VideoStream, max_side: int) -> tuple[int, int]:
    """Output size in the stored orientation, with square pixels."""
    aspect = float(stream.sample_aspect_ratio or 1) or 1.0
    return fit_size(round(frame.width * aspect), frame.height, max_side)


class _Store:
    """Writes chosen frames as numbered JPEG files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.names: list[str] = []
        self.times: list[float] = []

    def add(self, pixels: Pixels, time: float) -> None:
        self.names.append(f"{len(self.names) + 1:04d}.jpg")
        self.times.append(round(time, 6))
        Image.fromarray(pixels).save(self.folder / self.names[-1], quality=95, subsampling=0)

    def footage(self, path: Path) -> Footage:
        if len(self.names) < MIN_FRAMES:
            few = "one frame" if len(self.names) == 1 else f"{len(self.names)} frames"
            raise _cannot(path, f"it gives only {few}, and cameras need at least {MIN_FRAMES}")
        with Image.open(self.folder / self.names[0]) as image:
            return Footage(self.folder, self.names, self.times, *image.size, 0.0, ordered=True)


def _timed(container: av.container.InputContainer, path: Path, fps: float) -> Iterator[tuple[float, av.VideoFrame]]:
    """Frames with their seconds from the start of the picture."""
    stream = container.streams.video[0]
    first = float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0
    for index, frame in enumerate(_decode(container, path)):
        yield (frame.time - first if frame.time is not None else index / fps), frame


def extract(
    path: Path, folder: Path, count: int, max_side: int, start: float = 0.0, end: float = 0.0, progress: Progress = lambda step, total: None
) -> Footage:
    """Writes at most `count` frames of [start, end] seconds (0: to the end) as JPEG into `folder`, the sharpest of each
    equal stretch. Raises InputError when fewer than three can be had.
    """
    info = probe(path)
    stop = min(end, info.duration) if end and info.duration else (end or info.duration or math.inf)
    if stop <= start:
        raise InputError(f"The range from {start:g} s to {stop:g} s of {path.name} is empty.", f"The video is {info.duration:.1f} s long.")
    span = (stop - start) / count if math.isfinite(stop) else 1 / info.fps
    total = max(1, round(info.fps * (stop - start))) if math.isfinite(stop) else 0
    store, best, bucket = _Store(folder), _Best(), 0
    with open_video(path) as container:
        if start > 1:
            container.seek(int(start * av.time_base))
        for time, frame in _timed(container, path, info.fps):
            if time < start - 1e-6:
                continue
            if time > stop + 1e-6 or len(store.names) >= count:
                break
            if int((time - start) / span) > bucket and best.pixels is not None:
                store.add(best.pixels, best.time)
                best, bucket = _Best(), int((time - start) / span)
            best.offer(frame, _stored_size(frame, container.streams.video[0], max_side), time)
            progress(min(total, round((time - start) * info.fps)) if total else len(store.names), total or count)
    if len(store.names) < count and best.pixels is not None:
        store.add(best.pixels, best.time)
    return store.footage(path)


def extract_indices(path: Path, folder: Path, indices: list[int], max_side: int) -> Footage:
    """The frames with these numbers, from 0, in rising order."""
    wanted, store, fps = set(indices), _Store(folder), probe(path).fps
    with open_video(path) as container:
        for index, (time, frame) in enumerate(_timed(container, path, fps)):
            if index in wanted:
                store.add(_upright(frame, *_stored_size(frame, container.streams.video[0], max_side)), time)
            if index >= max(indices):
                break
    if len(store.names) < len(indices):
        raise InputError(f"{path.name} has fewer frames than the cameras ask for.", "Choose the clip that the cameras were solved from.")
    return store.footage(path)
