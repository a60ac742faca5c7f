"""From a network's numbers to weights of shapes: its mesh with the published finish (skin strength,
smoothing, upper and lower face), then the fit of shapes.

All of that is linear until the bounds come in: so it is done once on the network's basis, and never
on the vertices of a frame (NVIDIA's SDK does it per vertex: multitrack_animator_cuda.cu).
"""

from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Doubles, Floats
from .mesh_data import MeshShapes, Moving, NetworkHead
from .settings import FitSettings, Liveliness
from .shape_fit import ShapeFit, prepare, weights


@dataclass(frozen=True, kw_only=True)
class FittedPart:
    """Skin or tongue: right-hand sides are `constant` + sum of `actions` on smoothed numbers."""

    fit: ShapeFit
    constant: Doubles  # (K,)
    actions: tuple[Doubles, ...]  # (K, S) each
    smoothing: tuple[float, ...]  # seconds, of each


def skin_part(
    head: NetworkHead, poses: MeshShapes, how: Liveliness, settings: FitSettings
) -> FittedPart:
    """The face without its tongue."""
    height = head.skin.mean[:, 1].astype(np.float64)
    reach = max(np.ptp(height), 1e-9)
    away = (how.face_mask_level - (height - height.min()) / reach) / how.face_mask_softness
    lower = (1 / (1 + np.exp(-away.clip(-60, 60))))[poses.places]
    always = -how.eyelid_open_offset * head.eye_close + how.lip_open_offset * head.lip_open
    shares = how.upper_face_strength * (1 - lower), how.lower_face_strength * lower
    rest = (head.skin.mean - poses.neutral)[poses.places].astype(np.float64)
    rest += (shares[0] + shares[1])[:, None] * always[poses.places]
    return FittedPart(
        fit=_fit(poses, settings),
        constant=_flat(poses.deltas) @ rest.ravel(),
        actions=tuple(
            how.skin_strength * _action(head.skin, poses, poses.deltas * share[:, None])
            for share in shares
        ),
        smoothing=(how.upper_face_smoothing, how.lower_face_smoothing),
    )


def tongue_part(
    head: NetworkHead, poses: MeshShapes, how: Liveliness, settings: FitSettings
) -> FittedPart:
    """The tongue, which is moved up and forward as a whole, too."""
    moved = [0.0, how.tongue_height_offset, how.tongue_depth_offset]
    rest = (head.tongue.mean - poses.neutral)[poses.places] + np.array(moved)
    return FittedPart(
        fit=_fit(poses, settings),
        constant=_flat(poses.deltas) @ rest.ravel(),
        actions=(how.tongue_strength * _action(head.tongue, poses, poses.deltas),),
        smoothing=(0.0,),
    )


def part_weights(part: FittedPart, numbers: Floats, rate: float) -> Doubles:
    """(T, P) in 0..1 of the network's numbers (T, S), so many a second."""
    sides = np.tile(part.constant, (len(numbers), 1))
    for action, seconds in zip(part.actions, part.smoothing, strict=True):
        sides += eased(numbers.astype(np.float64), seconds, rate) @ action.T
    return weights(part.fit, sides)


def eased(values: Doubles, seconds: float, rate: float) -> Doubles:
    """Values (T, S) that follow with a half-life of so many seconds, twice over, as published."""
    share = 1 - 0.5 ** (1 / (rate * seconds)) if seconds > 0 else 1.0
    out, once, twice = np.empty_like(values), values[:1].copy(), values[:1].copy()
    for row, value in enumerate(values):
        once += (value - once) * share
        twice += (once - twice) * share
        out[row] = twice[0]
    return out


def _fit(poses: MeshShapes, settings: FitSettings) -> ShapeFit:
    diagonal = float(np.linalg.norm(np.ptp(poses.neutral, axis=0)))
    return prepare(poses.names, _flat(poses.deltas), diagonal, settings)


def _flat(deltas: Doubles) -> Doubles:
    return deltas.reshape(len(deltas), -1)


def _action(moving: Moving, poses: MeshShapes, deltas: Doubles) -> Doubles:
    """(K, S) what each number does to the right-hand sides."""
    basis = moving.basis[:, poses.places].reshape(len(moving.basis), -1)
    return np.asarray(_flat(deltas).astype(np.float32) @ basis.T, np.float64)
