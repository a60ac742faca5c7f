"""What a teacher has to be able to do."""

from collections.abc import Sequence
from typing import Protocol

from numpy.typing import NDArray

from ...geometry.arrays import Floats, Ints32


class Teacher(Protocol):
    """Pictures and words as points on one sphere."""

    @property
    def name(self) -> str:
        """For people: which model, from where."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode_regions(self, image: NDArray, regions: Ints32, count: int) -> Floats:
        """(count, D) of length 1: what each region of a picture (H, W, 3) uint8 shows; regions (H,
        W), negative: none.
        """
        ...

    def encode_text(self, words: Sequence[str]) -> Floats:
        """(W, D) of length 1."""
        ...
