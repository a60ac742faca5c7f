"""Finds faces in a picture: boxes, scores and eyes, by mediapipe's two BlazeFace networks
(Bazarevsky et al. 2019).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from ...geometry.arrays import Floats, Pixels
from .region import Region
from .tflite_network import TfliteNetwork


@dataclass(frozen=True)
class DetectorConfig:
    """What counts as a face, and as another face than the one beside it."""

    score: float = 0.5
    overlap: float = 0.3  # intersection over union
    grids: tuple[tuple[int, int], ...] = (
        (48, 1),
    )  # cells along a side, and anchors in each; in the order of the network's rows
    tiles: tuple[int, ...] = (
        2,
        3,
    )  # finer looks, so many tiles along the shorter side, while nothing was found


FULL_RANGE = DetectorConfig()
SHORT_RANGE = DetectorConfig(grids=((16, 2), (8, 6)), tiles=())


@dataclass(frozen=True)
class Face:
    """Pixels of the picture. The left eye is the one on the left of the picture of an upright
    face.
    """

    box: Floats  # (4,) left, top, right, bottom
    left_eye: Floats  # (2,)
    right_eye: Floats  # (2,)
    score: float

    @property
    def area(self) -> float:
        """Of the face's box, in pixels."""
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))

    def region(self) -> Region:
        """Where the mesh has to look: half as large again, turned so that the eyes are level."""
        along = self.right_eye - self.left_eye
        left, top, right, bottom = self.box.tolist()
        size = 1.5 * max(right - left, bottom - top)
        return Region(
            (left + right) / 2, (top + bottom) / 2, size, float(np.arctan2(along[1], along[0]))
        )


class FaceDetector:
    """All faces of a picture, the surest first; small ones by looking at parts of it."""

    def __init__(self, network: TfliteNetwork, config: DetectorConfig) -> None:
        self.network, self.config = network, config
        cells = [np.repeat(_centers(side), anchors, 0) for side, anchors in config.grids]
        self._anchors = torch.from_numpy(np.concatenate(cells))

    def __call__(self, image: Pixels) -> list[Face]:
        """`picture` (H, W, 3) RGB."""
        height, width = image.shape[:2]
        faces = self._look(image, 0, 0, max(height, width))
        for tiles in self.config.tiles:
            if faces:
                break
            side = int(
                np.ceil(min(height, width) / tiles * 1.3)
            )  # tiles overlap, so that no face lies between two
            corners = ((x, y) for y in _starts(height, side) for x in _starts(width, side))
            faces = [
                face
                for x, y in corners
                for face in self._look(image[y : y + side, x : x + side], x, y, side)
            ]
        return _apart(faces, self.config.overlap)

    def _look(self, part: Pixels, left: int, top: int, side: int) -> list[Face]:
        """Faces of one part of the picture, seen as a square of `side` pixels with black around
        it.
        """
        scale = self.network.width / side
        height, width = (max(1, round(n * scale)) for n in part.shape[:2])
        square = np.zeros((self.network.height, self.network.width, 3), np.uint8)
        square[:height, :width] = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        image = torch.from_numpy(square).permute(2, 0, 1)[None].float() / 127.5 - 1
        rows, scores = sorted(self.network(image).values(), key=lambda values: -values.shape[-1])
        return self._faces(
            rows[0], torch.sigmoid(scores[0, :, 0]), np.array([left, top], np.float32), side
        )

    def _faces(self, rows: Tensor, scores: Tensor, corner: Floats, side: int) -> list[Face]:
        """`rows` (A, 16): centre and size, then six points, in pixels of the network around the
        anchors.
        """
        sure = torch.nonzero(scores > self.config.score)[:, 0]
        numbers = rows[sure] / self.network.width
        center = self._anchors[sure] + numbers[:, :2]
        eyes = self._anchors[sure, None] + numbers[:, 4:8].reshape(-1, 2, 2)
        boxes = torch.cat(
            [center - numbers[:, 2:4] / 2, center + numbers[:, 2:4] / 2], 1
        ).numpy() * side + np.tile(corner, 2)
        points = eyes.numpy() * side + corner
        return [
            Face(box, two[0], two[1], float(s))
            for box, two, s in zip(boxes, points, scores[sure].tolist(), strict=True)
        ]


def _centers(side: int) -> Floats:
    """(side^2, 2) x and y of cells, row by row, 0..1"""
    at = (np.arange(side, dtype=np.float32) + 0.5) / side
    return np.stack([np.tile(at, side), np.repeat(at, side)], 1)


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin, evenly, so that the last one ends with the picture."""
    count = max(1, int(np.ceil((length - side) / (side * 0.77))) + 1)
    return [int(s) for s in np.linspace(0, max(length - side, 0), count)]


def _apart(faces: list[Face], overlap: float) -> list[Face]:
    """Of faces that cover each other, the surest, in the mean place of them all weighted by
    score.
    """
    left = sorted(faces, key=lambda face: -face.score)
    kept: list[Face] = []
    while left:
        same = [face for face in left if _shared(left[0], face) > overlap or face is left[0]]
        weights = np.array([face.score for face in same], np.float32) / sum(
            face.score for face in same
        )
        means = [
            np.tensordot(weights, np.stack(rows), 1)
            for rows in zip(*((f.box, f.left_eye, f.right_eye) for f in same), strict=True)
        ]
        kept.append(Face(means[0], means[1], means[2], left[0].score))
        left = [face for face in left if all(face is not other for other in same)]
    return kept


def _shared(a: Face, b: Face) -> float:
    """Intersection over union."""
    width, height = (min(a.box[2 + k], b.box[2 + k]) - max(a.box[k], b.box[k]) for k in (0, 1))
    common = max(0.0, float(width)) * max(0.0, float(height))
    return common / max(a.area + b.area - common, 1e-9)
