"""The simulated teacher as `segment` and `select` load a CLIP model: it knows what the pictures
truly show, and has a place for every word.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from helpers.furnished_room import CLASSES, LOOK_ALIKE
from helpers.teacher_simulator import DIMENSIONS, Simulator

from backend.gaussians.options import RasterView

# Words of things that no room has. Each of the first is as near to a class as look-alikes are to
# each other; the others are like nothing.
ABSENT_ALIKE = {
    "bench": "couch", "throne": "armchair", "high chair": "chair", "bar stool": "stool",
    "desk": "table", "wardrobe": "cabinet", "bookcase": "shelf", "cradle": "bed",
    "doormat": "rug", "candle": "lamp", "palm": "cactus", "cushion cover": "pillow",
}  # fmt: skip
ABSENT = (
    "bicycle", "guitar", "umbrella", "horse", "teapot", "keyboard", "fire hydrant", "shoe",
    "pizza", "ladder", "violin", "aquarium",
)  # fmt: skip
ALIKE = 0.2  # as in teacher_simulator.text_features


class SimulatedTeacher:
    """A teacher.Teacher of one room's capture. Pictures are known again by their bytes."""

    name, dimensions = "simulated", DIMENSIONS

    def __init__(self, simulator: Simulator, text_seed: int = 3) -> None:
        self._simulator, self._text_seed = simulator, text_seed
        self._shown: dict[int, tuple[np.ndarray, RasterView]] = {}
        self._common = np.random.default_rng(text_seed).normal(size=DIMENSIONS)

    def shows(self, image: np.ndarray, owners: np.ndarray, camera: RasterView) -> None:
        """What a picture (H, W, 3) shows: objects (H, W), and from where."""
        self._shown[zlib.crc32(image.tobytes())] = (owners, camera)

    def shown(self, image: np.ndarray) -> tuple[np.ndarray, RasterView]:
        """What it was told of a picture (H, W, 3)."""
        return self._shown[zlib.crc32(image.tobytes())]

    def encode_regions(self, image: np.ndarray, regions: np.ndarray, count: int) -> np.ndarray:
        owners, camera = self.shown(image)
        return self._simulator.given(owners, regions, count, camera)

    def encode_text(self, words: Sequence[str]) -> np.ndarray:
        """(W, D): classes where the simulator has them, every other word at a place of its own."""
        return np.array([self._word(word) for word in words], np.float32)

    def _word(self, word: str) -> np.ndarray:
        if word in LOOK_ALIKE:
            return np.asarray(self._simulator.text[CLASSES.index(word)])
        random = np.random.default_rng([self._text_seed, zlib.crc32(word.encode())])
        place = 1.7 * self._common + random.normal(size=DIMENSIONS)
        if word in ABSENT_ALIKE:
            near = self._simulator.text[CLASSES.index(ABSENT_ALIKE[word])]
            place = (1 - ALIKE) * place + ALIKE * np.linalg.norm(place) * near
        return np.asarray(place / np.linalg.norm(place))
