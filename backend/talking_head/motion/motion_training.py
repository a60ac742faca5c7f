"""Teaches a translator from clips of speech whose motion is known: a speaker's own, in about a
minute.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...protocol import InputError
from ...runtime import checkpoint, random_state
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ...runtime.threads import one_thread
from ..speech.audio_features import BANDS, silence
from ..speech.log_mel import FEATURE_RATE, Features
from ..speech.pauses import resting_in_pauses
from .matching import matched, told_rest
from .motion_translator import MotionTranslator, MotionTranslatorConfig
from .speech_clip import Motion, SpeechClip


@dataclass(frozen=True, kw_only=True)
class MotionTrainingConfig:
    """How much, on what, with what weights."""

    steps: int = 800  # about a minute on one core; 1,700 were no better on what was not learned
    crop: float = 3.0  # seconds
    margin: float = 0.5  # seconds of sound before and after a crop
    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    velocity: float = 4.0  # weight of the error of frame-to-frame differences
    lips: float = 0.5  # weight of the error of the distance between the lips, where that is known
    # share of crops whose sound is taken away, and whose motion is the resting face
    silence: float = 0.1
    loudness: float = 1.5  # how much louder or softer a crop may be made, in log energy
    # runs of bands, and of moments, that are taken away from a crop (SpecAugment, Park et al. 2019)
    masks: int = 1
    average: float = 0.995  # decay of the mean of the weights, which is what is kept
    seed: int = 0


def train(
    clips: Sequence[SpeechClip],
    config: MotionTranslatorConfig,
    training: MotionTrainingConfig = MotionTrainingConfig(),
    rest: NDArray[np.float32] | None = None,
    lips: NDArray[np.float32] | None = None,
    progress: Callable[[float], None] = lambda share: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> MotionTranslator:
    """A translator of these clips. `rest` (K,): the face in silence; `lips` (K,): how far each
    coefficient opens the lips, as a share of the distance between them. InputError where there is
    too little to learn from.
    """
    with one_thread():  # the tensors are small: a second core would only wait for the first
        return _train(clips, config, training, rest, lips, progress, keeper)


def _train(
    clips: Sequence[SpeechClip],
    config: MotionTranslatorConfig,
    training: MotionTrainingConfig,
    rest: NDArray[np.float32] | None,
    lips: NDArray[np.float32] | None,
    progress: Callable[[float], None],
    keeper: StageKeeper,
) -> MotionTranslator:
    usable = [c for c in clips if c.seconds >= 1]
    if sum(c.seconds for c in usable) < 5:
        raise InputError(
            "There are less than five seconds of speech to learn from.",
            "Give a longer clip; two minutes are good.",
        )
    torch.manual_seed(training.seed)
    random = np.random.default_rng(training.seed)
    model = MotionTranslator(config)
    _fit_scales(model, usable)
    variance = np.concatenate([c.motion for c in usable]).var(0).mean()
    opening = (
        None
        if lips is None
        else torch.from_numpy(
            lips / max(float(np.concatenate([c.motion @ lips for c in usable]).std()), 1e-6)
        )
    )
    averaged = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad],
        training.learning_rate,
        weight_decay=training.weight_decay,
    )
    learned = _Learned(model, averaged, optimizer, random)
    with keeper.loop("speaker-training", learned.state, learned.restore) as loop:
        for step in range(loop.step, training.steps):
            share = step / training.steps
            for group in optimizer.param_groups:
                group["lr"] = (
                    training.learning_rate
                    * min(1, (step + 1) / 30)
                    * (0.5 + 0.5 * np.cos(np.pi * share))
                )
            features, times, motion, speaker = _batch(usable, training, random, rest)
            predicted = model(features, times, speaker)
            still = ((predicted - motion) ** 2).mean()
            moving = ((predicted.diff(dim=1) - motion.diff(dim=1)) ** 2).mean()
            loss = (still + training.velocity * moving) / float(variance)
            if opening is not None:
                loss = loss + training.lips * ((predicted - motion) @ opening).square().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            _average(averaged, model, min(training.average, (step + 1) / (step + 11)))
            loop.reach(step + 1)
            progress(share)
    return averaged.eval()


@dataclass(frozen=True)
class _Learned:
    """All that changes in a training."""

    model: MotionTranslator
    averaged: MotionTranslator
    optimizer: torch.optim.Optimizer
    random: np.random.Generator

    def state(self) -> dict[str, Tensor]:
        """Everything that `restore` needs."""
        return {
            **{f"model/{name}": t for name, t in self.model.state_dict().items()},
            **{f"averaged/{name}": t for name, t in self.averaged.state_dict().items()},
            **checkpoint.adam_tensors(self.optimizer),
            "random": random_state.state_of(self.random),
            "torch": torch.get_rng_state(),
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Sets a training that has just begun to where another one was."""
        for name, module in (("model", self.model), ("averaged", self.averaged)):
            prefix = f"{name}/"
            module.load_state_dict(
                {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
            )
        checkpoint.restore_adam(self.optimizer, tensors)
        random_state.restore(self.random, tensors["random"])
        torch.set_rng_state(tensors["torch"])


def _fit_scales(model: MotionTranslator, clips: Sequence[SpeechClip]) -> None:
    """Sound to zero mean and unit deviation; the answer to nothing is the mean face."""
    features = np.concatenate([c.features for c in clips])
    with torch.no_grad():
        model.mean.copy_(torch.from_numpy(features.mean(0)))
        model.deviation.copy_(torch.from_numpy(features.std(0) + 1e-3))
        assert model.leave.bias is not None
        model.leave.bias.copy_(torch.from_numpy(np.concatenate([c.motion for c in clips]).mean(0)))


def _average(kept: MotionTranslator, model: MotionTranslator, decay: float) -> None:
    with torch.no_grad():
        for old, new in zip(kept.parameters(), model.parameters(), strict=True):
            old.lerp_(new, 1 - decay)


def _batch(
    clips: Sequence[SpeechClip],
    training: MotionTrainingConfig,
    random: np.random.Generator,
    rest: NDArray[np.float32] | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Crops of equal length in seconds, the shortest clip's among them at most, each resampled to
    the same number of moments.
    """
    lengths = np.array([c.seconds for c in clips])
    chosen = random.choice(len(clips), training.batch, p=lengths / lengths.sum())
    crop = min(training.crop, float(lengths[chosen].min()))
    count = max(2, round(crop * 30))
    rows: list[tuple[Features, NDArray[np.float64], Motion, int]] = []
    for index in chosen:
        clip = clips[index]
        start = random.uniform(0, clip.seconds - crop)
        frames = start * clip.rate + np.arange(count) * crop / count * clip.rate
        first = int((start - training.margin) * FEATURE_RATE)
        wanted = np.arange(
            first, first + int((crop + 2 * training.margin) * FEATURE_RATE) + 1
        ).clip(0, len(clip.features) - 1)
        heard, shown = clip.features[wanted], _at(clip.motion, frames)
        heard[:, :BANDS] += random.uniform(-training.loudness, training.loudness)
        _mask(heard, training.masks, random)
        if rest is not None and random.random() < training.silence:
            heard, shown = (
                np.broadcast_to(silence(clip.features), heard.shape),
                np.broadcast_to(rest, shown.shape),
            )
        rows.append((heard, frames / clip.rate - first / FEATURE_RATE, shown, clip.speaker))
    heard_, times, shown_, speaker = (np.stack(column) for column in zip(*rows, strict=True))
    return (
        torch.from_numpy(heard_.astype(np.float32)),
        torch.from_numpy(times.astype(np.float32)),
        torch.from_numpy(shown_.astype(np.float32)),
        torch.from_numpy(speaker),
    )


def _mask(heard: Features, masks: int, random: np.random.Generator) -> None:
    """Takes runs of bands and of moments away, in place: no single one of them must be relied
    on.
    """
    fill = heard.mean()
    for _ in range(masks):
        band, moment = random.integers(heard.shape[1]), random.integers(len(heard))
        heard[:, band : band + random.integers(1, 1 + heard.shape[1] // 6)] = fill
        heard[moment : moment + random.integers(1, 1 + FEATURE_RATE // 10)] = fill


def _at(motion: Motion, frames: NDArray[np.float64]) -> Motion:
    """Between the two nearest frames."""
    at = frames.clip(0, len(motion) - 1)
    first = np.floor(at).astype(np.int64)
    share = (at - first)[:, None]
    return np.asarray(
        motion[first] * (1 - share) + motion[np.minimum(first + 1, len(motion) - 1)] * share,
        np.float32,
    )


def speak(model: MotionTranslator, features: Features, speaker: int = 0) -> Motion:
    """(T, K) coefficients at FEATURE_RATE, matched to the speaker (matching.py), and in pauses at
    the speaker's rest or, where that is not told, as the model is when it hears nothing at all.
    """
    rest = told_rest(model)
    if rest is None:
        quiet = np.broadcast_to(silence(features), (2 * FEATURE_RATE, features.shape[1]))
        rest = translate(model, quiet, np.array([1.0]), speaker)[0]
    motion = translate(model, features, np.arange(len(features)) / FEATURE_RATE, speaker)
    return resting_in_pauses(matched(motion, model), features, rest)


def translate(
    model: MotionTranslator, features: Features, times: NDArray[np.float64], speaker: int = 0
) -> Motion:
    """(N, K) coefficients at times (N,) in seconds, which do not fall; long sounds in parts, whose
    borders do not show.
    """
    part, margin, chunks = 60.0, 2.0, []
    quiet = np.broadcast_to(silence(features), (int(margin * FEATURE_RATE), features.shape[1]))
    heard = np.concatenate([quiet, features, quiet])  # before and after it was silent
    times = times.clip(0, len(features) / FEATURE_RATE)
    with torch.inference_mode():
        for start in np.arange(0, len(features) / FEATURE_RATE + part, part):
            mine = times[(times >= start) & (times < start + part)]
            first = int(start * FEATURE_RATE)
            around = torch.from_numpy(
                heard[first : first + int((part + 2 * margin) * FEATURE_RATE)]
            )[None]
            if len(mine):
                seconds = torch.from_numpy((mine - start + margin).astype(np.float32))[None]
                chunks.append(model(around, seconds, torch.tensor([speaker]))[0].numpy())
    return (
        np.concatenate(chunks) if chunks else np.zeros((0, model.config.coefficients), np.float32)
    )
