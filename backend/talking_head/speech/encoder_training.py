"""Teaches the encoder of visemes on synthesised speech, changed so much that it can't rely on how
espeak sounds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from .synthetic_speech import Utterance
from .viseme_encoder import VisemeEncoder, VisemeEncoderConfig, normalised
from .visemes import VISEMES


@dataclass(frozen=True, kw_only=True)
class EncoderTrainingConfig:
    """Few steps: more of them learn the synthesiser by heart, and hear people worse."""

    steps: int = 500
    crop: int = 200  # rows
    batch: int = 16
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    warp: float = 0.1  # share by which voices are made higher or lower
    color: float = 0.8  # log energy of the microphone's curve
    contrast: float = 0.2
    noise: tuple[float, float] = (
        -6.0,
        -0.5,
    )  # log energy, against the mean, below which all is drowned
    masks: int = 2
    rarity: float = 0.4  # power by which rare visemes count for more
    seed: int = 0


def train_encoder(
    speech: Sequence[Utterance],
    config: VisemeEncoderConfig = VisemeEncoderConfig(),
    training: EncoderTrainingConfig = EncoderTrainingConfig(),
    progress: Callable[[float], None] = lambda share: None,
) -> VisemeEncoder:
    """An encoder taught on synthesised speech with its true visemes."""
    torch.manual_seed(training.seed)
    random = np.random.default_rng(training.seed)
    model = VisemeEncoder(config)
    counts = np.bincount(np.concatenate([u.visemes for u in speech]), minlength=len(VISEMES)) + 1
    weights = torch.from_numpy((counts.sum() / counts) ** training.rarity).float()
    heard = [normalised(u.features, config.depth) for u in speech]
    optimizer = torch.optim.AdamW(
        model.parameters(), training.learning_rate, weight_decay=training.weight_decay
    )
    for step in range(training.steps):
        share = step / training.steps
        for group in optimizer.param_groups:
            group["lr"] = (
                training.learning_rate
                * min(1, (step + 1) / 30)
                * (0.5 + 0.5 * np.cos(np.pi * share))
            )
        rows = [
            _crop(heard[k], speech[k].visemes, training, random)
            for k in random.integers(0, len(speech), training.batch)
        ]
        features, visemes = (
            torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)
        )
        loss = torch.nn.functional.cross_entropy(
            model(features).flatten(0, 1), visemes.flatten(), weights, ignore_index=-1
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        progress(share)
    return model.eval()


def _crop(
    heard: Floats,
    visemes: NDArray[np.int64],
    training: EncoderTrainingConfig,
    random: np.random.Generator,
) -> tuple[Floats, NDArray[np.int64]]:
    """Rows of one utterance, changed; -1 where it has ended."""
    start = int(random.integers(0, max(1, len(heard) - training.crop)))
    rows, labels = (
        changed(heard[start : start + training.crop], training, random),
        visemes[start : start + training.crop],
    )
    short = training.crop - len(rows)
    return np.pad(rows, ((0, short), (0, 0))), np.pad(labels, (0, short), constant_values=-1)


def changed(rows: Floats, training: EncoderTrainingConfig, random: np.random.Generator) -> Floats:
    """Another throat, microphone, loudness, noise; and bands or moments that are missing."""
    bands = rows.shape[1]
    place = np.clip(
        np.arange(bands) * random.uniform(1 - training.warp, 1 + training.warp)
        + random.uniform(-1, 1),
        0,
        bands - 1.001,
    )
    low = place.astype(int)
    part = (place - low).astype(np.float32)
    mel = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    curve = np.interp(np.linspace(0, 4, bands), np.arange(5), random.normal(size=5))
    mel = (
        mel * random.uniform(1 - training.contrast, 1 + training.contrast) + training.color * curve
    )
    mel = np.maximum(mel, random.uniform(*training.noise) + 0.4 * random.normal(size=mel.shape))
    mel = mel - random.uniform(0.6, 1) * mel.mean(0)
    for _ in range(training.masks):
        band, moment = random.integers(bands), random.integers(len(mel))
        mel[:, band : band + random.integers(1, 1 + bands // 8)] = 0
        mel[moment : moment + random.integers(1, 8)] = 0
    return np.asarray(mel, np.float32)
