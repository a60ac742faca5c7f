"""Which picture Blender shows behind a camera."""

from typing import Any


def shown_picture(user: Any, frame: int) -> int | None:
    """The number in its file's name; None where Blender shows none, since the sequence has not
    begun or has ended. By Blender's own rule: its `frame_current` is refreshed beside the keys, and
    may be of the frame before.
    """
    since = frame - user.frame_start + 1
    if user.use_cyclic:
        since = since % user.frame_duration or user.frame_duration
    return since + user.frame_offset if 0 <= since <= user.frame_duration else None
