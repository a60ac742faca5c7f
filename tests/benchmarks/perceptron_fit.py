"""Small networks (backend/semantics/regions/perceptrons.py) fitted by maximum likelihood, with a
little decay of weights.
"""

from dataclasses import dataclass

import numpy as np
import torch

from backend.semantics.regions.perceptrons import FARTHEST, Layer, Perceptrons


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    hidden: int  # units; 0: a logistic function
    decay: float
    steps: int
    networks: int  # from other first weights


@dataclass(frozen=True)
class Samples:
    """Of one scene; all scenes count alike."""

    figures: np.ndarray  # (N, F)
    wanted: np.ndarray  # (N,) 0..1
    weights: np.ndarray  # (N,)


def fit(names: tuple[str, ...], scenes: list[Samples], config: FitConfig) -> Perceptrons:
    figures = np.concatenate([s.figures for s in scenes])
    weights = np.concatenate([s.weights / s.weights.sum() for s in scenes]) / len(scenes)
    mean = weights @ figures
    spread = np.sqrt(weights @ np.square(figures - mean)) + 1e-6
    unit = torch.from_numpy(np.clip((figures - mean) / spread, -FARTHEST, FARTHEST))
    wanted = torch.from_numpy(np.concatenate([s.wanted for s in scenes]))
    sample = (unit, wanted, torch.from_numpy(weights))
    networks = [_one(sample, config, seed) for seed in range(config.networks)]
    return Perceptrons(names=names, mean=mean, spread=spread, networks=networks)


def _one(
    sample: tuple[torch.Tensor, torch.Tensor, torch.Tensor], config: FitConfig, seed: int
) -> list[Layer]:
    unit, wanted, weights = sample
    layers = _first(unit.shape[1], config.hidden, seed)
    flat = [p.requires_grad_() for layer in layers for p in layer]

    def loss() -> torch.Tensor:
        values = unit
        for w, b in layers[:-1]:
            values = torch.tanh(values @ w + b)
        last = (values @ layers[-1][0] + layers[-1][1])[:, 0]
        each = torch.nn.functional.binary_cross_entropy_with_logits(last, wanted, reduction="none")
        decay = sum(torch.square(w).sum() for w, _ in layers)
        return torch.sum(weights * each) + config.decay * decay

    optimizer = torch.optim.LBFGS(flat, max_iter=config.steps, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(step)  # type: ignore[no-untyped-call]
    return [Layer(w.detach().numpy(), b.detach().numpy()) for w, b in layers]


def _first(figures: int, hidden: int, seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    random = np.random.default_rng(seed)
    if not hidden:
        return [(torch.zeros(figures, 1).double(), torch.zeros(1).double())]
    return [
        (torch.from_numpy(random.normal(0, 0.2, (figures, hidden))), torch.zeros(hidden).double()),
        (torch.from_numpy(random.normal(0, 0.3, (hidden, 1))), torch.zeros(1).double()),
    ]
