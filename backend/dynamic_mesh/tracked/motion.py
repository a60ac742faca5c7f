"""How nodes move: a rotation and a translation each, and one of the whole, all smooth in time (sums of cosines)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...geometry.rotations import rotation_vector_to_matrix
from .nodes import NodeGraph


@dataclass(frozen=True)
class MotionConfig:
    """`waves`: cosines a clip of `per_frames` pictures gets; longer clips get more."""

    waves: int = 12
    per_frames: int = 50
    most: int = 64


def wave_count(config: MotionConfig, pictures: int) -> int:
    return int(min(max(4, round(config.waves * math.sqrt(pictures / config.per_frames))), config.most, max(2, pictures)))


@dataclass(frozen=True)
class Pose:
    """At one time, or at T times with one more axis in front: nodes turn about themselves, then all turn about the middle."""

    rotations: Tensor  # (N, 3, 3)
    translations: Tensor  # (N, 3)
    whole_rotation: Tensor  # (3, 3)
    whole_translation: Tensor  # (3,)


@dataclass
class Motion:
    """Coefficients of K cosines, (N, K, 3) for nodes and (K, 3) for the whole."""

    rotations: Tensor
    translations: Tensor
    whole_rotation: Tensor
    whole_translation: Tensor

    @staticmethod
    def still(nodes: int, waves: int, device: str = "cpu") -> "Motion":
        shapes = ((nodes, waves, 3), (nodes, waves, 3), (waves, 3), (waves, 3))
        return Motion(*(torch.zeros(*shape, device=device, requires_grad=True) for shape in shapes))

    def basis(self, time: float) -> Tensor:
        """(K,) cos(pi k t): any smooth motion over 0..1 that comes to rest at its ends."""
        waves = self.whole_rotation.shape[0]
        return torch.cos(math.pi * torch.arange(waves, device=self.whole_rotation.device) * time)

    def at(self, time: float) -> Pose:
        b = self.basis(time)[:, None]
        rotations, whole = (self.rotations * b).sum(1), (self.whole_rotation * b).sum(0)
        turned = rotation_vector_to_matrix(torch.cat([rotations, whole[None]]))
        return Pose(turned[:-1], (self.translations * b).sum(1), turned[-1], (self.whole_translation * b).sum(0))


def skinned(vertices: Tensor, graph: NodeGraph, pose: Pose) -> Tensor:
    """(V, 3) vertices at rest -> where the nodes carry them: each vertex the weighted mean of what its nodes say."""
    matrices, shifts = node_transforms(graph, pose)
    turned = torch.einsum("vkij,vj->vki", matrices[graph.skin], vertices) + shifts[graph.skin]
    return (turned * graph.weights[..., None]).sum(1)


def node_transforms(graph: NodeGraph, pose: Pose) -> tuple[Tensor, Tensor]:
    """(N, 3, 3) and (N, 3): x -> A x + b of every node, the whole's motion included. These are the bones of a game engine."""
    matrices = pose.whole_rotation @ pose.rotations
    moved = (graph.rest + pose.translations) @ pose.whole_rotation.T + pose.whole_translation
    return matrices, moved - torch.einsum("nij,nj->ni", matrices, graph.rest)


def rigidity(graph: NodeGraph, pose: Pose) -> Tensor:
    """As rigid as possible (Sorkine and Alexa 2007), between nodes: neighbours should be where a node's own turn would put them."""
    placed = graph.rest + pose.translations
    apart = graph.rest[graph.neighbours] - graph.rest[:, None]
    error = placed[graph.neighbours] - placed[:, None] - torch.einsum("nij,nkj->nki", pose.rotations, apart)
    return (error.square().sum(-1) * graph.stiffness).mean()


def roughness(motion: Motion) -> Tensor:
    """Mean speed over the clip, of nodes and of the whole, from the coefficients' derivative at many times."""
    waves = motion.whole_rotation.shape[0]
    k = torch.arange(waves, device=motion.whole_rotation.device)
    times = torch.linspace(0, 1, 4 * waves, device=motion.whole_rotation.device)
    slope = -math.pi * k * torch.sin(math.pi * k * times[:, None])  # (T, K)
    speeds = [torch.einsum("tk,nkc->tnc", slope, c).abs().mean() for c in (motion.translations, motion.rotations)]
    whole = [(slope @ c).abs().mean() for c in (motion.whole_translation, motion.whole_rotation)]
    return speeds[0] + 0.3 * speeds[1] + whole[0] + whole[1]
