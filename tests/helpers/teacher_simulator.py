"""A teacher whose mistakes are known: region maps and CLIP-like features drawn from exact masks.

Features have CLIP's geometry (a modality gap, texts that resemble each other). Regions are split,
merged, lost and frayed. A region is taken for a look-alike with probability `confusion`, more often
when small. View-correlated mistakes: objects that are mistaken in every view, and objects that are
mistaken in all views from one side.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from helpers.furnished_room import CLASSES, LOOK_ALIKE, SURFACES, Room
from scipy import ndimage

from backend.gaussians.options import RasterView

DIMENSIONS = 512


@dataclass(frozen=True)
class SimulatorConfig:
    """Chances."""

    confusion: float = 0.3
    noise: float = 0.35
    always_wrong: float = 0.05  # of an object, in all views
    wrong_from_one_side: float = 0.0  # of an object, in the half of the views on one side of it
    split: float = 0.3  # of a region
    merge: float = 0.1  # of an object with its neighbour, in a view
    lost: float = 0.05
    fray: float = 1.0  # pixels


@dataclass(frozen=True)
class TaughtView:
    """regions (H, W) int32, -1: none; features (R, D) of length 1."""

    regions: np.ndarray
    features: np.ndarray


def text_features(seed: int = 3) -> np.ndarray:
    """(C, D) of CLASSES, of length 1; look-alikes lie closer."""
    random = np.random.default_rng(seed)
    common = random.normal(size=DIMENSIONS)
    found = 1.7 * common + random.normal(size=(len(CLASSES), DIMENSIONS))
    for i, name in enumerate(CLASSES):
        other = CLASSES.index(LOOK_ALIKE[name])
        found[i] = 0.8 * found[i] + 0.2 * found[other]
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _wobble(random: np.random.Generator, shape: tuple[int, int], size: float) -> np.ndarray:
    coarse = random.normal(size=(shape[0] // 12 + 2, shape[1] // 12 + 2))
    return np.round(ndimage.zoom(coarse, 12, order=1)[: shape[0], : shape[1]] * size).astype(int)


def _frayed(owners: np.ndarray, random: np.random.Generator, config: SimulatorConfig) -> np.ndarray:
    """Some objects run into a neighbour, and outlines are off by a pixel or so."""
    found = owners.copy()
    for o in np.unique(owners[owners >= len(SURFACES)]):
        if random.random() < config.merge:
            mine = found == o
            ring = ndimage.binary_dilation(mine, iterations=2) & ~mine & (found >= 0)
            if ring.any():
                found[mine] = np.bincount(found[ring]).argmax()
    grid = np.indices(owners.shape)
    rows = np.clip(grid[0] + _wobble(random, owners.shape, config.fray), 0, owners.shape[0] - 1)
    return found[
        rows, np.clip(grid[1] + _wobble(random, owners.shape, config.fray), 0, owners.shape[1] - 1)
    ]


def _pieces(
    mask: np.ndarray, random: np.random.Generator, config: SimulatorConfig
) -> list[np.ndarray]:
    labels, count = ndimage.label(mask)
    found = []
    for part in (labels == i for i in range(1, count + 1)):
        if part.sum() > 60 and random.random() < config.split:
            at = np.indices(mask.shape)
            y, x = at[0], at[1]
            angle = random.random() * np.pi
            side = (
                np.cos(angle) * (x - x[part].mean()) + np.sin(angle) * (y - y[part].mean())
                > random.normal() * 3
            )
            found += [part & side, part & ~side]
        else:
            found.append(part)
    return [p for p in found if p.sum() >= 12]


def mistaken(
    owners: np.ndarray, random: np.random.Generator, config: SimulatorConfig
) -> Iterator[tuple[int, np.ndarray]]:
    """Regions as the teacher takes them, (H, W) bool, with the object that each is meant to be."""
    frayed = _frayed(owners, random, config)
    for o in np.unique(frayed[frayed >= 0]):
        for piece in _pieces(frayed == o, random, config):
            if random.random() >= config.lost:
                yield int(o), piece


class Simulator:
    """A teacher of one room: which objects it always mistakes, and from where, is drawn once."""

    def __init__(
        self,
        room: Room,
        config: SimulatorConfig = SimulatorConfig(),
        seed: int = 7,
        text_seed: int = 3,
    ) -> None:
        self.room, self.config, self.random = room, config, np.random.default_rng(seed)
        self.text = text_features(text_seed)
        gap = self.random.normal(size=DIMENSIONS)
        self.gap = gap / np.linalg.norm(gap)
        self.alike = np.array([CLASSES.index(LOOK_ALIKE[c]) for c in CLASSES])
        self.always = self.random.random(len(room.classes)) < config.always_wrong
        self.sided = self.random.random(len(room.classes)) < config.wrong_from_one_side
        self.direction = self.random.normal(size=(len(room.classes), 2))

    def _feature(self, o: int, size: float, camera: RasterView) -> np.ndarray:
        """What a region of object `o` with so many pixels looks like to it."""
        random, is_class = self.random, int(self.room.classes[o])
        position = -(camera.viewmat[:3, :3].T @ camera.viewmat[:3, 3]).numpy()[:2]
        from_that_side = (
            self.sided[o] and float(self.direction[o] @ (position - np.array([2.5, -2.5]))) > 0
        )
        if self.always[o] or from_that_side:
            is_class = int(self.alike[is_class])
        if random.random() < self.config.confusion * np.clip(1.6 - size / 600, 0.5, 1.6):
            is_class = (
                int(self.alike[is_class])
                if random.random() < 0.7
                else int(random.integers(len(CLASSES)))
            )
        noise = random.normal(size=DIMENSIONS) * self.config.noise / DIMENSIONS**0.5
        mean = self.text.mean(0)
        feature = 0.8 * self.gap + 0.45 * (self.text[is_class] - mean) + 0.25 * mean + noise
        return feature / np.linalg.norm(feature)

    def view(self, owners: np.ndarray, camera: RasterView) -> TaughtView:
        """Its own regions of a picture with these exact masks, and their features."""
        regions = np.full(owners.shape, -1, np.int32)
        features: list[np.ndarray] = []
        for o, piece in mistaken(owners, self.random, self.config):
            regions[piece] = len(features)
            features.append(self._feature(o, piece.sum(), camera))
        return TaughtView(regions, np.array(features, np.float32).reshape(-1, DIMENSIONS))

    def given(
        self, owners: np.ndarray, regions: np.ndarray, count: int, camera: RasterView
    ) -> np.ndarray:
        """(count, D) features of regions that it is given; one that holds several objects may be
        taken for any of them.
        """
        features = np.zeros((count, DIMENSIONS), np.float32)
        for r in range(count):
            inside = owners[(regions == r) & (owners >= 0)]
            if len(inside):
                features[r] = self._feature(int(self.random.choice(inside)), len(inside), camera)
        return features


def teach(
    room: Room, config: SimulatorConfig = SimulatorConfig(), seed: int = 7, text_seed: int = 3
) -> list[TaughtView]:
    """What the teacher says of every view of a room."""
    teacher = Simulator(room, config, seed, text_seed)
    return [
        teacher.view(owners, camera) for owners, camera in zip(room.owners, room.views, strict=True)
    ]
