"""How a camera may move: each way is a function of the clip's share and of a jitter."""

import math
from collections.abc import Callable

import numpy as np

Path3 = Callable[
    [float, np.ndarray], tuple[np.ndarray, np.ndarray]
]  # share of the clip, jitter -> position, target


def orbit(degrees: float, start: float = -140.0, radius: float = 4.2) -> Path3:
    def path(t: float, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a = math.radians(start + degrees * t)
        r = radius - 0.5 * math.sin(math.pi * t)
        return np.array(
            [r * math.cos(a), r * math.sin(a), 1.9 + 0.4 * math.sin(2 * math.pi * t)]
        ) + j, np.array([0, 0, 0.8]) + j[::-1] / 2

    return path


def full(t: float, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a = math.radians(-90 + 360 * t)
    return np.array(
        [4.6 * math.cos(a), 4.6 * math.sin(a), 2.0 + 0.3 * math.sin(3 * a)]
    ) + j, np.array([0, 0, 0.8]) + j[::-1] / 2


def line(
    start: tuple, end: tuple, target: tuple | None = None, ahead: tuple = (0, 1, -0.15)
) -> Path3:
    """From start to end, at a target or looking in a fixed direction."""

    def path(t: float, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        position = np.array(start) * (1 - t) + np.array(end) * t + j
        return position, (np.array(target) if target else position + np.array(ahead)) + j[::-1] / 2

    return path


def forward(t: float, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array([0.4 + 0.1 * math.sin(4 * t), -6.0 + 2.6 * t, 1.7]) + j, np.array(
        [0, 0, 0.8]
    ) + j[::-1] / 2


def dolly(t: float, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array([-0.35 + 0.7 * t, -4.5, 1.6 + 0.1 * math.sin(2 * math.pi * t)]) + j, np.array(
        [0, 0, 0.8]
    ) + j[::-1] / 2


def pan(width: float, position: tuple = (0.0, -4.5, 1.6)) -> Path3:
    """Turns on the spot by `width` radians; the tripod's give is below a thousandth of the room."""

    def path(t: float, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a = (t - 0.5) * width
        p = np.array(position)
        return p, p + np.array([math.sin(a), math.cos(a), -0.12 + 0.06 * math.sin(3 * t)]) + j / 10

    return path


def walk(t: float, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    bob = np.array([0.04 * math.sin(20 * t), 0, 0.05 * abs(math.sin(14 * t))])
    p = np.array([-3.5 + 2.2 * t, -5.5 + 2.0 * t, 1.6]) + bob + 1.5 * j
    a = 0.5 - 0.5 * t
    return p, p + np.array([math.sin(a), math.cos(a), -0.2]) + j


def still(t: float, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array([0, -4.5, 1.6]), np.array([0, 0, 0.8])
