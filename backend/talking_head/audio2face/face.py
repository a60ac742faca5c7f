"""What Audio2Face-3D hears, as ARKit's shapes: skin by the fit of shapes, gaze by the eyes' angles;
and its sixteen shapes of a tongue, for meshes that have them.
"""

from dataclasses import dataclass

import numpy as np

from ...formats.arkit import BLENDSHAPES
from ...geometry.arrays import Doubles, Floats
from ..speech.log_mel import FEATURE_RATE
from .face_network import FPS, FaceNetwork
from .retarget import part_weights

UP_AND_DOWN, ASIDE = 25.0, 30.0  # degrees of an eye at full shape
EYES = 4  # numbers: right eye about x and y, then the left one


@dataclass(frozen=True)
class HeardFace:
    """At FEATURE_RATE."""

    coefficients: Floats  # (T, 52)
    own: tuple[str, ...]  # names of others
    others: Floats  # (T, E)


def face_of(network: FaceNetwork, rows: Floats, count: int, seed: int = 0) -> HeardFace:
    """Of answers (N, R), for `count` moments."""
    info, how = network.info, network.how
    ends = np.cumsum([info.skin, info.tongue, info.jaw, info.eyes])
    skin, tongue, _, eyes = np.split(rows, ends[:-1], 1)
    shaped = np.zeros((len(rows), len(BLENDSHAPES)))
    fitted = part_weights(network.skin, skin, FPS)
    for name, column in zip(network.skin.fit.names, fitted.T, strict=True):
        if name in BLENDSHAPES:
            shaped[:, BLENDSHAPES.index(name)] = column
    if info.eyes == EYES:
        darts = network.head.saccades[(seed + np.arange(len(rows))) % len(network.head.saccades)]
        angles = how.eyeballs_strength * eyes + how.saccade_strength * np.tile(darts, (1, 2))
        for name, values in looks(angles).items():
            shaped[:, BLENDSHAPES.index(name)] = values
    own, others = tuple[str, ...](), np.zeros((len(rows), 0))
    if network.tongue is not None:
        names = network.tongue.fit.names
        use = [k for k, name in enumerate(names) if name not in BLENDSHAPES]
        own = tuple(names[k] for k in use)
        others = part_weights(network.tongue, tongue, FPS)[:, use]
    return HeardFace(_paced(shaped, count), own, _paced(others, count))


def looks(angles: Floats) -> dict[str, Floats]:
    """Shapes (T,) in 0..1 of angles (T, 4) in degrees: positive about x looks down, about y to the
    person's left, as turns of axes y up and z to the front do.
    """
    shapes = {}
    for side, first, out in (("Right", 0, -1.0), ("Left", 2, 1.0)):
        pitch, yaw = angles[:, first] / UP_AND_DOWN, out * angles[:, first + 1] / ASIDE
        for name, value in (("Down", pitch), ("Up", -pitch), ("Out", yaw), ("In", -yaw)):
            shapes[f"eyeLook{name}{side}"] = np.asarray(value.clip(0, 1), np.float32)
    return shapes


def _paced(values: Doubles, count: int) -> Floats:
    """(count, K) at FEATURE_RATE, of values (N, K) at FPS."""
    place = np.arange(count) * FPS / FEATURE_RATE
    columns = [np.interp(place, np.arange(len(values)), column) for column in values.T]
    return np.stack(columns, 1).astype(np.float32) if columns else np.zeros((count, 0), np.float32)
