"""Frames out of video files with PyAV: upright, square pixels, the sharpest of each stretch of time."""

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
    return np.ascontiguousarray(np.rot90(rgb, round((frame.rotation or 0) / 90)))


def probe(path: Path) -> VideoInfo:
    """Size, pace and length. Decodes one frame, since only frames know their rotation."""
    with open_video(path) as container:
        stream = container.streams.video[0]
        frame = next(_decode(container, path), None)
        if frame is None:
            raise _cannot(path, "no frame of it can be decoded")
        fps = float(stream.average_rate or stream.guessed_rate or 25)
        seconds = _seconds(stream.duration, stream.time_base) or _seconds(container.duration, Fraction(1, av.time_base))
        seconds = seconds or stream.frames / fps
        turned = round((frame.rotation or 0) / 90) % 2 == 1
        size = (frame.height, frame.width) if turned else (frame.width, frame.height)
        return VideoInfo(*size, fps, seconds, stream.frames or round(seconds * fps))


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
        score = sharpness(frame.reformat(width=small[0], height=small[1], format="gray8").to_ndarray())
        if score > self.score:
            self.score, self.pixels, self.time = score, _upright(frame, *size), time


def _stored_size(frame: av.VideoFrame, stream: av.VideoStream, max_side: int) -> tuple[int, int]:
    """Output size in the stored orientation, with square pixels."""
    aspect = float(stream.sample_aspect_ratio or 1) or 1.0
    return fit_size(round(frame.width * aspect), frame.height, max_side)


def extract(
    path: Path, folder: Path, count: int, max_side: int, start: float = 0.0, end: float = 0.0, progress: Progress = lambda step, total: None
) -> Footage:
    """Writes at most `count` frames of [start, end] seconds (0: to the end) as JPEG into `folder`, the sharpest of each
    equal stretch. Raises InputError when fewer than three can be had.
    """
    info = probe(path)
    stop = min(end, info.duration) if end and info.duration else (end or info.duration or float("inf"))
    if stop <= start:
        raise InputError(f"The range from {start:g} s to {stop:g} s of {path.name} is empty.", f"The video is {info.duration:.1f} s long.")
    span = (stop - start) / count if stop != float("inf") else 1 / info.fps
    total = max(1, round(info.fps * (stop - start))) if stop != float("inf") else 0
    folder.mkdir(parents=True, exist_ok=True)
    with open_video(path) as container:
        stream, best, bucket, size = container.streams.video[0], _Best(), 0, None
        if start > 1:
            container.seek(int(start * av.time_base))
        first = float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0
        names: list[str] = []
        times: list[float] = []

        def keep() -> None:
            nonlocal best
            if best.pixels is not None:
                names.append(f"{len(names) + 1:04d}.jpg")
                times.append(round(best.time, 6))
                Image.fromarray(best.pixels).save(folder / names[-1], quality=95, subsampling=0)
            best = _Best()

        for index, frame in enumerate(_decode(container, path)):
            time = frame.time - first if frame.time is not None else index / info.fps
            if time < start - 1e-6:
                continue
            if time > stop + 1e-6 or len(names) >= count:
                break
            size = size or _stored_size(frame, stream, max_side)
            if int((time - start) / span) > bucket:
                keep()
                bucket = int((time - start) / span)
            best.offer(frame, size, time)
            progress(index + 1, max(total, index + 1))
        if len(names) < count:
            keep()
    if len(names) < MIN_FRAMES:
        few = "one frame" if len(names) == 1 else f"{len(names)} frames"
        raise _cannot(path, f"it gives only {few}, and cameras need at least {MIN_FRAMES}")
    with Image.open(folder / names[0]) as image:
        return Footage(folder, names, times, *image.size, 0.0, info.width)
