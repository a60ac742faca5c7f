"""Which photos of a folder are of one lens, as far as their sizes tell."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .picture_fit import same_shape

STRAY = 0.25  # of the usual longer side; smaller ones are thumbnails, not photos made smaller


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Width and height that the photos of one lens take, and which they are."""

    size: tuple[int, int]
    members: frozenset[Path]

    def is_turned(self, size: tuple[int, int]) -> bool:
        """Whether a photo of that size stands where most lie, or lies where most stand."""
        return (size[0] > size[1]) != (self.size[0] > self.size[1]) and size[0] != size[1]


def main_shape(sizes: Mapping[Path, tuple[int, int]]) -> Shape:
    """The shape that most photos have, of upright sizes (width, height): held either way, and
    scaled. Ties go to the larger ones.
    """
    lying = {path: (max(size), min(size)) for path, size in sizes.items()}
    groups: list[list[Path]] = []
    largest_first = sorted(lying, key=lambda p: lying[p], reverse=True)
    for path in largest_first:
        fits = (g for g in groups if same_shape(lying[path], lying[g[0]]))
        group = next(fits, None)
        if group is None:
            groups.append([path])
        else:
            group.append(path)
    main = max(groups, key=lambda g: (len(g), lying[g[0]]))
    usual = Counter(lying[p] for p in main).most_common(1)[0][0]
    members = frozenset(p for p in main if lying[p][0] >= STRAY * usual[0])
    standing = sum(sizes[p][1] > sizes[p][0] for p in members)
    size = usual[::-1] if 2 * standing > len(members) else usual
    return Shape(size=size, members=members)
