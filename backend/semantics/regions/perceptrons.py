"""Small networks that were fitted to scenes with exact masks, and kept as plain tables of numbers:
perceptrons with at most one hidden layer, whose answers are averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...geometry.arrays import Doubles

FARTHEST = 4.0  # deviations from the mean that a figure may have


@dataclass(frozen=True)
class Layer:
    """What goes on is figures (N, F) @ weights + bias."""

    weights: Doubles  # (F, H)
    bias: Doubles  # (H,)


@dataclass(frozen=True, kw_only=True)
class Perceptrons:
    """Of F figures; each network is its layers, with a hyperbolic tangent between them."""

    names: tuple[str, ...]
    mean: Doubles  # (F,)
    spread: Doubles  # (F,)
    networks: Sequence[Sequence[Layer]]

    def likely(self, figures: Doubles) -> Doubles:
        """(N,) 0..1 of figures (N, F): the mean over the networks."""
        unit = np.clip((figures - self.mean) / self.spread, -FARTHEST, FARTHEST)
        total = np.zeros(len(figures))
        for layers in self.networks:
            values = unit
            for layer in layers[:-1]:
                values = np.tanh(values @ layer.weights + layer.bias)
            last = (values @ layers[-1].weights + layers[-1].bias)[:, 0]
            total += 0.5 * (1 + np.tanh(0.5 * last))
        return total / len(self.networks)

    def text(self) -> str:
        """As read() reads it: a line a figure with its mean, spread and weights of the first layer,
        network after network; then the biases; then a line a network with its last layer.
        """
        first = [layers[0] for layers in self.networks]
        table = np.concatenate([layer.weights for layer in first], 1)
        lines = [
            " ".join([name, *(f"{v:.5g}" for v in (m, s, *row))])
            for name, m, s, row in zip(self.names, self.mean, self.spread, table, strict=True)
        ]
        biases = np.concatenate([layer.bias for layer in first])
        lines.append(" ".join(["bias", *(f"{v:.5g}" for v in biases)]))
        for layers in self.networks:
            if len(layers) > 1:
                values = [*layers[1].weights[:, 0], *layers[1].bias]
                lines.append(" ".join(["last", *(f"{v:.5g}" for v in values)]))
        return "\n".join(lines) + "\n"


def parsed(text: str) -> Perceptrons:
    """Of text()."""
    rows = [(words[0], np.array(words[1:], float)) for words in map(str.split, text.splitlines())]
    last = [values for name, values in rows if name == "last"]
    figures = [(name, values) for name, values in rows if name not in ("last", "bias")]
    biases = next(values for name, values in rows if name == "bias")
    table = np.stack([values for _, values in figures])
    count = max(len(last), 1)
    weights = np.split(table[:, 2:], count, 1)
    first = [Layer(w, b) for w, b in zip(weights, np.split(biases, count), strict=True)]
    ends = [[Layer(values[:-1, None], values[-1:])] for values in last] or [[]]
    return Perceptrons(
        names=tuple(name for name, _ in figures),
        mean=table[:, 0],
        spread=table[:, 1],
        networks=[[layer, *end] for layer, end in zip(first, ends, strict=True)],
    )


@cache
def fitted(name: str) -> Perceptrons:
    """Those that come with the product: `boundaries` or `wholes`."""
    return parsed(Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8"))
