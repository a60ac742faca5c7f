"""Speech whose motion is known, and how its speaker looks in its pauses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..speech.audio_features import BANDS
from ..speech.log_mel import FEATURE_RATE, Features

Motion = NDArray[np.float32]  # (N, K) coefficients


@dataclass(frozen=True)
class SpeechClip:
    """Speech and the motion that goes with it, from the same moment on."""

    features: Features  # (T, CHANNELS) at FEATURE_RATE
    motion: Motion
    rate: float  # of the motion, a second
    speaker: int = 0

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return min(len(self.motion) / self.rate, len(self.features) / FEATURE_RATE)


def still_face(
    clips: Sequence[SpeechClip], lips: NDArray[np.float32] | None = None, share: float = 0.1
) -> Motion:
    """(K,) how this person looks when saying nothing: the middle of what the face does in the
    quietest tenth of each clip; with `lips` (K,), how far coefficients open them, of the half in
    which they are nearest: in the other they part for a breath or for the next word.
    """
    quiet = np.concatenate([_in_quiet(clip, share) for clip in clips])
    if lips is not None:
        quiet = quiet[quiet @ lips <= np.median(quiet @ lips)]
    return np.asarray(np.median(quiet, 0), np.float32)


def _in_quiet(clip: SpeechClip, share: float) -> Motion:
    times = np.arange(max(1, int(clip.seconds * clip.rate))) / clip.rate
    loud = clip.features[(times * FEATURE_RATE).astype(int), :BANDS].max(1)
    return np.asarray(clip.motion[: len(times)][loud <= np.quantile(loud, share)], np.float32)
