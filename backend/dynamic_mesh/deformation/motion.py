"""How nodes move: a rotation and a translation each, and one of the whole, all smooth in time (sums
of waves).
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ...geometry.rotations import rotation_vector_to_matrix
from .nodes import NodeGraph

DEPENDENT = 1e-4  # of the largest singular value
ROUNDING = 1e-12  # of coefficients
ALIKE = 20  # waves of which one beat is alike high
HARMONICS = 5  # of a gait's cycle
SLOW = 4  # half waves of the clip beside them, for what drifts


@dataclass(frozen=True, kw_only=True)
class MotionConfig:
    """`waves`: how many a clip of `per_frames` moments gets; one of four times as many gets twice
    as many. All get more, up to `most`, where these do not follow the object's way to `astray` (in
    half sides of its box) and more of them do better: to `noise` of that, or what is missed is no
    way but masks that tremble.
    """

    frequencies: int = 20
    per_frames: int = 50
    most: int = 64
    astray: float = 0.015
    noise: float = 0.8


def frequency_count(config: MotionConfig, times: Sequence[float], way: Tensor) -> int:
    """For moments at `times` 0..1, and where the object is at each, (T, 2), in half sides of the
    box.
    """
    views = len(set(times))
    most = min(config.most, max(2, views // 2))
    fewest = min(round(config.frequencies * math.sqrt(views / config.per_frames)), most)
    if _astray(times, way, most) > config.noise * _astray(times, way, fewest):
        return fewest
    return next(
        (
            frequencies
            for frequencies in range(fewest, most)
            if _astray(times, way, frequencies) <= config.astray
        ),
        most,
    )


def _astray(times: Sequence[float], way: Tensor, frequencies: int) -> float:
    """By how much so many waves miss the way: root mean square, of which noise would keep as much
    whatever their number.
    """
    rows, wanted = basis(tuple(times), frequencies, "cpu").double(), way.double()
    off = wanted - rows @ torch.linalg.lstsq(rows, wanted, rcond=DEPENDENT, driver="gelsd").solution
    return float(off.square().sum().div(max(1, len(times) - frequencies)).sqrt())


@dataclass(frozen=True)
class NodePose:
    """At one time, or at T times with one more axis in front: nodes turn about themselves, then all
    turn about the middle.
    """

    rotations: Tensor  # (N, 3, 3)
    translations: Tensor  # (N, 3)
    global_rotation: Tensor  # (3, 3)
    global_translation: Tensor  # (3,)


@dataclass(kw_only=True)
class NodeMotion:
    """Coefficients of K waves, (N, K, 3) for nodes and (K, 3) for the whole. The last waves of a
    gait are harmonics of its cycle: what two cycles show from two sides is one motion.
    """

    rotations: Tensor
    translations: Tensor
    global_rotation: Tensor
    global_translation: Tensor
    cycles: Tensor  # (1,) how often a gait repeats over the clip; (0,) where nothing does

    @staticmethod
    def still(
        nodes: int, frequencies: int, device: str = "cpu", cycles: float = 0.0
    ) -> "NodeMotion":
        """Coefficients of no motion, as leaves: (N, K, 3) and (K, 3) zeros; of a gait if it has
        cycles.
        """
        shapes = (
            (nodes, frequencies, 3),
            (nodes, frequencies, 3),
            (frequencies, 3),
            (frequencies, 3),
        )
        nodes_turn, nodes_shift, turn, shift = (
            torch.zeros(*shape, device=device, requires_grad=True) for shape in shapes
        )
        known = torch.tensor([cycles] if cycles else [], device=device, requires_grad=True)
        return NodeMotion(
            rotations=nodes_turn,
            translations=nodes_shift,
            global_rotation=turn,
            global_translation=shift,
            cycles=known,
        )

    def to(self, device: torch.device) -> "NodeMotion":
        """The same on another device."""
        return NodeMotion(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def rows(self, times: tuple[float, ...]) -> Tensor:
        """(T, K) the waves at times in 0..1; differentiable in a gait's cycles."""
        count, device = len(self.global_rotation), str(self.global_rotation.device)
        if not len(self.cycles):
            return basis(times, count, device)
        slow = basis(times, count - 2 * HARMONICS, device)
        number = torch.arange(1, HARMONICS + 1, device=device)
        angle = 2 * math.pi * self.cycles * number * torch.tensor(times, device=device)[:, None]
        return torch.cat([slow, angle.cos() / number, angle.sin() / number], 1)

    def moments(self) -> tuple[float, ...]:
        """Times so close that no wave is missed between them."""
        count = 4 * len(self.global_rotation)
        if len(self.cycles):
            count = max(count, math.ceil(4 * HARMONICS * float(self.cycles.detach())))
        return tuple(torch.linspace(0, 1, count).tolist())

    def at(self, time: float) -> NodePose:
        """The pose at one time in 0..1."""
        b = self.rows((time,))[0, :, None]
        rotations, whole = (self.rotations * b).sum(1), (self.global_rotation * b).sum(0)
        turned = rotation_vector_to_matrix(torch.cat([rotations, whole[None]]))
        return NodePose(
            turned[:-1],
            (self.translations * b).sum(1),
            turned[-1],
            (self.global_translation * b).sum(0),
        )


@functools.lru_cache(maxsize=4096)
def basis(times: tuple[float, ...], frequencies: int, device: str) -> Tensor:
    """(T, K) 1, sin(pi t), cos(pi t), sin(2 pi t) / 2, …: half waves of the clip too, or motion
    would have to rest at its ends. The quicker a wave the lower (of many waves the first few
    alike): Adam steps as far in every coefficient, and what a single picture wants should move slow
    waves first.
    """
    k = torch.arange(frequencies)
    beat, alike = (k + 1) // 2, max(1.0, frequencies / ALIKE)
    angle = math.pi * beat * torch.tensor(times)[:, None]
    return (torch.where(k % 2 == 0, angle.cos(), angle.sin()) * alike / beat.clamp_min(alike)).to(
        device
    )


def skinned(vertices: Tensor, graph: NodeGraph, pose: NodePose) -> Tensor:
    """(V, 3) vertices at rest -> where the nodes carry them: each vertex the weighted mean of what
    its nodes say.
    """
    matrices, shifts = node_transforms(graph, pose)
    turned = torch.einsum("vkij,vj->vki", matrices[graph.skin], vertices) + shifts[graph.skin]
    return (turned * graph.weights[..., None]).sum(1)


def node_transforms(graph: NodeGraph, pose: NodePose) -> tuple[Tensor, Tensor]:
    """(N, 3, 3) and (N, 3): x -> A x + b of every node, the whole's motion included. These are the
    bones of a game engine.
    """
    matrices = pose.global_rotation @ pose.rotations
    moved = (graph.rest + pose.translations) @ pose.global_rotation.T + pose.global_translation
    return matrices, moved - torch.einsum("nij,nj->ni", matrices, graph.rest)


@torch.no_grad()
def transferred(old: NodeGraph, vertices: Tensor, motion: NodeMotion, new: NodeGraph) -> NodeMotion:
    """The same motion for other nodes: each new one moves as the old surface (V, 3) at rest under
    it does.
    """
    nearest = torch.cdist(new.rest, vertices).argmin(1)
    near = NodeGraph(
        rest=old.rest,
        skin=old.skin[nearest],
        weights=old.weights[nearest],
        neighbors=old.neighbors,
        stiffness=old.stiffness,
    )
    frequencies, times = len(motion.global_rotation), motion.moments()
    offsets = []
    for time in times:
        pose = motion.at(time)
        still = NodePose(
            pose.rotations,
            pose.translations,
            torch.eye(3).to(vertices),
            torch.zeros(3).to(vertices),
        )
        offsets.append(skinned(new.rest, near, still) - new.rest)
    # in double: LAPACK rounds by where arrays happen to lie in memory, and a fit makes another mesh
    # of the last bit. Many waves are nearly dependent, so what they hardly tell apart stays small;
    # only the CPU's solver can do that.
    rows, wanted = (t.cpu().double() for t in (motion.rows(times), torch.stack(offsets).flatten(1)))
    solved = torch.linalg.lstsq(rows, wanted, rcond=DEPENDENT).solution
    # of no motion only the rounding is left, of which Adam would make steps as large as any
    solved = torch.where(solved.abs() < ROUNDING, 0, solved).to(vertices)
    translations = solved.view(frequencies, -1, 3).transpose(0, 1)
    rotations = (motion.rotations[near.skin] * near.weights[..., None, None]).sum(1)
    turns, shifts, turn, shift = (
        t.detach().contiguous().clone().requires_grad_(True)
        for t in (rotations, translations, motion.global_rotation, motion.global_translation)
    )
    return NodeMotion(
        rotations=turns,
        translations=shifts,
        global_rotation=turn,
        global_translation=shift,
        cycles=motion.cycles.detach().clone(),
    )


def rigidity(graph: NodeGraph, pose: NodePose) -> Tensor:
    """As rigid as possible (Sorkine and Alexa 2007), between nodes: neighbours should be where a
    node's own turn would put them.
    """
    placed = graph.rest + pose.translations
    apart = graph.rest[graph.neighbors] - graph.rest[:, None]
    error = (
        placed[graph.neighbors]
        - placed[:, None]
        - torch.einsum("nij,nkj->nki", pose.rotations, apart)
    )
    return (error.square().sum(-1) * graph.stiffness).sum(1).mean()


@functools.cache
def _slopes(frequencies: int, device: str) -> Tensor:
    """(T, K) of the basis, over the clip."""
    times = torch.linspace(0, 1, 4 * frequencies)
    return basis(tuple(times.tolist()), frequencies, device).diff(dim=0) * (len(times) - 1)


@torch.no_grad()
def _slopes_of(motion: NodeMotion) -> Tensor:
    if not len(motion.cycles):
        return _slopes(len(motion.global_rotation), str(motion.global_rotation.device))
    times = motion.moments()
    return motion.rows(times).diff(dim=0) * (len(times) - 1)


def speeds(motion: NodeMotion) -> tuple[Tensor, Tensor]:
    """Mean speed over the clip of nodes and of the whole, from the waves' slopes at many times: way
    and turn together.
    """
    slope = _slopes_of(motion)
    way, turn = (
        torch.einsum("tk,nkc->tnc", slope, c).abs().mean()
        for c in (motion.translations, motion.rotations)
    )
    whole_way, whole_turn = (
        (slope @ c).abs().mean() for c in (motion.global_translation, motion.global_rotation)
    )
    return way + 0.3 * turn, whole_way + whole_turn
