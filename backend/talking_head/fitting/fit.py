"""Fits a rig to a tracked face: whose it is (identity), how it is held (pose), what it does
(coefficients), in turns.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...geometry.arrays import Floats
from ...geometry.nearest_rotation import nearest_rotation
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..rigs.correspondence import Correspondence
from ..rigs.rig import Rig
from ..tracking.face_mesh import (
    CHIN,
    COUNT,
    INNER_LIPS,
    LEFT_CORNER,
    LIDS,
    MESH,
    OUTER_LIPS,
    OVAL,
    RIGHT_CORNER,
)
from ..tracking.track import FaceTrack
from . import pose
from .coefficients import normal_equations, opposed, solve_bounded
from .head_motion import HeadMotion

FITTED = ("identity", "offsets", "coefficients", "rotation", "translation")
FACING = 0.2  # share of frames that must face the lens for gaze to be centred on it
RIGID = 0.3  # weight for the pose of what moves in speech


@dataclass(frozen=True, kw_only=True)
class FaceFitConfig:
    """Weights are for residuals in eye distances, summed over the points."""

    rounds: int = 5
    # share of what is left at a point, for all frames, that becomes the person's own
    offsets: float = 0.8
    steps: int = 60  # of the solver, each round
    field_of_view: float = 25.0  # degrees over the longer side, where nothing is known of the lens
    identity: float = 2e-3  # pull to the mean face, for one standard deviation
    pull: float = 1e-2  # of every coefficient to zero
    smooth: float = 0.1  # of coefficients between neighbouring frames
    # of that, for lids, which are shut and open within a tenth of a second
    blink_smooth: float = 0.1
    squint_pull: float = 10.0  # and more pull to zero for what looks like half a blink
    # of the product of two that undo one another, such as jawLeft and jawRight
    against: float = 1.0
    # degrees to either side of the lens within which a head counts as facing it
    facing: float = 15.0
    lips: float = 10.0
    lids: float = 6.0
    chin: float = 2.0
    oval: float = 0.1
    iris: float = 3.0
    spread: float = 1.0  # centimetres over which what a point lacks moves the mesh around it


def point_weights(config: FaceFitConfig) -> tuple[Tensor, Tensor]:
    """(478,) for expressions, and for poses, which what moves must not turn."""
    moving = torch.ones(COUNT)
    for numbers, weight in (
        (OVAL, config.oval),
        (CHIN, config.chin),
        (OUTER_LIPS, config.lips),
        (INNER_LIPS, config.lips),
        (LIDS, config.lids),
        (range(MESH, COUNT), config.iris),
    ):
        moving[list(numbers)] = weight
    rigid = torch.ones(COUNT)
    for numbers in (CHIN, OUTER_LIPS, INNER_LIPS, LIDS):
        rigid[list(numbers)] = RIGID
    rigid[list(OVAL)] = config.oval
    rigid[MESH:] = 0
    return moving / COUNT, rigid / COUNT


class _Fit:
    """The numbers of a fit while they are found, as tensors on the tracker's points alone."""

    def __init__(
        self, track: FaceTrack, rig: Rig, where: Correspondence, config: FaceFitConfig
    ) -> None:
        self.config = config
        self.tracked = torch.from_numpy(track.points[track.seen])
        self.focal = (
            max(track.width, track.height) / 2 / float(np.tan(np.radians(config.field_of_view) / 2))
        )
        self.center = torch.tensor([track.width / 2, track.height / 2])
        self.unit = (
            (self.tracked[:, LEFT_CORNER, :2] - self.tracked[:, RIGHT_CORNER, :2])
            .norm(dim=1)[:, None, None]
            .clamp(min=1)
        )
        self.shapes = torch.from_numpy(rig.shapes[:, where.vertices])
        self.identities = torch.from_numpy(rig.identities[:, where.vertices])
        self.neutral = torch.from_numpy(rig.neutral[where.vertices] + where.offsets)
        self.lowest, self.names = torch.from_numpy(rig.lowest), rig.names
        self.moving, self.rigid = point_weights(config)
        self.identity = torch.zeros(len(self.identities))
        self.offsets = torch.zeros(COUNT, 3)
        self.coefficients = torch.zeros(len(self.tracked), len(self.shapes))
        points = self.posed()
        self.rotation, self.translation = pose.start(
            points, self.tracked, self.rigid, self.focal, self.center
        )

    def rest(self) -> Tensor:
        vertices: Tensor = (
            self.neutral + torch.tensordot(self.identity, self.identities, 1) + self.offsets
        )
        return vertices

    def posed(self) -> Tensor:
        """(T, 478, 3)"""
        vertices: Tensor = self.rest() + torch.tensordot(self.coefficients, self.shapes, 1)
        return vertices

    def refine_pose(self) -> None:
        self.rotation, self.translation = pose.refine(
            self.posed(),
            self.tracked[..., :2],
            self.rigid,
            self.rotation,
            self.translation,
            self.focal,
            self.center,
        )

    def linear(self) -> tuple[Tensor, Tensor]:
        """What is left (T, 478, 2) in eye distances, and how it answers to points of the rig (T,
        478, 2, 3).
        """
        seen = torch.einsum("tij,tnj->tni", self.rotation, self.posed()) + self.translation[:, None]
        left = (self.tracked[..., :2] - pose.project(seen, self.focal, self.center)) / self.unit
        return left, pose.projection_jacobian(seen, self.focal) @ self.rotation[
            :, None
        ] / self.unit[..., None]

    def solve_coefficients(self) -> None:
        left, jacobian = self.linear()
        square, right = normal_equations(left, jacobian, self.shapes, self.moving)
        right += torch.einsum("tkl,tl->tk", square, self.coefficients)
        smooth = torch.tensor(
            [
                self.config.smooth * (self.config.blink_smooth if n.startswith("eyeBlink") else 1)
                for n in self.names
            ]
        )
        pull = torch.tensor(
            [
                self.config.pull * (self.config.squint_pull if n.startswith("eyeSquint") else 1)
                for n in self.names
            ]
        )
        square += (torch.diag(pull) + self.config.against * opposed(self.names)) / COUNT
        self.coefficients = solve_bounded(
            square, right, smooth / COUNT, self.lowest, self.coefficients, self.config.steps
        )

    def solve_identity(self, most: int = 200) -> None:
        """From frames spread over the clip: whose face it is cannot change."""
        some = torch.linspace(0, len(self.tracked) - 1, min(most, len(self.tracked))).long()
        left, jacobian = (rows[some] for rows in self.linear())
        square, right = normal_equations(left, jacobian, self.identities, self.rigid)
        whole = square.mean(0) + self.config.identity / COUNT * torch.eye(len(self.identities))
        step = torch.linalg.solve(
            whole, right.mean(0) - self.config.identity / COUNT * self.identity
        )
        self.identity = (self.identity + step).clamp(-3, 3)

    def solve_offsets(self) -> None:
        """What identities can't say: the middle of what is left at each point, across the line of
        sight.
        """
        left, jacobian = self.linear()
        left[:, MESH:] = self._without_gaze(left, jacobian)[:, MESH:]
        back = torch.linalg.pinv(jacobian.mean(0))  # (478, 3, 2)
        self.offsets = self.offsets + self.config.offsets * torch.einsum(
            "nij,nj->ni", back, left.median(0).values
        )

    def _without_gaze(self, left: Tensor, jacobian: Tensor) -> Tensor:
        """What is left (T, 478, 2), the gaze's part put back in frames that face the lens: people
        look there more than anywhere, so the middle of it is how the eyes lie and no gaze.
        """
        gaze = torch.tensor([n.startswith("eyeLook") for n in self.names])
        shown = self.rotation[:, 2, 2].abs() > np.cos(np.radians(self.config.facing))
        if not gaze.any() or int(shown.sum()) < FACING * len(shown):
            return left
        moved = torch.tensordot(self.coefficients * gaze, self.shapes, 1)
        whole = left + torch.einsum("tnij,tnj->tni", jacobian, moved)
        whole[~shown] = whole[shown].median(0).values
        return whole

    def state(self) -> dict[str, Tensor]:
        """What rounds change."""
        return {name: getattr(self, name) for name in FITTED}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Sets a new fit to where another one was."""
        for name in FITTED:
            setattr(self, name, tensors[name])

    def residual(self) -> float:
        return float(self.linear()[0][:, :MESH].norm(dim=-1).mean())


def fit_rig(
    track: FaceTrack,
    rig: Rig,
    where: Correspondence,
    config: FaceFitConfig = FaceFitConfig(),
    progress: Callable[[float], None] = lambda s: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> HeadMotion:
    """Frames in which the face was not seen are filled from their neighbours."""
    fit = _Fit(track, rig, where, config)
    with keeper.loop("fit", fit.state, fit.restore) as loop:
        for number in range(loop.step, config.rounds):
            progress(number / config.rounds)
            fit.refine_pose()
            fit.solve_identity()
            if config.offsets and number >= config.rounds - 2:
                fit.solve_offsets()
            fit.solve_coefficients()
            fit.restore({name: t.contiguous() for name, t in fit.state().items()})
            loop.reach(number + 1)
    fit.refine_pose()
    rest = rig.person(fit.identity.numpy()) + _spread(
        rig, where, fit.offsets.numpy(), config.spread
    )
    every, seen = np.arange(len(track.times)), np.flatnonzero(track.seen)
    return HeadMotion(
        names=rig.names,
        times=track.times,
        coefficients=_filled(fit.coefficients.numpy(), seen, every),
        rotations=_turned(fit.rotation.double().numpy(), seen, every),
        translations=_filled(fit.translation.double().numpy(), seen, every),
        rest=rest,
        focal=fit.focal,
        width=track.width,
        height=track.height,
        residual=fit.residual(),
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
