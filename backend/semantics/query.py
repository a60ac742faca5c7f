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
from .teachers.nouns import NOUNS
from .teachers.relevancy import (
    NEGATIVES,
    Prompt,
    against_nouns,
    among_things,
    centered,
    parse,
    relevancy,
    sigmoid,
)
from .teachers.teacher import Teacher

MOST_WORDS = 5000  # at once


@dataclass(frozen=True)
class Answer:
    """What prompts fit. Scores are relevancies, 0..1; from 0.5 on, no common noun fits better, and
    the fit is better than chance.
    """

    prompts: tuple[Prompt, ...]
    objects: Floats  # (Q, K)
    # (N,) of the prompt that fits best, mixed over each splat's objects: soft along edges
    splats: Floats

    def chosen(self, threshold: float) -> NDArray[np.bool_]:
        """(N,) splats to select: where most of a splat is of objects that fit."""
        return np.asarray(self.splats >= threshold)

    def nearest(self, count: int = 3) -> list[tuple[int, float]]:
        """The objects that fit best, and how well: what to offer where nothing fits."""
        best = self.objects.max(0) if len(self.objects) else np.zeros(0, np.float32)
        order = np.argsort(-best, kind="stable")[:count]
        return [(int(k), float(best[k])) for k in order]


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
    """Relevancy of every object for every prompt: the least of three judgements. The words must say
    more of it than common nouns do, more than what is not meant, and it must stand out for them
    among the scene's objects.

    Pictures and words of CLIP lie in two cones: the scene's mean is taken from the objects'
    features, and the mean of common nouns from the words'.
    """
    negatives = sorted({n for p in prompts for n in p.negatives} | set(NEGATIVES))
    words = [w for p in prompts for w in p.words]
    encoded = teacher.encode_text([*words, *negatives, *NOUNS])
    encoded = centered(encoded, encoded[-len(NOUNS) :].mean(0))
    nouns, against = encoded[-len(NOUNS) :], encoded[len(words) : -len(NOUNS)]
    # objects that no picture showed fit no words
    seen = np.linalg.norm(semantics.features, axis=1) >= 1e-6
    features = centered(semantics.features[seen], semantics.mean)
    objects, at = np.zeros((len(prompts), len(seen)), np.float32), 0
    for row, prompt in zip(objects, prompts, strict=True):
        own = encoded[at : at + len(prompt.words)]
        at += len(prompt.words)
        if seen.any():
            rivals = against[_meant(prompt, negatives)]
            row[seen] = _scores(features, own, rivals, nouns)
    best = objects.max(0) if len(objects) else np.zeros(len(seen), np.float32)
    return Answer(
        tuple(prompts), objects, ObjectCodes(semantics.objects, semantics.shares).mix(best)
    )


def _meant(prompt: Prompt, negatives: Sequence[str]) -> list[int]:
    """Which of the negatives speak against a prompt: its own, and those of all that are not its
    words.
    """
    return [
        i
        for i, n in enumerate(negatives)
        if n in prompt.negatives or (n in NEGATIVES and n not in prompt.words)
    ]


def _scores(features: Floats, words: Floats, rivals: Floats, nouns: Floats) -> Floats:
    """(M,) of things that were seen."""
    scores = [
        sigmoid(against_nouns(features, words, nouns)),
        sigmoid(among_things(features, words, nouns)),
    ]
    if len(rivals):
        scores.append(relevancy(features, words, rivals))
    return np.asarray(np.min(scores, axis=0), np.float32)
