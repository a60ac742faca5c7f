"""What every pixel shows, out of a fixed list of classes: DeepLabV3 and its kin as one ONNX file.

Takes (1, 3, H, W) or (1, H, W, 3) of floats, normalised as the settings beside it say or as
ImageNet is, or (1, H, W, 3) of bytes, and gives scores (1, C, h, w) or (1, h, w, C), or the
classes themselves (1, h, w). A single score says whether there is anything.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..geometry.arrays import Ints32, Pixels
from ..protocol import InputError
from .onnx_model import FLOATS, OnnxModel, Wanted, load
from .pictures import Normalization, model_file, normalization_beside, resized

SIDE = 513  # pixels of the longer side, where the model leaves it free: DeepLab's own
MOST_CLASSES = 2000
ADVICE = "Choose a model of semantic segmentation, such as DeepLabV3."


@dataclass(frozen=True)
class Segmenter:
    """A loaded model."""

    model: OnnxModel
    normalization: Normalization
    is_last: bool  # channels come last in the input
    size: tuple[int, int] | None  # (height, width) that it takes; None: any

    def classes(self, image: Pixels) -> Ints32:
        """(H, W) the class of every pixel of a picture (H, W, 3)."""
        height, width = image.shape[:2]
        scale = SIDE / max(height, width)
        rows, columns = self.size or (round(height * scale), round(width * scale))
        small = resized(image, max(1, columns), max(1, rows))
        port = self.model.inputs[0]
        shown = small[None] if port.kind == "uint8" else self.normalization.of(small)
        if self.is_last and port.kind != "uint8":
            shown = shown.transpose(0, 2, 3, 1)
        answer = self.model.run(**{port.name: shown})[self.model.outputs[0].name]
        if answer.ndim == 3:  # classes
            labels = answer[0].astype(np.float32)
            return np.asarray(
                cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST), np.int32
            )
        scores = answer[0] if answer.shape[1] < answer.shape[3] else answer[0].transpose(2, 0, 1)
        if not 0 < len(scores) <= MOST_CLASSES or not np.isfinite(scores).all():
            raise InputError(f"{self.model.name} gives no scores of classes.", ADVICE)
        if len(scores) == 1:  # how sure it is that there is something: a chance, or its logit
            is_chance = scores.min() >= 0 and scores.max() <= 1
            scores = np.concatenate([np.full_like(scores, 0.5 if is_chance else 0.0), scores])
        best = np.full((height, width), -np.inf, np.float32)
        labels = np.zeros((height, width), np.int32)
        for number, score in enumerate(scores):  # one by one: all at the picture's size are large
            large = cv2.resize(score.astype(np.float32), (width, height))
            labels = np.where(large > best, number, labels)
            best = np.maximum(best, large)
        return np.asarray(labels, np.int32)


def load_segmenter(given: Path, device: str = "cpu") -> Segmenter:
    """The model in a file, or the one in a folder. InputError for anything else."""
    path = model_file(given)
    model = load(path, device)
    (shown,), _ = model.demand(
        "a segmenter",
        [Wanted(kinds=(*FLOATS, "uint8"), shapes=((1, 3, None, None), (1, None, None, 3)))],
        [
            Wanted(
                kinds=(*FLOATS, "int64", "int32", "uint8"),
                shapes=((None, None, None, None), (None, None, None)),
            )
        ],
    )
    is_last = shown.shape[3] == 3 and shown.shape[1] != 3
    if shown.kind == "uint8" and not is_last:
        raise InputError(f"{path.name} takes bytes with the colours first.", ADVICE)
    rows, columns = shown.shape[1:3] if is_last else shown.shape[2:]
    size = (rows, columns) if rows and columns else None
    return Segmenter(model, normalization_beside(path), is_last, size)
