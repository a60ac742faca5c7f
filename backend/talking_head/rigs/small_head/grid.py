"""The net of the skin: rows of heights and columns of angles, slit open at the eyes and the mouth,
folded in at the slits.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ....geometry.arrays import Doubles
from .surface import EYE, MOUTH, Lids, skin

FRONT_STEP, SIDE_STEP, BACK_STEP = 2.5, 5.0, 10.0  # degrees
ROWS_ABOVE_EYES = (
    11.5,
    11,
    10.2,
    9.2,
    8,
    6.8,
    5.7,
    4.8,
    4,
    3.4,
    2.9,
    2.5,
    2.1,
    1.75,
    1.4,
    1.1,
    0.85,
    0.6,
    0.4,
    0.2,
)
ROWS_BELOW_EYES = (-0.2, -0.4, -0.65, -0.95, -1.3, -1.7, -2.1, -2.5, -2.85, -3.15, -3.45, -3.75,
    -4.05, -4.35, -4.65, -4.95, -5.2,
                   -5.42, -5.62, -5.8, -5.96, -6.08, -6.19)  # fmt: skip
ROWS_BELOW_MOUTH = (-6.41, -6.53, -6.67, -6.84, -7.04, -7.3, -7.6, -7.95, -8.35, -8.8, -9.25, -9.7,
    -10.1, -10.5, -10.9, -11.3, -11.8,
                    -12.4, -13.2, -14.3, -16)  # fmt: skip
LID_FOLDS = (
    (0.02, 0.12),
    (0.05, 0.45),
)  # from a rim: apart, and back, of each row that is folded in
LIP_FOLDS = ((0.02, 0.25), (0.12, 0.6), (0.7, 1.4), (1.1, 3.2))


Within = Callable[[float], bool]
Folds = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Skin:
    """V vertices of the net: where each lies in the two numbers, and what it belongs to."""

    angle: Doubles  # (V,)
    height: Doubles  # (V,)
    below: Doubles  # (V,) 1: lower side of a slit, at the slit's height
    fold: NDArray[
        np.float64
    ]  # (V, 2) apart from the slit (down is negative) and back, centimetres; 0 on the outside
    faces: NDArray[np.int32]  # (F, 4)
    inside: NDArray[np.bool_]  # (F,) within the mouth

    def vertices(self, lids: Lids = Lids()) -> Doubles:
        """How many vertices the skin has."""
        positions = skin(self.angle, self.height, self.below, lids)
        positions[:, 1] += self.fold[:, 0]
        positions[:, 2] -= self.fold[:, 1]
        positions[:, 0] *= (
            1 - 0.06 * self.fold[:, 1]
        )  # the mouth's inside is narrower towards the throat
        return np.asarray(positions)


def angles() -> Doubles:
    """(C,) radians, from the front over the left to the back, then from the right to the front."""
    left = np.concatenate(
        [
            np.arange(0, 60, FRONT_STEP),
            np.arange(60, 100, SIDE_STEP),
            np.arange(100, 180, BACK_STEP),
        ]
    )
    return np.asarray(np.radians(np.concatenate([left, [180.0], -left[:0:-1]])))


class _Net:
    """Collects vertices and faces."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float, float, float]] = []
        self.faces: list[list[int]] = []
        self.inside: list[bool] = []

    def add(
        self,
        angle: float,
        height: float,
        below: float = 0.0,
        fold: tuple[float, float] = (0.0, 0.0),
    ) -> int:
        self.rows.append((angle, height, below, *fold))
        return len(self.rows) - 1

    def strip(
        self, upper: list[int], lower: list[int], inside: bool = False, closed: bool = False
    ) -> None:
        """Quads between two rows of as many vertices; columns run to the left as seen by the
        person, that is, counter-clockwise.
        """
        count = len(upper)
        for k in range(count if closed else count - 1):
            corners = [upper[k], lower[k], lower[(k + 1) % count], upper[(k + 1) % count]]
            distinct = list(dict.fromkeys(corners))
            if len(distinct) > 2:
                self.faces.append(distinct + [-1] * (4 - len(distinct)))
                self.inside.append(inside)


def make_skin() -> Skin:
    """The skin as a grid of rings around the head, with its faces."""
    net, columns = _Net(), angles()
    above = [[net.add(a, h) for a in columns] for h in ROWS_ABOVE_EYES]
    pole = net.add(0.0, 11.9)
    net.strip([pole] * len(columns), above[0], closed=True)
    eyes_upper, eyes_lower = _slit(net, columns, 0.0, _at_eye)
    cheeks = [[net.add(a, h) for a in columns] for h in ROWS_BELOW_EYES]
    lips_upper, lips_lower = _slit(net, columns, MOUTH[0], _at_mouth)
    chin = [[net.add(a, h) for a in columns] for h in ROWS_BELOW_MOUTH]
    for rows in ([*above, eyes_upper], [eyes_lower, *cheeks, lips_upper], [lips_lower, *chin]):
        for upper, lower in itertools.pairwise(rows):
            net.strip(upper, lower, closed=True)
    for side in (1, -1):
        _fold_in(
            net, columns, eyes_upper, eyes_lower, partial(_at_eye_of, side), LID_FOLDS, joined=False
        )
    _fold_in(net, columns, lips_upper, lips_lower, _at_mouth, LIP_FOLDS, joined=True)
    numbers = np.array(net.rows)
    return Skin(
        angle=numbers[:, 0],
        height=numbers[:, 1],
        below=numbers[:, 2],
        fold=numbers[:, 3:],
        faces=np.array(net.faces, np.int32),
        inside=np.array(net.inside),
    )


def _at_eye_of(side: int, x: float) -> bool:
    return _at_eye(x) and x * side > 0


def _at_eye(x: float) -> bool:
    return abs(abs(x) - EYE[0]) < EYE[1]


def _at_mouth(x: float) -> bool:
    return abs(x) < MOUTH[1]


def _across(columns: Doubles, height: float) -> Doubles:
    """(C,) x of a row; far to the side for what lies behind."""
    x = skin(columns, np.full(len(columns), height), np.zeros(len(columns)))[:, 0]
    return np.where(np.abs(columns) < np.pi / 2, x, 1e3)


def _slit(
    net: _Net, columns: Doubles, height: float, within: Within
) -> tuple[list[int], list[int]]:
    """Two rows that are one where there is no slit."""
    upper = [net.add(a, height) for a in columns]
    lower = [
        net.add(a, height, 1.0) if within(x) else upper[k]
        for k, (a, x) in enumerate(zip(columns, _across(columns, height), strict=True))
    ]
    return upper, lower


def _fold_in(
    net: _Net,
    columns: Doubles,
    upper: list[int],
    lower: list[int],
    within: Within,
    folds: Folds,
    joined: bool,
) -> None:
    """Rows from both rims inwards; a mouth's are joined at the end into a bag."""
    height = net.rows[upper[0]][1]
    span = [k for k, x in enumerate(_across(columns, height)) if within(x)]
    span = sorted(span, key=lambda k: columns[k])
    first, last = min(span, key=lambda k: columns[k]), max(span, key=lambda k: columns[k])
    ring = [
        (first - 1) % len(columns),
        *span,
        (last + 1) % len(columns),
    ]  # with the corners, where both rims meet
    rims = ([upper[k] for k in ring], [lower[k] for k in ring])
    for apart, back in folds:
        rows: list[list[int]] = []
        for number, sign in ((0, 1.0), (1, -1.0)):
            row = [
                net.add(
                    columns[k],
                    height,
                    float(number),
                    (sign * apart * (0 < p < len(ring) - 1), back),
                )
                for p, k in enumerate(ring)
            ]
            if number:
                row[0], row[-1] = rows[0][0], rows[0][-1]
            rows.append(row)
        net.strip(rims[0], rows[0], inside=joined)
        net.strip(rows[1], rims[1], inside=joined)
        rims = (rows[0], rows[1])
    if joined:
        net.strip(rims[0], rims[1], inside=True)
