"""Gaussians at rest, from which a template is made: they start in the soft hull, nodes carry them,
what the pictures do not show fades. Legs that silhouettes melt into one come apart, and parts that
move much are found where they rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from torch import Tensor

from ...gaussians.rasterize import rasterize
from ...protocol import SplatsmithError
from ...runtime import checkpoint
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..deformation.motion import NodeMotion, rigidity, skinned, speeds
from ..deformation.nodes import NodeGraph, from_points
from ..footage.timed_views import PyramidLevel, TimedView, static_prior
from ..optimization.image_loss import image_loss
from ..optimization.missed import missed_loss
from ..surfaces.poisson import PoissonConfig
from .seeds import seed_places

FADED, LIVE = 0.1, 0.3  # opacities
BEGINNING = 0.5  # opacity before the sigmoid
LATE = (3, 5)  # groups of parameters, nodes and cycles, that wait for the whole


@dataclass(frozen=True, kw_only=True)
class CanonicalConfig:
    """Rates are Adam's; the others weigh the losses as in tracked/fit.py."""

    steps: int = 1500
    count: int = 6000
    nodes: int = 80
    inside: float = 0.55  # share of the pictures in which a place must be inside to get Gaussians
    nodes_from: float = 0.1  # of the steps: until then only the whole moves
    half_until: float = 0.5
    mean_rate: float = 1e-3
    scale_rate: float = 5e-3
    look_rate: float = 3e-2
    motion_rate: float = 8e-3  # fast: seen from one side, what moves could as well be shape
    mask: float = 5.0
    color: float = 10.0
    rigid: float = 400.0
    slow: float = 0.2
    slow_whole: float = 2.0
    missed: float = 0.0  # what pictures show where nothing was drawn
    cycle_rate: float = 2e-3
    # of the steps, between `move_from` and `move_until`: faint Gaussians go where they are missed
    move_every: float = 0.04
    move_from: float = 0.12
    move_until: float = 0.7
    moved: int = 200  # at most, each time
    resolution: int = 80
    level: float = 0.4  # of opacity: at a half, what is thin gets holes
    faint: float = 0.1  # opacity that is enough in a hole of what is denser
    gap: int = 4  # cells: a wider ball does not pass such a hole
    faces: int = 5000
    poisson: PoissonConfig = field(default_factory=PoissonConfig)


@dataclass(kw_only=True)
class CanonicalGaussians:
    """N round Gaussians at rest and the nodes that carry them."""

    means: Tensor  # (N, 3)
    log_scales: Tensor  # (N,)
    opacity_logits: Tensor  # (N,)
    colors: Tensor  # (N, 3) before the sigmoid
    graph: NodeGraph
    motion: NodeMotion

    def to(self, device: torch.device) -> "CanonicalGaussians":
        """The same on another device."""
        return CanonicalGaussians(
            means=self.means.to(device),
            log_scales=self.log_scales.to(device),
            opacity_logits=self.opacity_logits.to(device),
            colors=self.colors.to(device),
            graph=self.graph.to(device),
            motion=self.motion.to(device),
        )


def _begin(
    views: list[TimedView],
    config: CanonicalConfig,
    frequencies: int,
    cycles: float,
    generator: torch.Generator,
) -> CanonicalGaussians:
    means, size = seed_places(views, config.inside, config.count, generator)
    device, graph = views[0].viewmat.device, from_points(means, config.nodes)
    logs, logits, colors = (
        torch.full((config.count,), float(np.log(size))),
        torch.full((config.count,), BEGINNING),
        torch.zeros(config.count, 3),
    )
    means, logs, logits, colors = (
        t.to(device).requires_grad_(True) for t in (means, logs, logits, colors)
    )
    return CanonicalGaussians(
        means=means,
        log_scales=logs,
        opacity_logits=logits,
        colors=colors,
        graph=graph.to(device),
        motion=NodeMotion.still(len(graph.rest), frequencies, str(device), cycles),
    )


def draw(
    model: CanonicalGaussians, placed: Tensor, view: TimedView, level: PyramidLevel
) -> tuple[Tensor, Tensor]:
    """(H, W, 3) colour over nothing and (H, W) coverage of the Gaussians at places (N, 3)."""
    scales = model.log_scales.exp()
    drawn = rasterize(
        placed,
        scales.new_tensor([1.0, 0, 0, 0]).expand(len(scales), 4),
        scales[:, None].expand(len(scales), 3),
        model.opacity_logits.sigmoid(),
        model.colors.sigmoid(),
        view.viewmat[None],
        level.K[None],
        *level.size,
    )
    return drawn.image[0], drawn.alpha[0, ..., 0]


@dataclass(frozen=True)
class CanonicalStage:
    """How a step is to be done at one share of the steps."""

    level: int
    stiff: float
    missed: bool


def step_loss(
    model: CanonicalGaussians,
    view: TimedView,
    stage: CanonicalStage,
    still: float,
    config: CanonicalConfig,
    generator: torch.Generator,
) -> Tensor:
    """Of one picture."""
    level, pose = view.levels[stage.level], model.motion.at(view.time)
    placed = skinned(model.means, model.graph, pose)
    drawn = draw(model, placed, view, level)
    of_nodes, of_whole = speeds(model.motion)
    loss = (
        image_loss(*drawn, level, config.mask, config.color)
        + config.rigid * stage.stiff * rigidity(model.graph, pose)
        + config.slow * of_nodes
        + config.slow_whole * still * of_whole
    )
    if config.missed and stage.missed:
        there = model.opacity_logits.detach().sigmoid() > LIVE
        colors = model.colors.detach().sigmoid()[there]
        loss = loss + config.missed * missed_loss(
            placed[there], colors, drawn, view, level, generator
        )
    return loss


@torch.no_grad()
def relocate(
    model: CanonicalGaussians,
    optimizer: torch.optim.Optimizer,
    pulled: Tensor,
    most: int,
    generator: torch.Generator,
) -> None:
    """Gaussians that have faded out start anew beside those that the pictures pull at most,
    `pulled` (N,): a leg of which there was only the root, say. (What is missing is found as in
    Kerbl et al. 2023, section 5.2; the number stays, as in Kheradmand et al. 2024.)
    """
    opacities = model.opacity_logits.sigmoid()
    faded, weights = (opacities < FADED).nonzero()[:, 0].cpu(), (pulled * (opacities > LIVE)).cpu()
    if not len(faded) or not weights.any():
        return
    faded = faded[torch.randperm(len(faded), generator=generator)[:most]]
    beside = torch.multinomial(weights, len(faded), replacement=True, generator=generator)
    apart = torch.randn(len(faded), 3, generator=generator).to(model.means.device)
    for values in (
        model.means,
        model.log_scales,
        model.opacity_logits,
        model.colors,
        model.graph.skin,
        model.graph.weights,
    ):
        values[faded] = values[beside]
    model.means[faded] += apart * model.log_scales[faded].exp()[:, None]
    model.opacity_logits[faded] = model.opacity_logits[faded].clamp_max(BEGINNING)
    for leaf in (model.means, model.log_scales, model.opacity_logits, model.colors):
        for average in ("exp_avg", "exp_avg_sq"):
            optimizer.state[leaf][average][faded] = 0


@dataclass(frozen=True)
class _Learned:
    """All that changes while Gaussians are trained."""

    model: CanonicalGaussians
    optimizer: torch.optim.Optimizer
    pulled: Tensor
    generator: torch.Generator

    def _tensors(self) -> dict[str, Tensor]:
        model, motion = self.model, self.model.motion
        leaves = ("means", "log_scales", "opacity_logits", "colors")
        return {
            **{name: getattr(model, name) for name in leaves},
            **{f"motion/{f.name}": getattr(motion, f.name) for f in fields(motion)},
            "skin": model.graph.skin,
            "weights": model.graph.weights,
            "pulled": self.pulled,
        }

    def state(self) -> dict[str, Tensor]:
        """Everything that `restore` needs."""
        adam = checkpoint.adam_tensors(self.optimizer)
        return {**self._tensors(), **adam, "generator": self.generator.get_state()}

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Sets a training that has just begun to where another one was."""
        for name, tensor in self._tensors().items():
            tensor.copy_(tensors[name])
        checkpoint.restore_adam(self.optimizer, tensors)
        self.generator.set_state(tensors["generator"])


def train(
    views: list[TimedView],
    config: CanonicalConfig,
    frequencies: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
    cycles: float = 0.0,
) -> CanonicalGaussians:
    """Means, looks and motion from nothing but the footage; of a gait if it has cycles."""
    generator = torch.Generator().manual_seed(seed)
    model = _begin(views, config, frequencies, cycles, generator)
    motion = model.motion
    groups = [
        ([model.means], config.mean_rate),
        ([model.log_scales], config.scale_rate),
        ([model.opacity_logits, model.colors], config.look_rate),
        ([motion.rotations, motion.translations], config.motion_rate),
        ([motion.global_rotation, motion.global_translation], config.motion_rate),
        ([motion.cycles], config.cycle_rate),
    ]
    optimizer = torch.optim.Adam(
        [{"params": p, "lr": rate} for p, rate in groups], betas=(0.9, 0.99)
    )
    still = static_prior(views)
    pulled, every = (
        torch.zeros_like(model.opacity_logits),
        max(1, round(config.move_every * config.steps)),
    )
    learned = _Learned(model, optimizer, pulled, generator)
    kept = "gait-fit" if cycles else "canonical-fit"
    with keeper.loop(kept, learned.state, learned.restore) as loop:
        for step in range(loop.step, config.steps):
            share = step / config.steps
            decay = 1.0 if share < 0.6 else 0.1 ** ((share - 0.6) / 0.4)
            for index, (group, (_, rate)) in enumerate(
                zip(optimizer.param_groups, groups, strict=True)
            ):
                waits = index in LATE and share < config.nodes_from
                group["lr"] = 0.0 if waits else rate * decay
            view = views[int(torch.randint(len(views), (1,), generator=generator))]
            stage = CanonicalStage(
                int(share < config.half_until),
                4.0 if share < 0.7 else 1.0,
                config.nodes_from <= share < 0.7,
            )
            loss = step_loss(model, view, stage, still, config, generator)
            if not torch.isfinite(loss):
                raise SplatsmithError(
                    "The fit diverged.", "Check the masks and the cameras, or try another seed."
                )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            assert model.means.grad is not None
            pulled += model.means.grad.norm(dim=1)
            if step % every == 0 and config.move_from <= share <= config.move_until:
                relocate(model, optimizer, pulled, config.moved, generator)
                pulled.zero_()
            loop.reach(step + 1)
            progress(step + 1, config.steps)
    return model
