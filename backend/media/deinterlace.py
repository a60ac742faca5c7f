"""Frames whose lines were filmed in two halves, one after the other, as whole frames."""

from collections.abc import Iterable, Iterator

import av
import av.filter
from av.error import FFmpegError

MODE = "mode=send_frame:parity=auto:deint=interlaced"  # a frame for a frame; whole ones pass


class _Weaver:
    """FFmpeg's bwdif for frames of one size and format."""

    def __init__(self, like: av.VideoFrame, stream: av.VideoStream) -> None:
        self.kind = like.width, like.height, like.format.name
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_buffer(
                width=like.width,
                height=like.height,
                format=like.format,
                time_base=like.time_base or stream.time_base,
            ),
            graph.add("bwdif", MODE),
            graph.add("buffersink"),
        ).configure()
        self.graph = graph

    def push(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """Takes a frame, or None at the end; gives those that are ready."""
        self.graph.push(frame)
        while True:
            try:
                yield self.graph.vpull()
            except (FFmpegError, BlockingIOError, EOFError):
                return


def deinterlaced(
    frames: Iterable[av.VideoFrame], stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    """The same frames, whole, from the first interlaced one on."""
    weaver: _Weaver | None = None
    for frame in frames:
        kind = frame.width, frame.height, frame.format.name
        if weaver is not None and weaver.kind != kind:
            yield from weaver.push(None)
            weaver = None
        if weaver is None and not frame.interlaced_frame:
            yield frame
            continue
        weaver = weaver or _Weaver(frame, stream)
        yield from weaver.push(frame)
    if weaver is not None:
        yield from weaver.push(None)
