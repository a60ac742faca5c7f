"""How well things fit words: the relevancy of LERF (Kerr et al. 2023, section 4), as LangSplat and
its heirs compute it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Floats

NEGATIVES = ("object", "things", "stuff", "texture")
COMMON = (
    "person", "animal", "plant", "tree", "flower", "building", "wall", "floor", "ceiling",
    "window", "door", "chair", "table", "bed",
    "shelf", "lamp", "carpet", "picture", "book", "bottle", "cup", "bowl", "food", "toy", "tool",
    "machine", "computer", "vehicle",
    "road", "grass", "sky", "water", "rock", "clothing", "bag", "box",
)  # fmt: skip
SHARPNESS = 10.0  # of the softmax over cosines
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
    scores: Floats = (1 / (1 + np.exp(SHARPNESS * (against - positive)))).astype(np.float32)
    return scores


def phrases(words: Sequence[str]) -> list[list[str]]:
    """Every word in every template: their mean is the word's feature."""
    return [[template.format(word) for template in TEMPLATES] for word in words]
