"""A user's own network for speech, wav2vec 2.0 or one like it, as a TorchScript file: its features
join ours.

It takes a sound (1, S) at 16 kHz, with mean 0 and deviation 1 as wav2vec's are trained, and gives
(1, T, C), or a tuple that begins with it, at whatever rate.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ...media.sound import RATE, Samples
from ...protocol import InputError
from ...runtime.torch_script import load_script
from .log_mel import FEATURE_RATE, Features

PART, MARGIN = 20.0, 1.0  # seconds that are listened to at once, and what is heard around them
MOST = 4096  # channels


def load_pretrained(path: str, trusted: bool) -> nn.Module | None:
    """None for no path; InputError for what is no TorchScript file, or not trusted."""
    return load_script(Path(path), trusted).eval() if path else None


def pretrained_audio_features(model: nn.Module, samples: Samples, count: int) -> Features:
    """(count, C) at FEATURE_RATE, in parts, so that long sounds need no more memory than short
    ones.
    """
    level = (samples - samples.mean()) / (samples.std() + 1e-7)
    chunks = []
    with torch.inference_mode():
        for start in np.arange(0, max(count / FEATURE_RATE, 1e-3), PART):
            first = max(0, int((start - MARGIN) * RATE))
            part = level[first : int((start + PART + MARGIN) * RATE)]
            rows = _asked(model, np.pad(part, (0, max(0, RATE // 2 - len(part)))))
            seconds = max(len(part), RATE // 2) / RATE
            wanted = (
                np.arange(int(start * FEATURE_RATE), min(count, int((start + PART) * FEATURE_RATE)))
                / FEATURE_RATE
                - first / RATE
            )
            place = wanted / seconds * len(rows) - 0.5
            chunks.append(
                np.stack([np.interp(place, np.arange(len(rows)), column) for column in rows.T], 1)
            )
    return np.concatenate(chunks).astype(np.float32)


def _asked(model: nn.Module, samples: Samples) -> Features:
    """(T, C) of one part; InputError where the network does not do what wav2vec does."""
    wrong = InputError(
        "The sound model does not turn (1, samples) into (1, moments, channels).",
        "Export a wav2vec-like encoder.",
    )
    try:
        given = model(torch.from_numpy(samples.astype(np.float32))[None])
    except RuntimeError as error:
        raise wrong from error
    rows = given[0] if isinstance(given, tuple | list) else given
    if (
        not isinstance(rows, torch.Tensor)
        or rows.dim() != 3
        or not rows.shape[1]
        or not 0 < rows.shape[2] <= MOST
        or not rows.isfinite().all()
    ):
        raise wrong
    return np.asarray(rows[0].float().numpy())
