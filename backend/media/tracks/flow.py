"""Dense optical flow between neighbouring frames: DIS (Kroeger et al. 2016), checked forwards and
backwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .follow import Gray, even_light

Field = NDArray[np.float32]


@dataclass(frozen=True)
class FlowConfig:
    """`max_side`: flow is computed on pictures of at most this many pixels a side; `agree`: pixels
    of disagreement between the way there and the way back at which trust has fallen to 1 / e.
    """

    max_side: int = 640
    agree: float = 1.0


@dataclass(frozen=True)
class Flow:
    """From frame i to i + 1 (`forward`) and from i + 1 to i (`backward`), in shares of width and
    height.
    """

    forward: Field  # (n - 1, h, w, 2), on the grid of frame i
    backward: Field  # (n - 1, h, w, 2), on the grid of frame i + 1
    forward_trust: Field  # (n - 1, h, w) 0..1
    backward_trust: Field


def flow_between(first: Gray, second: Gray, engine: cv2.DISOpticalFlow | None = None) -> Field:
    """(H, W, 2) pixels from `first` to `second`."""
    engine = engine or cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(engine.calc(first, second, None), np.float32)


def trust(there: Field, back: Field, agree: float) -> Field:
    """(H, W) exp(-(d / agree)^2), d the pixels by which the way there and back misses its start; 0
    outside the picture.
    """
    height, width = there.shape[:2]
    u, v = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    returned = cv2.remap(
        back,
        u + there[..., 0],
        v + there[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(1e3, 1e3),
    )
    miss = np.square(there + returned).sum(-1)
    return np.asarray(np.exp(-miss / agree**2), np.float32)


def _shrunk(field: Field, weight: Field, size: tuple[int, int]) -> Field:
    """Averaged with the trusted pixels counting most, so that what is wrong at an edge does not
    leak.
    """
    area = cv2.INTER_AREA
    total = (
        cv2.resize(field * weight[..., None], size, interpolation=area)
        / np.maximum(cv2.resize(weight, size, interpolation=area), 1e-6)[..., None]
    )
    return np.asarray(
        np.where(
            cv2.resize(weight, size, interpolation=area)[..., None] > 1e-3,
            total,
            cv2.resize(field, size, interpolation=area),
        )
    )


def dense_flow(
    frames: Sequence[Gray],
    size: tuple[int, int],
    config: FlowConfig,
    masks: Sequence[Gray | None] | None = None,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> Flow:
    """Flow of a clip at `size` (width, height); frames are grey pictures (H, W). `masks`: 255 where
    a frame counts.
    """
    height, width = frames[0].shape
    scale = min(1.0, config.max_side / max(width, height))
    small = [
        cv2.resize(
            even_light(f),
            (round(width * scale), round(height * scale)),
            interpolation=cv2.INTER_AREA,
        )
        for f in frames
    ]
    engine = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    shares = np.array([small[0].shape[1], small[0].shape[0]], np.float32)
    fields: list[list[Field]] = [[], [], [], []]
    for i in range(len(small) - 1):
        there, back = (
            flow_between(small[i], small[i + 1], engine),
            flow_between(small[i + 1], small[i], engine),
        )
        sure = [trust(there, back, config.agree), trust(back, there, config.agree)]
        for side in (0, 1):
            mask = masks[i + side] if masks else None
            if mask is not None:
                sure[side] *= (
                    cv2.resize(mask, sure[side].shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
                )
        for store, field, weight in ((fields[0], there, sure[0]), (fields[1], back, sure[1])):
            store.append(_shrunk(field / shares, weight, size).astype(np.float32))
        for store, weight in ((fields[2], sure[0]), (fields[3], sure[1])):
            store.append(cv2.resize(weight, size, interpolation=cv2.INTER_AREA))
        progress(i + 1, len(small) - 1)
    return Flow(*(np.stack(f) for f in fields))
