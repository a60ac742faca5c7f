"""A video in parts of so many pictures, each encoded for itself and whole or not there, so that a
stopped job goes on behind the last of them. They are joined without being encoded again: the bytes
are the same, however often the work was stopped.
"""

from fractions import Fraction
from itertools import count
from pathlib import Path

import numpy as np

from ..runtime import atomic
from .video_writer import Soundtrack, VideoWriter

LENGTH = 50  # pictures of a part; each begins with a key frame


class VideoParts:
    """Parts of a video in a folder, with those that a stopped job has left there."""

    def __init__(self, folder: Path, fps: float) -> None:
        self.folder, self._fps, self._waiting = folder, fps, list[np.ndarray]()
        atomic.clear_parts(folder)
        self._paths: list[Path] = []
        for number in count():
            path = folder / f"{number:05d}.mp4"
            if not path.is_file():
                break
            self._paths.append(path)

    @property
    def pictures(self) -> int:
        """How many are whole parts already: the next that `add` takes has this number."""
        return len(self._paths) * LENGTH

    def add(self, pixels: np.ndarray) -> None:
        """(H, W, 3 or 4) uint8."""
        self._waiting.append(pixels)
        if len(self._waiting) == LENGTH:
            self._paths.append(self._encoded(self._waiting))
            self._waiting = []

    def _encoded(self, pictures: list[np.ndarray]) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{len(self._paths):05d}.mp4"
        height, width = pictures[0].shape[:2]
        with atomic.atomic_path(path) as part:
            writer = VideoWriter(part, self._fps, width, height)
            try:
                for pixels in pictures:
                    writer.add(pixels)
            finally:
                writer.close()
        return path

    def join(self, path: Path, note: str = "", sound: Path | None = None) -> None:
        """Writes the video, with a note in its metadata and a file's sound as long as the
        pictures.
        """
        total = self.pictures + len(self._waiting)
        last = [self._encoded(self._waiting)] if self._waiting else []
        _join([*self._paths, *last], path, note, sound, total / self._fps)


def _join(parts: list[Path], path: Path, note: str, sound: Path | None, seconds: float) -> None:
    import av  # not needed for stills

    with av.open(str(path), "w") as target:
        if note:
            target.metadata["comment"] = note
        with av.open(str(parts[0])) as first:
            stream = target.add_stream_from_template(first.streams.video[0])
        track = Soundtrack(target) if sound is not None else None
        for number, part in enumerate(parts):
            with av.open(str(part)) as source:
                video = source.streams.video[0]
                assert video.average_rate is not None and video.time_base is not None
                start = Fraction(number * LENGTH) / video.average_rate / video.time_base
                for packet in source.demux(video):
                    if packet.dts is None or packet.pts is None:  # the empty one at the end
                        continue
                    packet.pts, packet.dts = packet.pts + int(start), packet.dts + int(start)
                    packet.stream = stream
                    target.mux(packet)
        if track is not None and sound is not None:
            track.add(sound, seconds)
            track.close()
