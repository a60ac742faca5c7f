"""Frames out of video files with PyAV: upright, square pixels, the sharpest of each stretch of
time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from PIL import Image

from ..geometry.arrays import Pixels
from ..protocol import InputError
from ..runtime.kept_stage import KEEP_NOTHING, KeptRows, StageKeeper
from .decoding import Damage, cannot, decode, open_video, opened_at, probe, reach
from .frames import Footage, fit_size, sharpness
from .high_dynamic_range import range_name, tone_mapped
from .open_image import opened

Progress = Callable[[int, int], None]
MIN_FRAMES = 3
BREAKS_OFF = 0.05  # share of a video that may be missing at its end without a word


def upright(frame: av.VideoFrame, stream: av.VideoStream, max_side: int) -> Pixels:
    """sRGB with square pixels, scaled down so that the longer side is at most `max_side`, turned as
    the rotation flag says.
    """
    width, height = _stored_size(frame, stream, max_side)
    rgb = (
        tone_mapped(frame, width, height)
        if range_name(frame)
        else frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    )
    return np.ascontiguousarray(
        np.rot90(rgb.astype(np.uint8, copy=False), round((frame.rotation or 0) / 90))
    )


@dataclass
class _Best:
    """The sharpest frame of the current stretch."""

    score: float = -1.0
    pixels: Pixels | None = None
    time: float = 0.0

    def offer(
        self, frame: av.VideoFrame, stream: av.VideoStream, max_side: int, time: float
    ) -> None:
        small = fit_size(frame.width, frame.height, 480)
        gray = frame.reformat(width=small[0], height=small[1], format="gray8").to_ndarray()
        score = sharpness(gray.astype(np.uint8, copy=False))
        if score > self.score:
            self.score, self.pixels, self.time = score, upright(frame, stream, max_side), time


def _stored_size(frame: av.VideoFrame, stream: av.VideoStream, max_side: int) -> tuple[int, int]:
    """Output size in the stored orientation, with square pixels."""
    aspect = float(stream.sample_aspect_ratio or 1) or 1.0
    return fit_size(round(frame.width * aspect), frame.height, max_side)


@dataclass(frozen=True)
class StoredFrame:
    """A frame that lies in its file; `stretch` of time that it is the sharpest of."""

    name: str
    time: float
    shape: list[int]
    stretch: int


class _Store:
    """Writes chosen frames as numbered JPEG files; `frames` may begin with those of a stopped
    run.
    """

    def __init__(self, folder: Path, frames: KeptRows[StoredFrame]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.frames = folder, frames
        if not all((folder / frame.name).is_file() for frame in frames.values):
            frames.forget()

    @property
    def names(self) -> list[str]:
        return [frame.name for frame in self.frames.values]

    @property
    def times(self) -> list[float]:
        return [frame.time for frame in self.frames.values]

    @property
    def stretch(self) -> int:
        """Of the last one; -1 where there is none."""
        return self.frames.values[-1].stretch if self.frames.values else -1

    def add(self, pixels: Pixels, time: float, stretch: int = 0) -> None:
        name = f"{len(self.frames.values) + 1:04d}.jpg"
        Image.fromarray(pixels).save(self.folder / name, quality=95, subsampling=0)
        self.frames.add(StoredFrame(name, round(time, 6), [*pixels.shape], stretch))

    def footage(self, path: Path, fps: float) -> Footage:
        if len(self.names) < MIN_FRAMES:
            few = "one frame" if len(self.names) == 1 else f"{len(self.names)} frames"
            raise cannot(path, f"it gives only {few}, and cameras need at least {MIN_FRAMES}")
        with opened(self.folder / self.names[0]) as image:
            width, height = image.size
        return Footage(
            folder=self.folder,
            names=self.names,
            times=self.times,
            fps=fps,
            width=width,
            height=height,
            focal=0.0,
            ordered=True,
        )


def extract(
    path: Path,
    folder: Path,
    count: int,
    max_side: int,
    start: float = 0.0,
    end: float = 0.0,
    progress: Progress = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Footage:
    """Writes at most `count` frames of [start, end] seconds (0: to the end) as JPEG into `folder`,
    the sharpest of each equal stretch. Raises InputError when fewer than three can be had; the
    footage's `damage` tells what is missing.
    """
    info = probe(path)
    stop = min(end, info.duration) if end and info.duration else (end or info.duration or math.inf)
    if stop <= start:
        raise InputError(
            f"The range from {start:g} s to {stop:g} s of {path.name} is empty.",
            f"The video is {info.duration:.1f} s long.",
        )
    span = (stop - start) / count if math.isfinite(stop) else 1 / info.fps
    total = max(1, round(info.fps * (stop - start))) if math.isfinite(stop) else 0
    damage, time, size = Damage(since=start), start, None
    with (
        keeper.rows("frames", StoredFrame) as rows,
        opened_at(path, start) as container,
    ):
        store, best, stretch = _Store(folder, rows), _Best(), 0
        begun = store.stretch
        for time, frame in decode(container, path, damage, start):
            if time < start - 1e-6:
                continue
            now = int((time - start) / span)
            if time > stop + 1e-6 or (now > begun and len(store.names) >= count):
                break
            size = size or (frame.width, frame.height)
            if (frame.width, frame.height) != size:  # another lens, as far as cameras are concerned
                damage.resized = damage.resized or time
                continue
            if now > begun:  # what came before is stored
                if now > stretch and best.pixels is not None:
                    store.add(best.pixels, best.time, stretch)
                    best, stretch = _Best(), now
                elif begun >= 0 and best.pixels is None:
                    stretch = now
                best.offer(frame, container.streams.video[0], max_side, time)
            progress(
                min(total, round((time - start) * info.fps)) if total else len(store.names),
                total or count,
            )
        if len(store.names) < count and best.pixels is not None:
            store.add(best.pixels, best.time, stretch)
    said = _in_words(path, damage, time, stop)
    return replace(store.footage(path, info.fps), damage=said, told=damage.changes)


def _in_words(path: Path, damage: Damage, end: float, expected: float) -> str:
    """What a file withheld, of what its header promised; empty for a sound file."""
    said = []
    if damage.frames:
        many = "1 frame" if damage.frames == 1 else f"{damage.frames} frames"
        said.append(f"{many} can't be decoded (the first after {damage.first:.1f} s)")
    if damage.resized:
        said.append(
            f"the picture changes its size after {damage.resized:.1f} s, and what has the new one "
            f"was left out"
        )
    least = expected - max(BREAKS_OFF * expected, 0.5)
    if math.isfinite(expected) and end < least and reach(path) < least:
        said.append(f"the picture ends at {end:.1f} s of {expected:.1f} s")
    return "; ".join(said)


def extract_indices(path: Path, folder: Path, indices: list[int], max_side: int) -> Footage:
    """The frames with these numbers, from 0, in rising order."""
    store = _Store(folder, KeptRows(keeper=KEEP_NOTHING, kind=StoredFrame))
    wanted, damage = set(indices), Damage()
    with open_video(path) as container:
        for index, (time, frame) in enumerate(decode(container, path, damage)):
            if index in wanted:
                store.add(upright(frame, container.streams.video[0], max_side), time)
            if index >= max(indices):
                break
    if len({tuple(frame.shape) for frame in store.frames.values}) > 1:
        raise cannot(path, "its picture changes its size")
    if damage.frames:  # the numbers of those that follow are no longer known
        raise cannot(
            path,
            f"the cameras name its frames by number, and one after {damage.first:.1f} s can't be "
            f"decoded",
        )
    if len(store.names) < len(indices):
        raise InputError(
            f"{path.name} has fewer frames than the cameras ask for.",
            "Choose the clip that the cameras were solved from.",
        )
    return replace(store.footage(path, probe(path).fps), told=damage.changes)
