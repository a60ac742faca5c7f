"""Asking for objects by words: one score an object and prompt, milliseconds once the words are
encoded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..formats.semantics_file import Semantics
from ..geometry.arrays import Floats
from ..protocol import InputError
from .object_codes import ObjectCodes
from .teachers.relevancy import COMMON, NEGATIVES, Prompt, centered, parse, relevancy
from .teachers.teacher import Teacher

MOST_WORDS = 5000  # at once


@dataclass(frozen=True)
class Answer:
    """What prompts fit. Scores are relevancies, 0..1; 0.5 is as good a fit as the best of what was
    not meant.
    """

    prompts: tuple[Prompt, ...]
    objects: Floats  # (Q, K)
    # (N,) of the prompt that fits best, mixed over each splat's objects: soft along edges
    splats: Floats

    def chosen(self, threshold: float) -> NDArray[np.bool_]:
        """(N,) splats to select: where most of a splat is of objects that fit."""
        return np.asarray(self.splats >= threshold)


def prompts_of(text: str) -> list[Prompt]:
    """What was typed; InputError when that is nothing, or far too much."""
    prompts = parse(text)
    words = sum(len(p.words) + len(p.negatives) for p in prompts)
    if not prompts:
        raise InputError(
            "The prompt is empty.", 'Write what to select, for example "chair, stool; lamp".'
        )
    if words > MOST_WORDS:
        raise InputError(f"{words} words are too many at once.", f"Give at most {MOST_WORDS}.")
    return prompts


def teacher_of(semantics: Semantics, model: str, load: Callable[[str], Teacher]) -> Teacher:
    """The model that was named, else the one that the splats were segmented with; InputError where
    it can't be that one.
    """
    model = model or semantics.model
    if not model or not semantics.features.shape[1]:
        raise InputError(
            "The splats were segmented without a CLIP model, so words say nothing.",
            "Run Segment again with a model.",
        )
    teacher = load(model)
    if teacher.dimensions != semantics.features.shape[1]:
        raise InputError(
            f"{model} is not the model that the splats were segmented with.",
            f"Use {semantics.model}.",
        )
    return teacher


def ask(semantics: Semantics, teacher: Teacher, prompts: Sequence[Prompt]) -> Answer:
    """Relevancy of every object for every prompt.

    Pictures and words of CLIP lie in two cones: the scene's mean is taken from the objects'
    features, and the mean of common words from the words'.
    """
    negatives = sorted({n for p in prompts for n in p.negatives} | set(NEGATIVES))
    words = [w for p in prompts for w in p.words]
    encoded = teacher.encode_text([*words, *negatives, *COMMON])
    encoded = centered(encoded, encoded[-len(COMMON) :].mean(0))
    features = centered(semantics.features, semantics.mean)
    unseen = (
        np.linalg.norm(semantics.features, axis=1) < 1e-6
    )  # objects that no picture showed fit no words
    against, scores, at = encoded[len(words) : -len(COMMON)], [], 0
    for prompt in prompts:
        meant = [
            i
            for i, n in enumerate(negatives)
            if n in prompt.negatives or (n in NEGATIVES and n not in prompt.words)
        ]
        rivals = against[meant] if meant else against
        scores.append(
            np.where(
                unseen, 0, relevancy(features, encoded[at : at + len(prompt.words)], rivals)
            ).astype(np.float32)
        )
        at += len(prompt.words)
    objects = np.stack(scores) if scores else np.zeros((0, len(features)), np.float32)
    best = objects.max(0) if len(objects) else np.zeros(len(features), np.float32)
    return Answer(
        tuple(prompts), objects, ObjectCodes(semantics.objects, semantics.shares).mix(best)
    )
