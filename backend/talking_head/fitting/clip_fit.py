"""One clip while it is fitted, and the person that all clips show, as tensors on the tracker's
points alone.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..rigs.correspondence import Correspondence
from ..rigs.rig import Rig
from ..tracking.face_mesh import COUNT, LEFT_CORNER, MESH, RIGHT_CORNER
from ..tracking.track import FaceTrack
from . import pose
from .coefficients import normal_equations, opposed, solve_bounded
from .fit_config import FaceFitConfig, point_weights

FACING = 0.2  # share of frames that must face the lens for gaze to be centred on it


class FittedPerson:
    """Whose face it is: what does not change from clip to clip."""

    def __init__(self, rig: Rig, where: Correspondence, config: FaceFitConfig) -> None:
        self.config = config
        self.shapes = torch.from_numpy(rig.shapes[:, where.vertices])
        self.identities = torch.from_numpy(rig.identities[:, where.vertices])
        self.neutral = torch.from_numpy(rig.neutral[where.vertices] + where.offsets)
        self.lowest, self.names = torch.from_numpy(rig.lowest), rig.names
        self.moving, self.rigid = point_weights(config)
        self.identity = torch.zeros(len(self.identities))
        self.offsets = torch.zeros(COUNT, 3)

    def rest(self) -> Tensor:
        """(478, 3)"""
        vertices: Tensor = (
            self.neutral + torch.tensordot(self.identity, self.identities, 1) + self.offsets
        )
        return vertices

    def solve_identity(self, clips: Sequence["FittedClip"], most: int = 200) -> None:
        """From frames spread over the clips, each by its length: whose face it is cannot change."""
        every = sum(len(clip.tracked) for clip in clips)
        squares, rights = [], []
        for clip in clips:
            count = len(clip.tracked)
            share = max(1, round(most * count / every))
            some = torch.linspace(0, count - 1, min(share, count)).long()
            left, jacobian = (rows[some] for rows in clip.linear(self))
            square, right = normal_equations(left, jacobian, self.identities, self.rigid)
            squares.append(square)
            rights.append(right)
        pull = self.config.identity / COUNT
        whole = torch.cat(squares).mean(0) + pull * torch.eye(len(self.identities))
        step = torch.linalg.solve(whole, torch.cat(rights).mean(0) - pull * self.identity)
        self.identity = (self.identity + step).clamp(-3, 3)

    def solve_offsets(self, clips: Sequence["FittedClip"]) -> None:
        """What identities can't say: the middle of what is left at each point, across the line of
        sight.
        """
        lefts, jacobians = [], []
        for clip in clips:
            left, jacobian = clip.linear(self)
            left[:, MESH:] = clip.without_gaze(self, left, jacobian)[:, MESH:]
            lefts.append(left)
            jacobians.append(jacobian)
        back = torch.linalg.pinv(torch.cat(jacobians).mean(0))  # (478, 3, 2)
        self.offsets = self.offsets + self.config.offsets * torch.einsum(
            "nij,nj->ni", back, torch.cat(lefts).median(0).values
        )


class FittedClip:
    """How the head is held and what the face does in the frames of one clip that show it."""

    FITTED = ("coefficients", "rotation", "translation")

    def __init__(self, track: FaceTrack, person: FittedPerson) -> None:
        self.config = person.config
        self.tracked = torch.from_numpy(track.points[track.seen])
        angle = np.radians(self.config.field_of_view)
        self.focal = max(track.width, track.height) / 2 / float(np.tan(angle / 2))
        self.center = torch.tensor([track.width / 2, track.height / 2])
        self.unit = (
            (self.tracked[:, LEFT_CORNER, :2] - self.tracked[:, RIGHT_CORNER, :2])
            .norm(dim=1)[:, None, None]
            .clamp(min=1)
        )
        self.coefficients = torch.zeros(len(self.tracked), len(person.shapes))
        self.rotation, self.translation = pose.start(
            self.posed(person), self.tracked, person.rigid, self.focal, self.center
        )

    def posed(self, person: FittedPerson) -> Tensor:
        """(T, 478, 3)"""
        vertices: Tensor = person.rest() + torch.tensordot(self.coefficients, person.shapes, 1)
        return vertices

    def refine_pose(self, person: FittedPerson) -> None:
        """Where the head is and how it is turned, of the face as it is known so far."""
        self.rotation, self.translation = pose.refine(
            self.posed(person),
            self.tracked[..., :2],
            person.rigid,
            self.rotation,
            self.translation,
            self.focal,
            self.center,
        )

    def linear(self, person: FittedPerson) -> tuple[Tensor, Tensor]:
        """What is left (T, 478, 2) in eye distances, and how it answers to points of the rig (T,
        478, 2, 3).
        """
        posed = self.posed(person)
        seen = torch.einsum("tij,tnj->tni", self.rotation, posed) + self.translation[:, None]
        left = (self.tracked[..., :2] - pose.project(seen, self.focal, self.center)) / self.unit
        return left, pose.projection_jacobian(seen, self.focal) @ self.rotation[
            :, None
        ] / self.unit[..., None]

    def solve_coefficients(self, person: FittedPerson) -> None:
        """What the face does in every frame."""
        config = self.config
        left, jacobian = self.linear(person)
        square, right = normal_equations(left, jacobian, person.shapes, person.moving)
        right += torch.einsum("tkl,tl->tk", square, self.coefficients)
        smooth = torch.tensor(
            [
                config.smooth * (config.blink_smooth if n.startswith("eyeBlink") else 1)
                for n in person.names
            ]
        )
        pull = torch.tensor(
            [
                config.pull * (config.squint_pull if n.startswith("eyeSquint") else 1)
                for n in person.names
            ]
        )
        square += (torch.diag(pull) + config.against * opposed(person.names)) / COUNT
        self.coefficients = solve_bounded(
            square, right, smooth / COUNT, person.lowest, self.coefficients, config.steps
        )

    def without_gaze(self, person: FittedPerson, left: Tensor, jacobian: Tensor) -> Tensor:
        """What is left (T, 478, 2), the gaze's part put back in frames that face the lens: people
        look there more than anywhere, so the middle of it is how the eyes lie and no gaze.
        """
        gaze = torch.tensor([n.startswith("eyeLook") for n in person.names])
        shown = self.rotation[:, 2, 2].abs() > np.cos(np.radians(self.config.facing))
        if not gaze.any() or int(shown.sum()) < FACING * len(shown):
            return left
        moved = torch.tensordot(self.coefficients * gaze, person.shapes, 1)
        whole = left + torch.einsum("tnij,tnj->tni", jacobian, moved)
        whole[~shown] = whole[shown].median(0).values
        return whole

    def residual(self, person: FittedPerson) -> float:
        """Mean distance of the points from where they were tracked, in eye distances."""
        return float(self.linear(person)[0][:, :MESH].norm(dim=-1).mean())

    def state(self, number: int) -> dict[str, Tensor]:
        """What rounds change; `number` is the clip's."""
        return {f"{name}/{number}": getattr(self, name).contiguous() for name in self.FITTED}

    def restore(self, tensors: dict[str, Tensor], number: int) -> None:
        """Sets a new fit to where another one was."""
        for name in self.FITTED:
            setattr(self, name, tensors[f"{name}/{number}"])
