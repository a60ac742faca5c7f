"""Overfits FlowMap to a clip: depth network, correspondence weights and focal length from random
weights.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ...runtime import checkpoint, random_state
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .camera_math import aspect_of, chain, grid_xy
from .clip import FlowMapClip, Window
from .intrinsics import SoftminConfig, softmin_focal
from .losses import flow_loss, poses_from_depth, track_loss
from .network import DepthModel, DepthNetwork, NetworkConfig


@dataclass(frozen=True, kw_only=True)
class FlowMapConfig:
    """The paper's weights of the losses; rates and steps are those of a small network without
    pretraining.
    """

    steps: int = 300
    window: int = 20
    track_points: int = 256
    procrustes_points: int = 1000
    flow_weight: float = 1000.0
    track_weight: float = 100.0
    delta: float = 0.01
    rate: float = 3e-3
    focal_rate: float = 3e-2
    warm_up: int = 15  # steps of rising rate
    tracks_from: int = 20
    softmin: tuple[float, float] = (
        0.2,
        0.35,
    )  # shares of the steps between which the focal length comes from softmin
    # share of the steps at which near and far are swapped as a second start
    mirror_at: float = 0.15
    mirror_steps: int = 20  # that both starts are given before the worse is dropped
    network: NetworkConfig = field(default_factory=NetworkConfig)
    candidates: SoftminConfig = field(default_factory=SoftminConfig)


@dataclass(frozen=True)
class FlowMapResult:
    """`camera_to_world` in OpenCV axes, the first the identity; `focal` in units of sqrt(height *
    width).
    """

    camera_to_world: Tensor  # (n, 4, 4)
    focal: float
    depth: Tensor  # (n, h, w)
    loss: float


class Trial:
    """One start: a network, a focal length, and their optimiser. `sign` -1 swaps near and far."""

    def __init__(
        self,
        clip: FlowMapClip,
        config: FlowMapConfig,
        focal: float | None,
        seed: int,
        make_network: Callable[[], DepthModel],
    ) -> None:
        torch.manual_seed(seed)
        device = clip.video.device
        self.clip, self.config, self.known_focal = clip, config, focal
        self.random, self.generator = (
            np.random.default_rng(seed),
            torch.Generator().manual_seed(seed),
        )
        self.network = make_network().to(device)
        self.log_focal = torch.nn.Parameter(
            torch.tensor(math.log(focal or 0.85), device=device), requires_grad=focal is None
        )
        self.sign, self.step, self.recent = 1.0, 0, math.inf
        self._make_optimizer()

    def _make_optimizer(self) -> None:
        groups = [
            {"params": self.network.parameters(), "lr": self.config.rate},
            {"params": [self.log_focal], "lr": self.config.focal_rate},
        ]
        self.optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99))

    def mirrored(self) -> "Trial":
        """The same start with near and far swapped: the hollow-face solution, which gradients alone
        never leave.
        """
        other = copy.copy(self)
        other.network, other.log_focal = copy.deepcopy(self.network), copy.deepcopy(self.log_focal)
        other.sign, other.random, other.generator = (
            -self.sign,
            copy.deepcopy(self.random),
            self.generator.clone_state(),
        )
        other._make_optimizer()
        return other

    def _set_rates(self) -> None:
        progress = self.step / self.config.steps
        factor = min(1.0, (self.step + 1) / self.config.warm_up) * (
            1.0 if progress < 0.6 else max(0.03, (1 - progress) / 0.4)
        )
        for group, rate in zip(
            self.optimizer.param_groups, (self.config.rate, self.config.focal_rate), strict=True
        ):
            group["lr"] = rate * factor

    def _focal(self, log_depth: Tensor, window: Window) -> Tensor:
        """A usual lens until there is some depth, then softmin as a running mean, then the learned
        number itself.
        """
        begin, end = (share * self.config.steps for share in self.config.softmin)
        if self.known_focal is not None or self.step >= end:
            return self.log_focal.exp()
        if self.step >= begin and self.step % 3 == 0:
            aspect = aspect_of(*self.clip.size, log_depth.device)
            focal = softmin_focal(
                log_depth,
                window.track_xy,
                window.track_seen,
                aspect,
                self.config.candidates,
                self.generator,
            )
            if focal is not None:
                self.log_focal.data = 0.7 * self.log_focal.data + 0.3 * focal.log()
        return self.log_focal.exp().detach()

    def advance(self) -> None:
        """One step on a random window."""
        config, length = self.config, min(self.config.window, self.clip.frames)
        first = int(self.random.integers(0, self.clip.frames - length + 1))
        window = self.clip.window(first, length, config.track_points, self.random)
        self._set_rates()
        log_depth, features = self.network(window.inputs)
        log_depth = self.sign * log_depth
        weights = self.network.weights(features, later_to_earlier(window))
        focal = self._focal(log_depth.detach(), window)
        rotation, translation = poses_from_depth(
            window, log_depth, weights, focal, config.procrustes_points
        )
        loss = config.flow_weight * flow_loss(
            window, log_depth, focal, rotation, translation, config.delta
        )
        if self.step >= config.tracks_from:
            loss = loss + config.track_weight * track_loss(
                window, log_depth, focal, chain(rotation, translation), config.delta
            )
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()
        value = float(loss.detach())
        self.recent = value if not math.isfinite(self.recent) else 0.9 * self.recent + 0.1 * value
        self.step += 1

    def state(self) -> dict[str, Tensor]:
        """Everything that `restore` needs to go on from here."""
        numbers = torch.tensor([self.sign, self.step, self.recent], dtype=torch.float64)
        weights = {f"network/{n}": t for n, t in self.network.state_dict().items()}
        return {
            **weights,
            "log_focal": self.log_focal,
            "numbers": numbers,
            "generator": self.generator.get_state(),
            "random": random_state.state_of(self.random),
            **checkpoint.adam_tensors(self.optimizer),
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Sets a new trial to where another one was."""
        network = {k.removeprefix("network/"): t for k, t in tensors.items() if "network/" in k}
        self.network.load_state_dict(network)
        self.log_focal.data = tensors["log_focal"].to(self.log_focal.device)
        sign, step, recent = tensors["numbers"].tolist()
        self.sign, self.step, self.recent = sign, int(step), recent
        self.generator.set_state(tensors["generator"])
        random_state.restore(self.random, tensors["random"])
        checkpoint.restore_adam(self.optimizer, tensors)

    @torch.no_grad()
    def result(self) -> FlowMapResult:
        """Depth, poses and focal length of the whole clip, window after window."""
        depths, rotations, translations = [], [], []
        focal = self.log_focal.exp()
        for first in range(0, self.clip.frames - 1, self.config.window - 1):
            length = min(self.config.window, self.clip.frames - first)
            window = self.clip.window(first, length, 0, self.random)
            log_depth, features = self.network(window.inputs)
            log_depth = self.sign * log_depth
            weights = self.network.weights(features, later_to_earlier(window))
            rotation, translation = poses_from_depth(
                window, log_depth, weights, focal, self.config.procrustes_points * 4
            )
            rotations.append(rotation)
            translations.append(translation)
            depths.append(
                log_depth.exp() if first + length == self.clip.frames else log_depth[:-1].exp()
            )
        poses = chain(torch.cat(rotations), torch.cat(translations))
        return FlowMapResult(poses.cpu(), float(focal), torch.cat(depths).cpu(), self.recent)


def later_to_earlier(window: Window) -> Tensor:
    """(n - 1, h, w, 2) where the pixels of frame i + 1 were in frame i."""
    height, width = window.backward.shape[1:3]
    return grid_xy(height, width, window.backward.device) + window.backward


def fit(
    clip: FlowMapClip,
    config: FlowMapConfig,
    focal: float | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda step, total: None,
    make_network: Callable[[], DepthModel] | None = None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> FlowMapResult:
    """FlowMap on one clip. `focal` (units of sqrt(height * width)) is kept where it is given;
    `make_network` gives another depth network than the small untrained one.
    """
    trial = Trial(clip, config, focal, seed, make_network or (lambda: DepthNetwork(config.network)))
    with keeper.loop("flowmap-fit", lambda: trial.state(), lambda t: trial.restore(t)) as loop:
        while trial.step < config.steps:
            trial.advance()
            if config.mirror_at and trial.step == int(config.steps * config.mirror_at):
                trial = _better_sign(trial)
            loop.reach(trial.step)
            progress(trial.step, config.steps)
    return trial.result()


def _better_sign(trial: Trial) -> Trial:
    """Both depth signs, each given the same steps."""
    starts = [trial, trial.mirrored()]
    for start in starts:
        start.recent = math.inf
        for _ in range(trial.config.mirror_steps):
            start.advance()
    return min(starts, key=lambda s: s.recent)
