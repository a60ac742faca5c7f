"""How well things fit words: the relevancy of LERF (Kerr et al. 2023, section 4), as LangSplat and
its heirs compute it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Floats

NEGATIVES = ("object", "things", "stuff", "texture")
SHARPNESS = 10.0  # of the softmax over cosines
# above what chance gives a noun's best thing, where half of the way is gone; and how steeply.
# Chosen among 2, 3, 4 and 5 on seeds 0 to 2 of the benchmark's teacher and of the harder geometry
# in tests/helpers/clip_geometry.py; seeds 3 to 5 are what is told
DEVIATIONS, STEEP = 4.0, 1.0
FEW = 4  # things, whose mean is trusted by half
WIDE = str.maketrans("，、；－", ",,;-")  # what a Chinese or Japanese keyboard writes
TEMPLATES = ("a photo of a {}", "a {}", "{}")


@dataclass(frozen=True)
class Prompt:
    """Words that mean the same, and words that it is not."""

    words: tuple[str, ...]
    negatives: tuple[str, ...] = ()


def parse(text: str) -> list[Prompt]:
    """Prompts are separated by semicolons, synonyms by commas; words after a minus sign are what is
    not meant.

    "lamp, lantern; chair -stool" gives two prompts. Empty parts are left out.
    """
    prompts = []
    for part in text.translate(WIDE).split(";"):
        wanted, *unwanted = part.split(" -")
        words = tuple(w.strip() for w in wanted.split(",") if w.strip())
        if words:
            prompts.append(
                Prompt(words, tuple(w.strip() for u in unwanted for w in u.split(",") if w.strip()))
            )
    return prompts


def centered(features: Floats, mean: Floats) -> Floats:
    """Unit features (M, D) without what all share: image and text features of CLIP lie in two cones
    apart.
    """
    apart = features - mean
    unit: Floats = (apart / np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-9)).astype(
        np.float32
    )
    return unit


def relevancy(features: Floats, words: Floats, negatives: Floats) -> Floats:
    """(M,) in 0..1: the least, over the negatives, of softmax(10 cos) for the best of the words.

    features (M, D), words (W, D) and negatives (V, D), all of length 1.
    """
    positive = (features @ words.T).max(1)
    against = (features @ negatives.T).max(1)
    return sigmoid(SHARPNESS * (positive - against))


def sigmoid(values: Floats) -> Floats:
    """0..1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -50, 50))), np.float32)


def against_nouns(features: Floats, words: Floats, nouns: Floats) -> Floats:
    """(M,) logits: whether the best of the words (W, D) says more of a thing (M, D) than any of the
    nouns (B, D) says beyond it; 0: as much.

    Of a noun only the part counts that the word does not mean itself: so that "couch" does not
    speak against "sofa", nor much against "furniture", but "chair" does against "stool".
    """
    positive = (features @ words.T).max(1)
    shared = (nouns @ words.T).max(1).clip(0, 1)  # (B,) how much of a noun is meant
    beyond = features @ nouns.T - positive[:, None] * shared[None]
    return np.asarray(SHARPNESS * (positive - beyond.max(1)), np.float32)


def among_things(features: Floats, words: Floats, nouns: Floats) -> Floats:
    """(M,) logits: whether a thing stands out for the words as things do for a noun that is there.

    Cosines mean nothing by themselves: some things are near to every word, and some words to every
    thing. Both means are taken off. What is left for a noun's best thing tells what chance does,
    for most nouns are not there: the words must lie so many deviations above that.
    """
    wanted = _uncommon(features, (features @ words.T).max(1)[:, None], nouns)[:, 0]
    chance = _uncommon(features, features @ nouns.T, nouns).max(0)  # (B,) each noun's best
    middle = float(np.median(chance))
    spread = max(1.4826 * float(np.median(np.abs(chance - middle))), 1e-6)
    return np.asarray(STEEP * ((wanted - middle) / spread - DEVIATIONS), np.float32)


def _uncommon(features: Floats, cosines: Floats, nouns: Floats) -> Floats:
    """cosines (M, W) without what a thing has for every noun, nor what a word has for every thing;
    the latter as far as a mean of so few things is one.
    """
    own = (features @ nouns.T).mean(1, keepdims=True)
    apart = cosines - own
    trust = len(features) / (len(features) + FEW)
    return np.asarray(apart - trust * apart.mean(0, keepdims=True))


def phrases(words: Sequence[str]) -> list[list[str]]:
    """Every word in every template: their mean is the word's feature."""
    return [[template.format(word) for template in TEMPLATES] for word in words]
