"""A user's own network for speech, wav2vec 2.0 or one like it, as an ONNX model: its features join
ours.

It takes a sound (1, S) at 16 kHz, with mean 0 and deviation 1 as wav2vec's are trained, and gives
(1, T, C), its first output, at whatever rate.
"""

from pathlib import Path

import numpy as np

from ...media.sound import RATE, Samples
from ...networks import onnx_model
from ...networks.onnx_model import OnnxModel, Wanted
from ...networks.pictures import model_file
from ...protocol import InputError
from .log_mel import FEATURE_RATE, Features

PART, MARGIN = 20.0, 1.0  # seconds that are listened to at once, and what is heard around them
MOST = 4096  # channels


def sound_model_file(path: str) -> Path:
    """The network in a folder, or the file itself."""
    return model_file(Path(path))


def load_pretrained(path: str, device: str = "cpu") -> OnnxModel | None:
    """None for no path; InputError for what is no such ONNX model."""
    if not path:
        return None
    model = onnx_model.load(sound_model_file(path), device)
    model.demand(
        "a sound model", [Wanted(shapes=((1, None),))], [Wanted(shapes=((1, None, None),))]
    )
    return model


def pretrained_audio_features(model: OnnxModel, samples: Samples, count: int) -> Features:
    """(count, C) at FEATURE_RATE, in parts, so that long sounds need no more memory than short
    ones.
    """
    level = (samples - samples.mean()) / (samples.std() + 1e-7)
    chunks = []
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


def _asked(model: OnnxModel, samples: Samples) -> Features:
    """(T, C) of one part; InputError where the network does not do what wav2vec does."""
    given = model.run(**{model.inputs[0].name: samples[None]})[model.outputs[0].name]
    if (
        given.ndim != 3
        or not given.shape[1]
        or not 0 < given.shape[2] <= MOST
        or not np.isfinite(given).all()
    ):
        raise InputError(
            "The sound model does not turn (1, samples) into (1, moments, channels).",
            "Export a wav2vec-like encoder.",
        )
    return np.asarray(given[0], np.float32)
