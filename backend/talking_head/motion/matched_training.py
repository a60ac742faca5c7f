"""A speaker's decoder whose motion is as large and as quick as was filmed: taught twice, on a part
of the clips, to see what it makes of the rest, and on all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..speech.log_mel import FEATURE_RATE
from ..speech.pauses import awake
from .matching import Unlearned, fit_matching
from .motion_training import MotionTrainingConfig, train, translate
from .motion_translator import MotionTranslator, MotionTranslatorConfig
from .speech_clip import SpeechClip

SHARE = 0.75  # of the clips that the first one learns from
STEPS = 0.6  # of its training
SHORTEST = 8.0  # seconds: the rest of less says nothing


def train_matched(
    clips: Sequence[SpeechClip],
    config: MotionTranslatorConfig,
    training: MotionTrainingConfig = MotionTrainingConfig(),
    rest: NDArray[np.float32] | None = None,
    lips: NDArray[np.float32] | None = None,
    progress: Callable[[float], None] = lambda share: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> MotionTranslator:
    """As `train`, of one clip or of several of one speaker, then matched (matching.py)."""
    if sum(clip.seconds for clip in clips) < SHORTEST:
        return train(clips, config, training, rest, lips, progress, keeper)
    learned, kept = _parts(clips)
    some = replace(training, steps=max(1, round(STEPS * training.steps)))
    first = STEPS / (1 + STEPS)

    def unlearned() -> list[Floats]:
        part = train(
            learned,
            config,
            some,
            rest,
            lips,
            lambda share: progress(first * share),
            keeper.inside("part"),
        )
        return [
            translate(
                part,
                clip.features,
                np.arange(len(clip.features)) / FEATURE_RATE,
                clip.speaker,
            )[begin:]
            for clip, begin in kept
        ]

    motion = keeper.stage("unlearned", list[Floats], unlearned)
    model = train(
        clips,
        config,
        training,
        rest,
        lips,
        lambda share: progress(first + (1 - first) * share),
        keeper,
    )
    heard = [
        Unlearned(
            rows,
            clip.motion[round(begin / FEATURE_RATE * clip.rate) :],
            clip.rate,
            awake(clip.features)[begin:],
        )
        for rows, (clip, begin) in zip(motion, kept, strict=True)
    ]
    fit_matching(model, heard, lips, rest)
    return model


def _parts(
    clips: Sequence[SpeechClip],
) -> tuple[list[SpeechClip], list[tuple[SpeechClip, int]]]:
    """The first part of the clips' time, and clips of the rest with the row where it begins."""
    left = SHARE * sum(clip.seconds for clip in clips)
    learned: list[SpeechClip] = []
    kept: list[tuple[SpeechClip, int]] = []
    for clip in clips:
        cut = int(min(left, clip.seconds) * FEATURE_RATE)
        frames = round(cut / FEATURE_RATE * clip.rate)
        if cut:
            learned.append(replace(clip, features=clip.features[:cut], motion=clip.motion[:frames]))
        if cut < int(clip.seconds * FEATURE_RATE) - 1:
            kept.append((clip, cut))
        left -= cut / FEATURE_RATE
    return learned, kept
