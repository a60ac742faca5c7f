"""Sound from any audio or video file as one channel at 16 kHz: the clock that all motion is
measured by.
"""

from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from ..formats.archives import refuse_archive
from ..formats.gate import check_file
from ..protocol import InputError
from .open_media import BROKEN_MEDIA, open_media

Samples = NDArray[np.float32]  # (S,) -1 to 1
Channel = Literal["mix", "left", "right"]

RATE = 16_000  # samples a second
LONGEST = 3 * 3600  # seconds
FASTEST = 2_000_000  # samples a second; beyond it, seconds and gigabytes go into a filter for them


def read_sound(path: Path, channel: Channel = "mix") -> Samples:
    """The first sound track, all its channels mixed or one of them; of a mono sound it is the same.
    InputError for what has none, is empty, or goes on for hours."""
    check_file(path)
    refuse_archive(path)
    try:
        with open_media(path) as container:
            if not container.streams.audio:
                raise InputError(f"{path.name} has no sound.", "Choose a file with speech in it.")
            samples = _decoded(container, path, channel)
    except BROKEN_MEDIA as error:
        raise InputError(
            f"{path.name} can't be read as sound.", "Choose a WAV, MP3, FLAC or video file."
        ) from error
    if not len(samples):
        raise InputError(f"The sound of {path.name} is empty.", "Choose a file with speech in it.")
    return samples


def late_by(container: av.container.InputContainer) -> float:
    """Seconds by which the sound begins after the picture, where there is one."""
    sound, video = (
        container.streams.audio[0],
        container.streams.video[0] if container.streams.video else None,
    )
    if video is None or sound.start_time is None or video.start_time is None:
        return 0.0
    delay = float(
        (sound.start_time * sound.time_base if sound.time_base else 0)
        - (video.start_time * video.time_base if video.time_base else 0)
    )
    return delay if abs(delay) < 60 else 0.0


def _decoded(container: av.container.InputContainer, path: Path, channel: Channel) -> Samples:
    """Resampled frame by frame, so that long files need no more memory than their result."""
    apart = channel != "mix" and container.streams.audio[0].channels > 1
    layout = "stereo" if apart else "mono"
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=RATE)
    row = 1 if apart and channel == "right" else 0
    parts: list[Samples] = []
    length = 0
    for frame in container.decode(audio=0):
        if not 0 < frame.sample_rate <= FASTEST:
            raise ValueError(f"{frame.sample_rate} samples a second")
        for ready in resampler.resample(frame):
            parts.append(ready.to_ndarray()[row].astype(np.float32))
            length += len(parts[-1])
        if length > LONGEST * RATE:
            raise InputError(
                f"{path.name} is longer than {LONGEST // 3600} hours.", "Cut it into parts."
            )
    parts += [ready.to_ndarray()[row].astype(np.float32) for ready in resampler.resample(None)]
    whole = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    late = round(late_by(container) * RATE)
    whole = (
        np.concatenate([np.zeros(max(late, 0), np.float32), whole[max(-late, 0) :]])
        if len(whole)
        else whole
    )
    return np.nan_to_num(whole, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1, 1)
