"""Hears which viseme is spoken, whoever speaks: the universal audio encoder, where no pretrained
one is at hand.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ...formats.gate import check_file
from ...formats.limits import MOST_MODEL
from ...formats.safetensors_header import sort_header
from ...geometry.arrays import Floats
from ...protocol import InputError
from .log_mel import Features
from .visemes import VISEMES

MOST_LAYERS, MOST_CHANNELS = 32, 4096
AROUND = 50  # rows about the loud ones whose mean is taken off
ROBUST = Path(__file__).with_name("robust_viseme_encoder.safetensors")  # taught in noise
SHIPPED = Path(__file__).with_name("viseme_encoder.safetensors")


@dataclass(frozen=True, kw_only=True)
class VisemeEncoderConfig:
    """Hears a quarter of a second before and after."""

    channels: int = 80
    hidden: int = 96
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 2, 4, 4, 1)
    dropout: float = 0.3
    depth: float = 0.0  # log energy below the loud moments that is heard; 0: all


class VisemeEncoder(nn.Module):
    """Features (B, T, C) without their mean over time -> logits (B, T, 15)."""

    def __init__(self, config: VisemeEncoderConfig = VisemeEncoderConfig()) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Conv1d(config.channels, config.hidden, 1)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(
                    config.hidden,
                    config.hidden,
                    config.kernel,
                    padding=d * (config.kernel - 1) // 2,
                    dilation=d,
                ),
                nn.GroupNorm(1, config.hidden),
                nn.GELU(),
                nn.Dropout(config.dropout),
            )
            for d in config.dilations
        )
        self.leave = nn.Conv1d(config.hidden, len(VISEMES), 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, bands) log mel to (B, T, visemes) logits."""
        x = self.enter(features.transpose(1, 2) / 3)
        for layer in self.layers:
            x = x + layer(x)
        logits: Tensor = self.leave(x).transpose(1, 2)
        return logits


def normalised(features: Features, depth: float = 0.0) -> Features:
    """Without what stays the same: the microphone, the room, the voice's own colour; and where a
    depth is given, without what lies so far below the loud moments, where clean and noisy
    recordings differ most.
    """
    if depth and len(features):
        energy = features.max(1)
        floor = np.quantile(energy, 0.95) - depth
        near = np.convolve(energy > floor, np.ones(2 * AROUND + 1))[AROUND : AROUND + len(energy)]
        floored = np.maximum(features, floor)
        return np.asarray(floored - floored[near > 0.5].mean(0, keepdims=True), np.float32)
    loud = (
        features[features.max(1) >= np.quantile(features.max(1), 0.3)]
        if len(features)
        else np.zeros((1, 1))
    )
    return np.asarray(features - loud.mean(0, keepdims=True), np.float32)


def viseme_probabilities(model: VisemeEncoder, features: Features) -> Floats:
    """(T, 15); long sounds in parts of a minute, whose borders do not show."""
    part, margin = 6000, 100
    heard, probabilities = normalised(features, model.config.depth), []
    with torch.inference_mode():
        for start in range(0, len(heard), part):
            first = max(0, start - margin)
            logits = model(torch.from_numpy(heard[first : start + part + margin])[None])[0]
            probabilities.append(
                torch.softmax(logits, -1).numpy()[start - first : start - first + part]
            )
    return (
        np.concatenate(probabilities) if probabilities else np.zeros((0, len(VISEMES)), np.float32)
    )


def save_encoder(model: VisemeEncoder, path: Path) -> None:
    """Writes the weights with their configuration as safetensors."""
    config = {
        key: str(list(value) if isinstance(value, tuple) else value)
        for key, value in asdict(model.config).items()
    }
    save_file(
        {name: values.half().contiguous() for name, values in model.state_dict().items()},
        path,
        config,
    )
    sort_header(path)


def check_sizes(numbers: Mapping[str, object], dilations: tuple[object, ...]) -> None:
    """ValueError for sizes of a network that no file of ours has: they'd be made before one weight
    is read.
    """
    told = [*numbers.values(), *dilations]
    if len(dilations) > MOST_LAYERS or not all(
        type(n) is int and 0 < n <= MOST_CHANNELS for n in told
    ):
        raise ValueError("a network of impossible size")


def load_encoder(path: Path = SHIPPED) -> VisemeEncoder:
    """InputError for what is not an encoder."""
    check_file(path, MOST_MODEL)
    try:
        with safe_open(path, "pt") as file:
            meta = file.metadata()
            numbers = {key: int(meta[key]) for key in ("channels", "hidden", "kernel")}
            dilations = tuple(int(d) for d in meta["dilations"].strip("[]").split(","))
            check_sizes(numbers, dilations)
            depth = float(meta.get("depth", 0.0))
            if not 0 <= depth < np.inf:
                raise ValueError("no depth")
            config = VisemeEncoderConfig(**numbers, dilations=dilations, depth=depth)
            model = VisemeEncoder(config)
            model.load_state_dict({name: file.get_tensor(name).float() for name in file.keys()})  # noqa: SIM118 (no mapping)
    except (
        OSError,
        SafetensorError,
        KeyError,
        AttributeError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:
        raise InputError(
            f"{path.name} is not an encoder of visemes.",
            "Leave it empty to use the one that comes along.",
        ) from error
    return model.eval()
