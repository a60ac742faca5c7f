"""Writes H.264 in an mp4 that everything plays, and the sound of another file."""

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..protocol import InputError
from .open_media import BROKEN_MEDIA, open_media

SOUND_RATE = 48_000
# What the encoder makes of a picture depends on how many it works on at once: as many on any
# machine.
THREADS = "4"
# One part of x264 makes its choice by memory that nobody has written, where a side is no multiple
# of 16: the same pictures gave five files in five runs. Without it they give one.
UNSURE = "mbtree=0"


class VideoWriter:
    """Pictures of one size; transparent ones are laid over black, an odd last row or column is left
    out.
    """

    def __init__(self, path: Path, fps: float, width: int, height: int) -> None:
        import av  # not needed for stills

        self._av = av
        self._container = av.open(str(path), "w")
        self._stream = self._container.add_stream(
            "libx264",
            rate=Fraction(fps).limit_denominator(1001),
            options={"crf": "18", "threads": THREADS, "x264-params": UNSURE},
        )
        self._stream.width, self._stream.height, self._stream.pix_fmt = (
            width // 2 * 2,
            height // 2 * 2,
            "yuv420p",
        )
        self._size = (self._stream.height, self._stream.width)

    def add(self, pixels: np.ndarray) -> None:
        """(H, W, 3 or 4) uint8."""
        rgb = (
            pixels[..., :3]
            if pixels.shape[2] == 3
            else (pixels[..., :3] * (pixels[..., 3:] / 255.0)).astype(np.uint8)
        )
        frame = self._av.VideoFrame.from_ndarray(
            np.ascontiguousarray(rgb[: self._size[0], : self._size[1]]), format="rgb24"
        )
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flushes the encoder and finishes the file."""
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


class Soundtrack:
    """AAC beside the pictures of an open container; made before anything is written to it."""

    def __init__(self, container: Any) -> None:
        self._container = container
        self._stream = container.add_stream("aac", rate=SOUND_RATE, layout="stereo")

    def add(self, path: Path, seconds: float) -> None:
        """The first sound track of a file, as long as the picture."""
        import av

        resampler = av.AudioResampler(
            format="fltp", layout="stereo", rate=SOUND_RATE, frame_size=1024
        )
        written = 0
        with (
            contextlib.suppress(*BROKEN_MEDIA, InputError),
            open_media(path) as source,
        ):  # where it is damaged, the rest is silent
            for frame in source.decode(audio=0):
                frame.pts = None
                for ready in resampler.resample(frame):
                    ready.pts, written = written, written + ready.samples
                    self._container.mux(self._stream.encode(ready))
                if written > seconds * SOUND_RATE:
                    break

    def close(self) -> None:
        """Flushes the encoder."""
        self._container.mux(self._stream.encode(None))
