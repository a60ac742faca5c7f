"""Words and things as CLIP's spaces hold them, harder than teacher_simulator.py: words come in
families, things are seen with other things around them, some things are near to every word, and the
right word is ahead of the others by little.

What real models show, and this copies: texts in a narrow cone, pictures in another; a picture's own
word at a cosine about 0.1 above that of any, families of words at 0.3 to 0.6 of each other once the
cones' means are gone (Liang et al. 2022 on the gap, Kerr et al. 2023 on relevancy).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.formats.semantics_file import NOTHING, Semantics

DIMENSIONS = 512


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class GeometryConfig:
    """How much of what a picture's feature is made of."""

    families: int = 40  # of words
    family: float = 0.65  # of a word is its family's
    own: float = 0.35  # of the picture: its word
    around: float = 0.12  # each of two other words that are there
    hub: float = 0.15  # what some things share with all words
    noise: float = 0.45


class GeometryTeacher:
    """A place for every word; the same for the same seed."""

    name, dimensions = "geometry", DIMENSIONS

    def __init__(self, seed: int, config: GeometryConfig = GeometryConfig()) -> None:
        self.seed, self.config = seed, config
        random = np.random.default_rng(seed)
        self.cone, self.gap = _unit(random.normal(size=(2, DIMENSIONS)))
        self.families = _unit(random.normal(size=(config.families, DIMENSIONS)))

    def meaning(self, word: str) -> np.ndarray:
        """(D,) of length 1, without the cone."""
        random = np.random.default_rng([self.seed, zlib.crc32(word.encode())])
        family = self.families[random.integers(self.config.families)]
        own = _unit(random.normal(size=DIMENSIONS))
        share = self.config.family
        return _unit(share * family + (1 - share**2) ** 0.5 * own)

    def encode_regions(self, image: np.ndarray, regions: np.ndarray, count: int) -> np.ndarray:
        raise NotImplementedError

    def encode_text(self, words: Sequence[str]) -> np.ndarray:
        return _unit(np.array([self.cone * 1.3 + self.meaning(w) for w in words])).astype("f")

    def scene(self, names: Sequence[str], seed: int) -> Semantics:
        """An object for every name, each of a hundred splats."""
        random, config = np.random.default_rng([self.seed, seed]), self.config
        features = []
        for name in names:
            others = random.choice(names, 2)
            picture = self.gap + config.own * self.meaning(name)
            picture = picture + config.around * sum(self.meaning(str(o)) for o in others)
            picture = picture + config.hub * random.random() * self.cone
            noise = random.normal(size=DIMENSIONS) / DIMENSIONS**0.5
            features.append(picture + config.noise * noise)
        objects = np.full((100 * len(names), 3), NOTHING, np.uint16)
        objects[:, 0] = np.repeat(np.arange(len(names)), 100)
        shares = np.zeros((len(objects), 3), np.uint8)
        shares[:, 0] = 255
        seen = _unit(np.array(features)).astype(np.float32)
        return Semantics(
            objects=objects, shares=shares, features=seen, mean=seen.mean(0), model="geometry"
        )
