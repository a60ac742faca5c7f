"""Whether a motion repeats: walking, running. Then pictures of one phase of the cycle show one
pose, from as many sides as there are cycles.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from ...geometry.arrays import Doubles
from .motion import NodeMotion, basis

# half waves of the clip that belong to no cycle: more hide slow gaits, few let drift in
DRIFTS = (5, 7)
MOMENTS = 240  # at which the motion is looked at


@dataclass(frozen=True, kw_only=True)
class GaitConfig:
    """`alike`: correlation of the motion with itself one cycle later, at least. `least`: cycles
    that a clip must hold, or nothing in it repeats; `most`: that are tried, so far `apart`, and
    `most_heard`: beyond which it is trembling. `near`: a shorter cycle that is so nearly as alike
    is the cycle, the longer one several. `share`: of the motion, that must not be drift.
    """

    alike: float = 0.35
    least: float = 2.0
    most: float = 6.0
    apart: float = 0.25
    most_heard: float = 12.0
    near: float = 0.85
    share: float = 0.2


@torch.no_grad()
def likely_cycles(motion: NodeMotion, config: GaitConfig = GaitConfig()) -> list[float]:
    """How many cycles the nodes' motion may go through over the clip: first what the motion's
    autocorrelation says, if anything, then a row of others. None where all is drift.
    """
    times = tuple(torch.linspace(0, 1, MOMENTS).tolist())
    ways = torch.einsum("tk,nkc->tnc", motion.rows(times), motion.translations)
    values = ways.flatten(1).cpu().double().numpy()
    waves = basis(times, max(DRIFTS), "cpu").double().numpy()
    if _share(values, waves[:, : min(DRIFTS)]) <= config.share:
        return []
    several = (_cycles(values, waves[:, :count], config) for count in DRIFTS)
    heard = next((cycles for cycles in several if cycles), 0.0)
    row = np.arange(config.least, config.most + 1e-9, config.apart).tolist()
    return [heard, *row] if heard else row


def _without(values: Doubles, drift: Doubles) -> Doubles:
    """Ways (T, D) without what waves (T, K) explain of them."""
    return np.asarray(values - drift @ np.linalg.lstsq(drift, values, rcond=None)[0])


def _share(values: Doubles, drift: Doubles) -> float:
    """Of ways (T, D), that waves (T, K) do not explain."""
    moved = float(np.square(values - values.mean(0)).sum())
    return float(np.square(_without(values, drift)).sum()) / max(moved, 1e-12)


def _cycles(values: Doubles, drift: Doubles, config: GaitConfig) -> float:
    """Of ways (T, D), by their autocorrelation; 0 where they repeat in none."""
    values = _without(values, drift)
    shortest = max(2, math.floor(MOMENTS / config.most_heard))
    longest = math.ceil(MOMENTS / config.least)
    alike = np.array([_alike(values, lag) for lag in range(shortest - 1, longest + 2)])
    peaks = [
        k
        for k in range(1, len(alike) - 1)
        if alike[k] >= max(alike[k - 1], alike[k + 1]) and alike[k] > config.alike
    ]
    if not peaks:
        return 0.0
    highest = max(alike[k] for k in peaks)
    lag = next(k for k in peaks if alike[k] >= config.near * highest) + shortest - 1
    return (MOMENTS - 1) / lag


def _alike(values: Doubles, lag: int) -> float:
    """Correlation of (T, D) with itself that much later."""
    before, after = values[:-lag], values[lag:]
    scale = math.sqrt(float(np.square(before).sum() * np.square(after).sum()))
    return float((before * after).sum()) / max(scale, 1e-12)
