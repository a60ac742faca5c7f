"""The training loop's state and its single step. Everything random comes from one generator, so a
run can go on exactly where a checkpoint left it.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ..formats.splat_notes import SplatNotes
from ..gaussians.losses import ImageLoss, l1_dssim_for
from ..gaussians.model import Gaussians
from ..gaussians.options import RasterOptions, options_for
from ..gaussians.rasterize import rasterize
from ..runtime import checkpoint
from .config import LearningRates, TrainConfig
from .corrections import Corrections
from .densify import Densifier
from .novel_views import NovelView
from .surroundings import Surroundings, make_surroundings
from .views import TrainingView, ViewSet
from .widths import EVERY, WidthLimit


@dataclass(kw_only=True)
class Trainer:
    """A training run at one step. Make one with `start`."""

    config: TrainConfig
    views: ViewSet
    model: Gaussians
    corrections: Corrections
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    densifier: Densifier
    loss: ImageLoss
    device: str
    seed: int
    surroundings: Surroundings
    widths: WidthLimit | None = None
    novel: list[NovelView] = field(default_factory=list)
    step: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """How much of the training is done, 0 to 1."""
        return self.step / self.config.steps

    @property
    def sh_degree(self) -> int:
        """Degrees join one after the other, once the coarse colours stand."""
        return min(self.config.sh_degree, sum(self.share >= s for s in self.config.sh_shares))

    @property
    def options(self) -> RasterOptions:
        """How the rasteriser draws while training: rays come last, for each pixel has its own order
        then, which costs time and makes the way down rough.
        """
        options = options_for(self.notes)
        if options.traced and self.share < self.config.projected_share:
            plain = RasterOptions()
            return replace(options, traced=False, alpha_threshold=plain.alpha_threshold)
        return options

    @property
    def notes(self) -> SplatNotes:
        """What the file must say of all its splats."""
        return SplatNotes(blend=self.config.blend, antialiased=self.config.antialiased)

    def next_view(self) -> tuple[int, TrainingView]:
        """Every training view once an epoch, in an order that depends on the seed and the epoch
        alone.
        """
        training = self.views.training
        epoch, position = divmod(self.step, len(training))
        order = torch.randperm(
            len(training), generator=torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        )
        index = training[int(order[position])]
        return index, (
            self.views.half if self.share < self.config.coarse_share else self.views.full
        )[index]

    def render(
        self, view: TrainingView, viewmat: Tensor, background: Tensor, sh_degree: int
    ) -> Tensor:
        """(H, W, 3) of the model as it stands."""
        model, (width, height) = self.model, view.size
        drawn = rasterize(
            model.means,
            model.quats,
            model.scales,
            model.opacities,
            model.sh(sh_degree),
            viewmat[None],
            view.K.to(self.device)[None],
            width,
            height,
            sh_degree=sh_degree,
            backgrounds=background[None],
            options=self.options,
        )
        return drawn.image[0]


def _rates(rates: LearningRates, extent: float, share: float) -> dict[str, float]:
    """Positions slow down exponentially; the corrections wait until there is a scene and fade out
    at the end.
    """
    decay = (rates.means_final / rates.means) ** share
    fade = 0.0 if share < 0.1 else 0.1 ** ((share - 0.1) / 0.9)
    return {
        "means": rates.means * extent * decay,
        "cameras": rates.cameras * fade,
        "exposure": rates.exposure * fade,
    }


def start(
    config: TrainConfig,
    views: ViewSet,
    model: Gaussians,
    seed: int,
    device: str,
    surroundings: Surroundings | None = None,
    novel: list[NovelView] | None = None,
    log_gains: Tensor | None = None,
) -> Trainer:
    """A run at step 0; with `surroundings` where the model has a shell of them, with novel views
    where depth foretells some, and with the views' log gains (V, 3) where it tells them.
    """
    around = surroundings or make_surroundings(views, device)
    corrections = Corrections(
        len(views.full), config.refine_cameras, config.exposure, views.extent, device, log_gains
    )
    tensors = {**model.named(), **corrections.named()}
    groups = [
        {"params": [t], "name": name, "lr": getattr(config.rates, name)}
        for name, t in tensors.items()
    ]
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.999), eps=1e-15, fused=True)
    generator = torch.Generator().manual_seed(seed)
    densifier = Densifier(
        config.densify, config.steps, len(model), config.max_splats, generator, around
    )
    return Trainer(
        config=config,
        views=views,
        model=model,
        corrections=corrections,
        optimizer=optimizer,
        generator=generator,
        densifier=densifier,
        loss=l1_dssim_for(device),
        device=device,
        seed=seed,
        surroundings=around,
        novel=novel or [],
        widths=WidthLimit(views.eyes.to(device)) if config.blend == "linear" else None,
    )


def _background(trainer: Trainer) -> Tensor:
    """A random colour where pictures are transparent, for empty space must become empty, and
    before surroundings, for what is solid must hide them; else black. (Random in a closed room it
    costs 2 dB beyond the path: what fills the last gaps is seen edge-on, and is fog elsewhere.)
    """
    if not trainer.views.transparent and not trainer.surroundings.has_shell:
        return torch.zeros(3, device=trainer.device)
    return torch.rand(3, generator=trainer.generator).to(trainer.device)


def _pressure(trainer: Trainer) -> Tensor:
    """What makes Gaussians fade and shrink unless a picture needs them (3DGS-MCMC, eq. 10)."""
    config, model = trainer.config.densify, trainer.model
    scales = model.scales / trainer.surroundings.units(model.means)[:, None]
    return config.opacity_weight * model.opacities.mean() + config.scale_weight * scales.mean()


def _from_elsewhere(trainer: Trainer, background: Tensor) -> Tensor | float:
    """How wrong the model is from where nobody filmed; every few steps, once the scene stands."""
    config, novel = trainer.config.novel, trainer.novel
    if not novel or trainer.share < config.start or trainer.step % config.every:
        return 0.0
    chosen = novel[(trainer.step // config.every) % len(novel)]
    viewmat = chosen.view.viewmat.to(trainer.device)
    image = trainer.render(chosen.view, viewmat, background, trainer.sh_degree)
    return config.weight * chosen.loss(image, config)


def _descend(trainer: Trainer) -> None:
    """Adam's step; far positions move in proportion to their distance, or they would stand still
    in every picture.
    """
    means = trainer.model.means
    before = means.detach().clone()
    trainer.optimizer.step()
    trainer.optimizer.zero_grad(set_to_none=True)
    with torch.no_grad():
        means.copy_(torch.lerp(before, means, trainer.surroundings.units(before)[:, None]))


def train_step(trainer: Trainer) -> float:
    """One picture: render, compare, descend, densify when it is time. Returns the loss."""
    config, model, optimizer = trainer.config, trainer.model, trainer.optimizer
    rates = _rates(config.rates, trainer.views.extent, trainer.share)
    for group in optimizer.param_groups:
        group["lr"] = rates.get(group["name"], group["lr"])
    index, view = trainer.next_view()
    background = _background(trainer)
    viewmat = trainer.corrections.viewmat(view.viewmat.to(trainer.device), index)
    image = trainer.corrections.color(
        trainer.render(view, viewmat, background, trainer.sh_degree), index
    )
    target = view.forgiving(view.target(background, trainer.device), image)
    loss, _ = trainer.loss(image, target, config.ssim_weight)
    (loss + _from_elsewhere(trainer, background) + _pressure(trainer)).backward()
    _descend(trainer)
    if trainer.share < 0.9:
        trainer.densifier.inject_noise(model, rates["means"])
    trainer.step += 1
    if trainer.densifier.is_due(trainer.step, config.steps):
        trainer.densifier.refine(model, optimizer)
    if trainer.widths is not None and (trainer.step % EVERY == 0 or trainer.share == 1):
        trainer.widths.apply(model.log_scales, model.means)
    return float(loss.detach())


def state_of(trainer: Trainer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Everything that a later `restore` needs, as tensors and a JSON-able note."""
    tensors = {
        **trainer.model.named(),
        **trainer.corrections.named(),
        "generator": trainer.generator.get_state(),
    }
    note: dict[str, Any] = {"step": trainer.step, "curve": trainer.curve}
    for group in trainer.optimizer.param_groups:
        for key, value in trainer.optimizer.state.get(group["params"][0], {}).items():
            tensors[f"adam/{group['name']}/{key}"] = value
    return tensors, note


def restore(trainer: Trainer, tensors: dict[str, Tensor], note: dict[str, Any]) -> None:
    """Sets a freshly started trainer to a saved state. Raises CheckpointError for what is none of
    it; the trainer is then of no use.
    """
    with checkpoint.restoring():
        trainer.step, trainer.curve = int(note["step"]), list(note["curve"])
        trainer.generator.set_state(tensors["generator"])
        rows = len(tensors["means"])
        for group in trainer.optimizer.param_groups:
            _restore_group(trainer, group, tensors, rows)


def _restore_group(
    trainer: Trainer, group: dict[str, Any], tensors: dict[str, Tensor], rows: int
) -> None:
    name, fresh = group["name"], group["params"][0]
    is_splats = name in trainer.model.named()
    checkpoint.require_like(tensors[name], fresh, name, rows if is_splats else None)
    parameter = tensors[name].to(trainer.device).requires_grad_(True)
    setattr(trainer.model if is_splats else trainer.corrections, name, parameter)
    trainer.optimizer.state.pop(fresh, None)
    group["params"] = [parameter]
    prefix = f"adam/{name}/"
    saved = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
    if saved:
        state = checkpoint.adam_state(parameter, saved, prefix)
        trainer.optimizer.state[parameter] = {k: t.to(trainer.device) for k, t in state.items()}


def is_finite(trainer: Trainer) -> bool:
    """False once a parameter holds NaN or infinity."""
    return all(math.isfinite(float(t.detach().sum())) for t in trainer.model.named().values())
