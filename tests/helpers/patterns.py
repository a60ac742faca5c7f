"""Patterns on everything, for rooms in which colours and edges say little: wallpapers of blotches,
planks, tiles; and things of two colours that go through them like the grain of wood.
"""

import cv2
import numpy as np


def wallpaper(plain: np.ndarray, seed: int, which: int) -> np.ndarray:
    """A texture (S, S, 3) of 0..1 with a pattern on it."""
    random = np.random.default_rng(7000 + 10 * seed + which)
    draw = (_blotches, _planks, _tiles)[(seed + which) % 3]
    return np.clip(draw(plain.astype(np.float32).copy(), random), 0, 1).astype(np.float32)


def _blotches(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    side = len(image)
    colors = np.clip(image.mean((0, 1)) + random.normal(0, 0.35, (3, 3)), 0, 1)
    cell = side // (count := int(random.integers(10, 16)))
    for i in range(count):
        for j in range(count):
            x, y = int((i + 0.5 * (j % 2)) * cell), int(j * cell)
            color = colors[int(random.integers(3))].tolist()
            for _ in range(6):
                at = tuple(int(v + random.normal(0, cell * 0.18)) % side for v in (x, y))
                axes = int(cell * random.uniform(0.08, 0.2)), int(cell * random.uniform(0.05, 0.12))
                angle = float(random.uniform(0, 180))
                cv2.ellipse(image, at, axes, angle, 0, 360, color, -1, cv2.LINE_AA)
    return image


def _planks(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    width = len(image) // (count := int(random.integers(14, 26)))
    for i in range(count):
        plank = image[:, i * width : (i + 1) * width]
        plank[:] = np.clip(plank * random.uniform(0.6, 1.2), 0, 1)
        plank[:, :3] *= 0.5
    return image


def _tiles(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    width = len(image) // (count := int(random.integers(8, 14)))
    color = image.mean((0, 1)) * random.uniform(0.5, 0.8) + random.normal(0, 0.1, 3)
    for i in range(count):
        for j in range(1 - i % 2, count, 2):
            tile = image[i * width : (i + 1) * width, j * width : (j + 1) * width]
            tile[:] = 0.7 * np.clip(color, 0, 1) + 0.3 * tile
    return image


def grained(colors: np.ndarray, points: np.ndarray, parts: np.ndarray, seed: int) -> np.ndarray:
    """Colours (N, 3) of 0..1 of what lies at points (N, 3), with a grain of its own in every part
    (N,), negative: of none.
    """
    found = colors.copy()
    for part in np.unique(parts[parts >= 0]):
        random = np.random.default_rng(9000 + 100 * seed + int(part))
        strength, fineness = random.choice([0.0, 0.25, 0.5, 0.8]), random.uniform(2, 8)
        other, mine = np.clip(random.random(3), 0.1, 1), parts == part
        grain = _waves(points[mine] * fineness, random)
        if random.random() < 0.5:  # sharp
            grain = np.sign(grain) * np.minimum(np.abs(grain) * 4, 1)
        share = (strength * 0.5 * (1 + grain).clip(0, 2) / 2)[:, None]
        found[mine] = np.clip(found[mine] * (1 - share) + share * other, 0, 1)
    return found


def _waves(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(N,) about -1..1."""
    sums = np.zeros(len(points))
    for _ in range(6):
        wave = random.normal(size=3)
        wave *= random.uniform(0.6, 2.2) / np.linalg.norm(wave)
        sums += np.sin(2 * np.pi * (points @ wave) + random.uniform(0, 6.3))
    return sums / 3
