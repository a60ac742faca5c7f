"""How far everything in a single picture is, up to scale and shift: Depth Anything V2 (Yang et al.
2024) and its kin as one ONNX file.

The network's answer is disparity: 1 / depth times a scale, plus a shift, neither of which it
knows. What depth is known of the scene, if only at some points, says both.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..geometry.arrays import Doubles, Flags, Floats, Pixels
from ..protocol import InputError
from .onnx_model import OnnxModel, Wanted, load
from .pictures import Normalization, model_file, normalization_beside, resized

ADVICE = "Choose a model of relative depth, such as Depth Anything V2."


@dataclass(frozen=True, kw_only=True)
class DisparityConfig:
    """How pictures are shown, and how disparity is aligned to what is known."""

    side: int = 518  # pixels of the shorter side, as it was trained
    multiple: int = 14  # of which both sides are: a patch of its transformer
    longest: int = 1036  # pixels: panoramas are shown smaller than trained
    rounds: int = 20  # of reweighting
    spread: float = 1.345  # robust deviations at which a point counts less (Huber's constant)
    least: int = 8  # points that are known
    # of the picture's largest aligned disparity: below it is as good as infinitely far
    far: float = 1e-3


@dataclass(frozen=True)
class Alignment:
    """1 / depth = scale * disparity + shift."""

    scale: float
    shift: float
    points: int  # that it was found from
    residual: float  # median |error| of 1 / depth at these, over the median of 1 / depth

    def depth(self, disparity: Floats, config: DisparityConfig = DisparityConfig()) -> Floats:
        """(H, W) in the units of what was known; infinite where it is too far to tell."""
        inverse = self.scale * disparity + self.shift
        near = inverse > config.far * max(float(inverse.max(initial=0.0)), 0.0)
        depth = np.full(disparity.shape, np.inf, np.float32)
        depth[near] = 1 / inverse[near]
        return depth


@dataclass(frozen=True)
class RelativeDepth:
    """A loaded model."""

    model: OnnxModel
    normalization: Normalization
    size: tuple[int, int] | None  # (height, width) that it takes; None: any
    config: DisparityConfig

    def disparity(self, image: Pixels) -> Floats:
        """(H, W) of a picture (H, W, 3): larger is nearer, in no unit."""
        height, width = image.shape[:2]
        rows, columns = self.size or shown_size(height, width, self.config)
        small = resized(image, columns, rows)
        shown, told = self.model.inputs[0].name, self.model.outputs[0].name
        answer = self.model.run(**{shown: self.normalization.of(small)})[told]
        plane = answer.reshape(-1, *answer.shape[-2:])[0]
        if not np.isfinite(plane).all():
            raise InputError(f"{self.model.name} gives no numbers for this picture.", ADVICE)
        large = cv2.resize(plane.astype(np.float32), (width, height))
        return np.asarray(large, np.float32)


def shown_size(height: int, width: int, config: DisparityConfig) -> tuple[int, int]:
    """(height, width) that a picture is shown at: the shorter side as trained, unless the longer
    one grows too long.
    """
    scale = min(config.side / min(height, width), config.longest / max(height, width))
    rows, columns = (
        max(1, round(size * scale / config.multiple)) * config.multiple for size in (height, width)
    )
    return rows, columns


def align(
    disparity: Floats, depth: Floats, known: Flags, config: DisparityConfig = DisparityConfig()
) -> Alignment:
    """Scale and shift by which disparity (H, W) meets depth (H, W) where it is known (H, W):
    reweighted least squares with Huber's weights on 1 / depth, from a start that half of the
    points may be wrong for.

    Raises:
        InputError: too little is known, or it does not go with this disparity.
    """
    good = known & np.isfinite(depth) & (depth > 0) & np.isfinite(disparity)
    x, y = disparity[good].astype(np.float64), 1 / depth[good].astype(np.float64)
    if len(x) < config.least:
        raise InputError(
            f"Depth is known at {len(x)} points of this picture, too few to align the model's "
            f"depth to.",
            f"At least {config.least} are needed.",
        )
    scale, shift = _start(x, y)
    for _ in range(config.rounds):
        miss = np.abs(scale * x + shift - y)
        unit = config.spread * 1.4826 * float(np.median(miss)) + 1e-12
        weight = unit / np.maximum(miss, unit)
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        variance = float(np.average((x - mean_x) ** 2, weights=weight))
        if variance <= 1e-12 * max(mean_x**2, 1e-12):
            break
        scale = float(np.average((x - mean_x) * (y - mean_y), weights=weight)) / variance
        shift = float(mean_y - scale * mean_x)
    if scale <= 0:
        raise InputError(
            "The model's depth runs against what is known of the scene.",
            "Leave the depth model out for this picture.",
        )
    residual = float(np.median(np.abs(scale * x + shift - y)) / np.median(y))
    return Alignment(scale, shift, len(x), residual)


def _start(x: Doubles, y: Doubles) -> tuple[float, float]:
    """Repeated medians (Siegel 1982) over up to 200 points."""
    chosen = np.linspace(0, len(x) - 1, min(len(x), 200)).round().astype(int)
    order = np.argsort(x, kind="stable")[chosen]
    u, v = x[order], y[order]
    apart = u[:, None] - u[None]
    steep = np.divide(
        v[:, None] - v[None], apart, out=np.full_like(apart, np.nan), where=np.abs(apart) > 1e-12
    )
    rows = [float(np.nanmedian(row)) for row in steep if np.isfinite(row).any()]
    scale = float(np.median(rows)) if rows else 0.0
    return scale, float(np.median(y - scale * x))


def load_depth(
    given: Path, device: str = "cpu", config: DisparityConfig = DisparityConfig()
) -> RelativeDepth:
    """The model in a file, or the one in a folder. InputError for anything else."""
    path = model_file(given)
    model = load(path, device)
    (shown,), _ = model.demand(
        "a depth model",
        [Wanted(shapes=((1, 3, None, None),))],
        [Wanted(shapes=((None, None, None), (None, 1, None, None)))],
    )
    rows, columns = shown.shape[2:]
    size = (rows, columns) if rows and columns else None
    return RelativeDepth(model, normalization_beside(path), size, config)
