"""Densification after "3D Gaussian Splatting as Markov Chain Monte Carlo" (Kheradmand et al. 2024),
in plain torch: dead Gaussians move onto living ones, the number grows by a share, and positions are
stirred. CPU and CUDA alike.
"""

import functools
import math

import torch
from torch import Tensor

from ..gaussians.model import Gaussians
from ..geometry.rotations import quat_to_matrix
from .config import DensifyConfig
from .surroundings import Surroundings

MAX_SHARE = 51  # more copies than this at one place are treated as so many


@functools.cache
def _binomial_terms(device: str) -> Tensor:
    """(MAX_SHARE, MAX_SHARE): row n - 1 holds sum over i <= n of C(i - 1, k) (-1)^k / sqrt(k + 1),
    by k.
    """
    table = torch.zeros(MAX_SHARE, MAX_SHARE, dtype=torch.float64)
    for i in range(1, MAX_SHARE + 1):
        for k in range(i):
            table[i - 1, k] = math.comb(i - 1, k) * (-1) ** k / math.sqrt(k + 1)
    return table.cumsum(0).to(device)


def split_evenly(opacities: Tensor, scales: Tensor, copies: Tensor) -> tuple[Tensor, Tensor]:
    """Opacity (N,) and scales (N, 3) such that `copies` (N,) Gaussians in one place look like the
    one (eq. 9).
    """
    n = copies.clamp(1, MAX_SHARE)
    old = opacities.double().clamp(max=1 - 1e-9)
    new = 1 - (1 - old) ** (1 / n)
    powers = new[:, None] ** torch.arange(1, MAX_SHARE + 1, device=new.device)
    denominator = (_binomial_terms(str(new.device))[n - 1] * powers).sum(1)
    return new.float(), scales * (old / denominator).float()[:, None]


class Densifier:
    """Moves and adds Gaussians; keeps the optimiser's moments in step with them."""

    def __init__(
        self,
        config: DensifyConfig,
        steps: int,
        first_count: int,
        max_splats: int,
        generator: torch.Generator,
        surroundings: Surroundings,
    ) -> None:
        self.config, self.max_splats, self.generator = config, max_splats, generator
        self.surroundings = surroundings
        self.every = max(1, round(steps * (config.stop - config.start) / config.times))
        growths = max(1, round(steps * (config.full - config.start) / self.every))
        self.growth = min(
            config.max_growth, max(1.0, max_splats / max(1, first_count)) ** (1 / growths)
        )

    def is_due(self, step: int, steps: int) -> bool:
        """After which steps `refine` is called."""
        return step % self.every == 0 and self.config.start <= step / steps < self.config.stop

    @torch.no_grad()
    def refine(self, model: Gaussians, optimizer: torch.optim.Optimizer) -> None:
        """Relocates the dead, then grows by a share up to the limit."""
        opacities = model.opacities
        dead = (opacities <= self.config.dead_opacity) | ~torch.isfinite(opacities)
        near = self._is_near(model)
        alive = (near & ~dead).nonzero()[:, 0]
        if len(alive) == 0:
            return
        gone = dead.nonzero()[:, 0]
        if len(gone):
            self._copy_onto(model, optimizer, alive, gone)
        target = min(self.max_splats, math.ceil(self.growth * len(model)))
        if target > len(model):
            grown = self._is_near(model).nonzero()[:, 0]
            self._append(model, optimizer, self._sample(model, grown, target - len(model)))

    def _is_near(self, model: Gaussians) -> Tensor:
        """(N,) those that are copied and stirred: a shell of surroundings stays as it was laid."""
        return ~self.surroundings.is_far(model.means)

    def _sample(self, model: Gaussians, among: Tensor, count: int) -> Tensor:
        """Draws by opacity, and makes room: the chosen and their copies together look as before."""
        weights = model.opacities[among].cpu()
        chosen = among[
            torch.multinomial(weights, count, replacement=True, generator=self.generator).to(
                among.device
            )
        ]
        copies = torch.bincount(chosen, minlength=len(model))[chosen] + 1
        opacities, scales = split_evenly(model.opacities[chosen], model.scales[chosen], copies)
        model.opacity_logits[chosen] = torch.logit(
            opacities.clamp(self.config.dead_opacity, 1 - 1e-6)
        )
        model.log_scales[chosen] = scales.log()
        return chosen

    def _copy_onto(
        self, model: Gaussians, optimizer: torch.optim.Optimizer, alive: Tensor, gone: Tensor
    ) -> None:
        chosen = self._sample(model, alive, len(gone))
        for parameter in model.named().values():
            parameter[gone] = parameter[chosen]
            self._forget(optimizer, parameter, chosen)

    def _append(self, model: Gaussians, optimizer: torch.optim.Optimizer, chosen: Tensor) -> None:
        groups = {group["name"]: group for group in optimizer.param_groups}
        for name, old in model.named().items():
            self._forget(optimizer, old, chosen)
            new = torch.cat([old, old[chosen]]).requires_grad_(True)
            setattr(model, name, new)
            groups[name]["params"] = [new]
            state = optimizer.state.pop(old, {})
            for key, value in state.items():
                if value.shape == old.shape:
                    state[key] = torch.cat([value, value.new_zeros(len(chosen), *value.shape[1:])])
            optimizer.state[new] = state

    @staticmethod
    def _forget(optimizer: torch.optim.Optimizer, parameter: Tensor, rows: Tensor) -> None:
        for value in optimizer.state.get(parameter, {}).values():
            if value.shape == parameter.shape:
                value[rows] = 0

    @torch.no_grad()
    def inject_noise(self, model: Gaussians, rate: float) -> None:
        """Noise along each faint Gaussian's own axes (eq. 8): mass that explains nothing
        wanders.
        """
        opacities = model.opacities
        # at 0.06 the gate below is 0.4 %
        faint = ((opacities < 0.06) & self._is_near(model)).nonzero()[:, 0]
        if len(faint) == 0:
            return
        gate = (
            torch.sigmoid(-100 * (opacities[faint] - self.config.dead_opacity))
            * rate
            * self.config.noise
        )
        axes = quat_to_matrix(model.quats[faint]) * model.scales[faint][:, None]
        draw = torch.randn(len(faint), 3, generator=self.generator).to(axes.device)
        model.means[faint] += (axes @ (axes.transpose(1, 2) @ draw[..., None]))[..., 0] * gate[
            :, None
        ]
