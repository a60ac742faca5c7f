"""Fits a rig to a tracked face: whose it is (identity), how it is held (pose), what it does
(coefficients), in turns. Several clips of one person share the identity, and nothing else.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ...geometry.arrays import Floats
from ...geometry.nearest_rotation import nearest_rotation
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..rigs.correspondence import Correspondence
from ..rigs.rig import Rig
from ..tracking.face_mesh import MESH
from ..tracking.track import FaceTrack
from .clip_fit import FittedClip, FittedPerson
from .fit_config import FaceFitConfig
from .head_motion import HeadMotion


def fit_rig(
    track: FaceTrack,
    rig: Rig,
    where: Correspondence,
    config: FaceFitConfig = FaceFitConfig(),
    progress: Callable[[float], None] = lambda s: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> HeadMotion:
    """Frames in which the face was not seen are filled from their neighbours."""
    return fit_clips([track], rig, where, config, progress, keeper)[0]


def fit_clips(
    tracks: Sequence[FaceTrack],
    rig: Rig,
    where: Correspondence,
    config: FaceFitConfig = FaceFitConfig(),
    progress: Callable[[float], None] = lambda s: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> list[HeadMotion]:
    """As `fit_rig`, of several clips of one person: one resting face, and each its own camera,
    poses and coefficients, which are smoothed within a clip alone.
    """
    person = FittedPerson(rig, where, config)
    clips = [FittedClip(track, person) for track in tracks]
    fit_in_rounds(person, clips, progress, keeper)
    rest = rig.person(person.identity.numpy()) + _spread(
        rig, where, person.offsets.numpy(), config.spread
    )
    return [
        _motion(track, clip, person, rig, rest) for track, clip in zip(tracks, clips, strict=True)
    ]


def fit_in_rounds(
    person: FittedPerson,
    clips: Sequence[FittedClip],
    progress: Callable[[float], None] = lambda s: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> None:
    """The rounds of a fit, in place."""
    config, fit = person.config, _Fit(person, clips)
    with keeper.loop("fit", fit.state, fit.restore) as loop:
        for number in range(loop.step, config.rounds):
            progress(number / config.rounds)
            for clip in clips:
                clip.refine_pose(person)
            person.solve_identity(clips)
            if config.offsets and number >= config.rounds - 2:
                person.solve_offsets(clips)
            for clip in clips:
                clip.solve_coefficients(person)
            fit.restore(fit.state())
            loop.reach(number + 1)


class _Fit:
    """All that rounds change, for checkpoints."""

    def __init__(self, person: FittedPerson, clips: Sequence[FittedClip]) -> None:
        self.person, self.clips = person, clips

    def state(self) -> dict[str, Tensor]:
        tensors = {"identity": self.person.identity, "offsets": self.person.offsets}
        for number, clip in enumerate(self.clips):
            tensors |= clip.state(number)
        return {name: tensor.contiguous() for name, tensor in tensors.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.person.identity, self.person.offsets = tensors["identity"], tensors["offsets"]
        for number, clip in enumerate(self.clips):
            clip.restore(tensors, number)


def _motion(
    track: FaceTrack, clip: FittedClip, person: FittedPerson, rig: Rig, rest: Floats
) -> HeadMotion:
    clip.refine_pose(person)
    every, seen = np.arange(len(track.times)), np.flatnonzero(track.seen)
    return HeadMotion(
        names=rig.names,
        times=track.times,
        coefficients=_filled(clip.coefficients.numpy(), seen, every),
        rotations=_turned(clip.rotation.double().numpy(), seen, every),
        translations=_filled(clip.translation.double().numpy(), seen, every),
        rest=rest,
        focal=clip.focal,
        width=track.width,
        height=track.height,
        residual=clip.residual(person),
    )


def _spread(rig: Rig, where: Correspondence, offsets: Floats, width: float) -> Floats:
    """(V, 3): offsets of the tracked points, carried to the skin around them by a Gaussian."""
    points = torch.from_numpy(rig.neutral[where.vertices[:MESH]])
    near = torch.exp(-(torch.cdist(torch.from_numpy(rig.neutral), points) ** 2) / (2 * width**2))
    moved = near @ torch.from_numpy(offsets[:MESH]) / (near.sum(1, keepdim=True) + 0.3)
    return np.asarray(moved.numpy(), np.float32)


def _filled(rows: np.ndarray, seen: np.ndarray, every: np.ndarray) -> np.ndarray:
    """Rows (S, K) of the frames seen, for every frame, straight across gaps."""
    return np.stack([np.interp(every, seen, column) for column in rows.T], 1).astype(rows.dtype)


def _turned(rotations: np.ndarray, seen: np.ndarray, every: np.ndarray) -> np.ndarray:
    """Of the nearest frame that was seen; between two, the mean of both made a rotation again."""
    mixed = _filled(rotations.reshape(-1, 9), seen, every).reshape(-1, 3, 3)
    return nearest_rotation(mixed)[0]
