"""Trains the Gaussian head on frames of the clip, and with it what the tracker had a little wrong
in each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...gaussians.losses import l1_dssim_for
from ...gaussians.rasterize import Rendering, rasterize
from ...geometry.rotations import rotation_vector_to_matrix
from ...runtime import checkpoint
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .guard import GuardConfig, GuardView, guarded
from .model import SH_DEGREE, SHAPES, BoundGaussians, BoundMesh, place
from .training_views import SeenFrame


@dataclass(frozen=True, kw_only=True)
class HeadRates:
    """Adam's steps; lengths in centimetres."""

    means: float = 4e-3
    quats: float = 2e-3
    log_scales: float = 5e-3
    opacity_logits: float = 2e-2
    sh: float = 4e-3
    mean_shapes: float = 4e-4
    color_shapes: float = 1e-3
    latent_weights: float = 5e-3
    latent_bias: float = 5e-3
    coefficients: float = 3e-3  # of each frame: what the tracker had wrong
    poses: float = 5e-4
    final: float = 0.1  # share of all these at the end


@dataclass(frozen=True, kw_only=True)
class HeadTrainingConfig:
    """Losses beside the picture's: they keep Gaussians near their triangles and what is learned of
    single frames small.
    """

    steps: int = 1500
    ssim_weight: float = 0.2
    mouth_weight: float = 0.15  # of the mouth's own mean difference, beside the whole picture's
    near: float = 0.4  # centimetres that a Gaussian may be away from its triangle for nothing
    near_weight: float = 0.1
    large: float = 0.35  # centimetres, as a standard deviation
    large_weight: float = 1.0
    shapes_weight: float = 1e-2
    shine_weight: float = 1e-2  # of colours that change with the direction they are seen from
    refine_weight: float = 1e-3
    guard: GuardConfig = field(default_factory=GuardConfig)
    rates: HeadRates = HeadRates()


@dataclass
class FrameRefinement:
    """What is learned of F frames on top of the tracker: the paper's embedding of its
    parameters.
    """

    coefficients: Tensor  # (F, K)
    poses: Tensor  # (F, 6) turn and shift of the camera

    def viewmat(self, tracked: Tensor, row: int) -> Tensor:
        """(4, 4)"""
        turn = rotation_vector_to_matrix(self.poses[row, :3])
        rotated = turn @ tracked[:3, :3]
        upper = torch.cat([rotated, (tracked[:3, 3] + self.poses[row, 3:])[:, None]], 1)
        return torch.cat([upper, tracked[3:]])


def render(
    model: BoundGaussians,
    mesh: BoundMesh,
    coefficients: Tensor,
    viewmat: Tensor,
    K: Tensor,
    size: tuple[int, int],
) -> Rendering:
    """One camera, over black. `size` is width and height."""
    means, quats, scales, opacities, sh = place(model, mesh, coefficients)
    return rasterize(
        means, quats, scales, opacities, sh, viewmat[None], K[None], *size, sh_degree=SH_DEGREE
    )


@dataclass
class _Learned:
    """All that changes in a training."""

    tensors: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    order: Tensor  # of the frames in this epoch

    def state(self) -> dict[str, Tensor]:
        """Everything that `restore` needs."""
        adam = checkpoint.adam_tensors(self.optimizer)
        random = {"order": self.order, "generator": self.generator.get_state()}
        return {**self.tensors, **adam, **random}

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Sets a training that has just begun to where another one was."""
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])
        checkpoint.restore_adam(self.optimizer, tensors)
        self.generator.set_state(tensors["generator"])
        self.order = tensors["order"]


def train_head(
    model: BoundGaussians,
    mesh: BoundMesh,
    frames: list[SeenFrame],
    coefficients: Tensor,
    lowest: Tensor,
    held: Tensor,
    config: HeadTrainingConfig,
    seed: int = 0,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    keeper: StageKeeper = KEEP_NOTHING,
    guards: Sequence[GuardView] = (),
) -> FrameRefinement:
    """Trains `model` in place on F frames with tracked `coefficients` (F, K), which stay within
    `lowest` (K,) and 1. Gaussians that are `held` (N,) stay as they are; what `guards` show, too,
    as far as frames do not show it.
    """
    refined = FrameRefinement(
        torch.zeros_like(coefficients), coefficients.new_zeros(len(frames), 6)
    )
    tensors = {**model.trained(), "coefficients": refined.coefficients, "poses": refined.poses}
    rates = config.rates
    groups = [
        {"params": [tensor.requires_grad_(True)], "lr": getattr(rates, name), "name": name}
        for name, tensor in tensors.items()
    ]
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15, fused=True)
    generator = torch.Generator().manual_seed(seed)
    compare = l1_dssim_for(model.means.device.type)
    learned = _Learned(tensors, optimizer, generator, torch.empty(0, dtype=torch.long))
    with keeper.loop("head-training", learned.state, learned.restore) as loop:
        for step in range(loop.step, config.steps):
            if step % len(frames) == 0:
                learned.order = torch.randperm(len(frames), generator=generator)
            row = int(learned.order[step % len(frames)])
            for group in optimizer.param_groups:
                group["lr"] = getattr(rates, group["name"]) * rates.final ** (step / config.steps)
            frame = frames[row]
            used = (coefficients[row] + refined.coefficients[row]).maximum(lowest).clamp(max=1)
            drawn = render(
                model, mesh, used, refined.viewmat(frame.viewmat, row), frame.K, frame.size
            )
            over, person = _both_over(drawn, frame, torch.rand(3, generator=generator))
            loss, _ = compare(over, person, config.ssim_weight)
            loss = loss + config.mouth_weight * _mouth(over, person, frame)
            loss = loss + _restraint(model, refined, row, config)
            if guards and step % config.guard.every == 0:
                loss = loss + _guard(model, mesh, guards, generator, config.guard)
            loss.backward()
            _hold(model, held)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            loop.reach(step + 1)
            progress(step, float(loss.detach()))
    for tensor in tensors.values():
        tensor.requires_grad_(False)
    return refined


def _guard(
    model: BoundGaussians,
    mesh: BoundMesh,
    guards: Sequence[GuardView],
    generator: torch.Generator,
    config: GuardConfig,
) -> Tensor:
    """One of the views by chance."""
    view = guards[int(torch.randint(len(guards), (1,), generator=generator))]
    drawn = render(model, mesh, view.coefficients, view.viewmat, view.K, view.size)
    return guarded(drawn.image[0], drawn.alpha[0], view, config)


def _hold(model: BoundGaussians, held: Tensor) -> None:
    """What no frame shows stays as it is: the little that shines through from it would lead it
    anywhere.
    """
    for name, tensor in model.of_each().items():
        if tensor.grad is not None:
            gradient = tensor.grad if name not in SHAPES else tensor.grad.transpose(0, 1)
            gradient[held] = 0


def _mouth(over: Tensor, person: Tensor, frame: SeenFrame) -> Tensor:
    """Mean difference where the mouth is."""
    difference: Tensor = ((over - person).abs() * frame.speaking).sum()
    return difference / (3 * frame.speaking.sum()).clamp_min(1)


def _both_over(drawn: Rendering, frame: SeenFrame, ground: Tensor) -> tuple[Tensor, Tensor]:
    """The head and the person (H, W, 3), both over one plain colour, another in every step: so
    nothing of the background is learned, and the person is not seen through. Where a picture does
    not count, both are the same.
    """
    behind = ground.to(frame.person)
    person = frame.person * frame.matte + behind * (1 - frame.matte)
    over = drawn.image[0] + (1 - drawn.alpha[0]) * behind
    return over, person * frame.counted + over.detach() * (1 - frame.counted)


def _restraint(
    model: BoundGaussians, refined: FrameRefinement, row: int, config: HeadTrainingConfig
) -> Tensor:
    far = (model.means.abs() - config.near).relu().mean()
    large = (model.log_scales.exp() - config.large).relu().mean()
    shapes = model.mean_shapes.square().mean() + model.color_shapes.square().mean()
    single = refined.coefficients[row].square().sum() + refined.poses[row].square().sum()
    penalty: Tensor = (
        config.near_weight * far
        + config.large_weight * large
        + config.shapes_weight * shapes
        + config.shine_weight * model.sh[:, 1:].square().mean()
        + config.refine_weight * single
    )
    return penalty
