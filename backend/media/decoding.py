"""Video files opened, measured and decoded with PyAV. What a decoder reports as damaged is left out
and told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from ..formats.archives import refuse_archive
from ..formats.gate import check_file
from ..formats.limits import MOST_FRAME_PIXELS
from ..protocol import InputError
from .deinterlace import deinterlaced
from .high_dynamic_range import range_name
from .open_media import BROKEN_MEDIA, open_media


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """What the container says. `frames` may be an estimate."""

    width: int  # upright
    height: int
    fps: float
    duration: float  # seconds
    frames: int


@dataclass(kw_only=True)
class Damage:
    """What a file withheld while it was decoded, and what its frames needed."""

    since: float = 0.0  # seconds; what lies before is nobody's concern
    frames: int = 0  # that did not decode, or only in part
    first: float = 0.0  # seconds after which the first of them was met
    resized: float = 0.0  # seconds after which frames of another size came
    range: str = ""  # of colours that are no sRGB: what is converted
    interlaced: bool = False  # and put together

    def met(self, time: float) -> None:
        """Notes that a frame at `time` seconds could not be decoded."""
        if time < self.since:
            return
        self.first = self.first if self.frames else time
        self.frames += 1

    def see(self, frame: av.VideoFrame) -> None:
        """Notes what has to be done to a frame before it can be used."""
        self.range = self.range or range_name(frame)
        self.interlaced = self.interlaced or frame.interlaced_frame

    @property
    def changes(self) -> tuple[str, ...]:
        """What was done, as sentences."""
        said = []
        if self.range:
            said.append(f"The footage has {self.range}; its colors were tone-mapped to sRGB.")
        if self.interlaced:
            said.append("The footage is interlaced; its frames were deinterlaced.")
        return tuple(said)


def cannot(path: Path, why: str) -> InputError:
    """The error for a video that can't be used, and why."""
    return InputError(f"{path.name} can't be used as a video: {why}.", "Choose a video file.")


def open_video(path: Path) -> av.container.InputContainer:
    """Opens a file that has a picture stream; InputError for anything else."""
    if check_file(path) == 0:
        raise cannot(path, "the file is empty")
    refuse_archive(path)
    try:
        container = open_media(path)
    except BROKEN_MEDIA as error:
        raise cannot(path, "it is not a video, or it is damaged") from error
    if not container.streams.video:
        container.close()
        raise cannot(path, "it holds sound but no picture")
    codec = container.streams.video[0].codec_context
    if codec is None:
        container.close()
        raise cannot(path, "its picture is in a format that nothing here can decode")
    codec.options = {"max_pixels": str(MOST_FRAME_PIXELS)}
    return container


def opened_at(path: Path, start: float) -> av.container.InputContainer:
    """Open where decoding for `start` seconds has to begin; raw streams can't be wound and are read
    from their beginning.
    """
    container = open_video(path)
    if start > 1:
        try:
            container.seek(int(start * av.time_base))
        except BROKEN_MEDIA:
            container.close()
            return open_video(path)
    return container


def probe(path: Path) -> VideoInfo:
    """Size, pace and length. Decodes one frame, since only frames know their rotation."""
    with open_video(path) as container:
        stream = container.streams.video[0]
        frame = next(_frames(container, path, Damage()))
        fps = _pace(stream)
        seconds = _seconds(stream.duration, stream.time_base) or _seconds(
            container.duration, Fraction(1, av.time_base)
        )
        seconds = seconds or stream.frames / fps or max(frame_times(path), default=0.0)
        turned = round((frame.rotation or 0) / 90) % 2 == 1
        size = (frame.height, frame.width) if turned else (frame.width, frame.height)
        return VideoInfo(
            width=size[0],
            height=size[1],
            fps=fps,
            duration=seconds,
            frames=stream.frames or round(seconds * fps),
        )


def frame_times(path: Path) -> list[float]:
    """Seconds from the start of every frame's showing, rising; by reading all packets, without
    decoding them.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        first, pace = _first_time(stream), _pace(stream)
        times = sorted(_seconds(p.pts, p.time_base) for p in _packets(container) if p.size)
        return [t - first for t in times] if any(times) else [i / pace for i in range(len(times))]


def decode(
    container: av.container.InputContainer, path: Path, damage: Damage, start: float = 0.0
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Whole frames in order with their seconds from the start of the picture, of a container that
    was `opened_at` so many seconds; what is damaged goes to `damage`. InputError when not one frame
    can be decoded.
    """
    stream = container.streams.video[0]
    first, pace, last = _first_time(stream), _pace(stream), -1.0
    frames = deinterlaced(_frames(container, path, damage, start), stream)
    for index, frame in enumerate(frames):
        time = frame.time - first if frame.time is not None else index / pace
        last = (
            time if time > last else last + 1 / pace
        )  # some files number frames in the order they are stored in
        yield last, frame


def _frames(
    container: av.container.InputContainer, path: Path, damage: Damage, start: float = 0.0
) -> Iterator[av.VideoFrame]:
    """Whole frames. Threads patch a damaged picture with whatever of its neighbours they have by
    then, and those that follow are drawn from it: on meeting damage one thread begins again, and
    goes on behind what was whole.
    """
    seen, count = 0, 0
    for _, frame in _decoded(container, 0):
        if frame is None:
            break
        seen += 1
        damage.see(frame)
        yield frame
    else:
        if not seen:
            raise cannot(path, "no frame of it can be decoded")
        return
    with opened_at(path, start) as again:
        for time, frame in _decoded(again, 1):
            if frame is None:
                damage.met(time)
                continue
            count += 1
            if count > seen:
                damage.see(frame)
                yield frame
    if not count:
        raise cannot(path, "no frame of it can be decoded")


def _decoded(
    container: av.container.InputContainer, threads: int
) -> Iterator[tuple[float, av.VideoFrame | None]]:
    """Frames with their seconds, None for what is damaged; `threads` 0: as many as there are
    cores.
    """
    stream = container.streams.video[0]
    stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
    time, first = 0.0, _first_time(stream)
    for packet in _packets(container):
        try:
            frames = packet.decode()
        except BROKEN_MEDIA:
            yield time, None
            continue
        for frame in frames:
            time = frame.time - first if frame.time is not None else time
            yield time, None if frame.is_corrupt else frame


def reach(path: Path) -> float:
    """Seconds to which picture or sound go, by reading all packets: what a file that broke off
    lacks, it lacks in both.
    """
    with open_video(path) as container:
        ends = [
            _seconds(p.pts, p.time_base) + _seconds(p.duration, p.time_base)
            for p in _packets(container, whole=True)
        ]
        return max(ends, default=0.0) - _first_time(container.streams.video[0])


def _packets(container: av.container.InputContainer, whole: bool = False) -> Iterator[av.Packet]:
    """To the end, or to where the file breaks off."""
    packets: Iterator[av.Packet] = (
        container.demux() if whole else container.demux(container.streams.video[0])
    )
    while True:
        try:
            packet = next(packets, None)
        except BROKEN_MEDIA:
            return
        if packet is None:
            return
        yield packet


def _pace(stream: av.VideoStream) -> float:
    return float(stream.average_rate or stream.guessed_rate or 25)


def _first_time(stream: av.VideoStream) -> float:
    return (
        float(stream.start_time * stream.time_base)
        if stream.start_time and stream.time_base
        else 0.0
    )


def _seconds(ticks: int | None, base: Fraction | None) -> float:
    return float(ticks * base) if ticks and base and ticks > 0 else 0.0
