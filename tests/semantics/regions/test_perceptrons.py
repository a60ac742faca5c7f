"""Small networks as tables of numbers."""

import numpy as np
import pytest

from backend.semantics.regions.node_figures import NAMES as FIGURES
from backend.semantics.regions.perceptrons import Layer, Perceptrons, fitted, parsed
from backend.semantics.regions.wholes import NAMES as MERGES
from tests.benchmarks.perceptron_fit import FitConfig, Samples, fit


@pytest.mark.parametrize("hidden", [0, 3])
def test_tables_say_what_networks_did(hidden: int) -> None:
    random = np.random.default_rng(0)
    sizes = [(4, hidden), (hidden, 1)] if hidden else [(4, 1)]
    networks = [
        [Layer(random.normal(size=s), random.normal(size=s[1])) for s in sizes]
        for _ in range(2 if hidden else 1)
    ]
    made = Perceptrons(
        names=("a", "b", "c", "d"),
        mean=random.normal(size=4),
        spread=random.uniform(1, 2, 4),
        networks=networks,
    )
    figures = random.normal(0, 3, (50, 4))
    read = parsed(made.text())
    assert read.names == made.names
    np.testing.assert_allclose(read.likely(figures), made.likely(figures), atol=1e-3)
    unit = ((figures - made.mean) / made.spread).clip(-4, 4)
    answers = []
    for layers in networks:
        values = np.tanh(unit @ layers[0].weights + layers[0].bias) if hidden else unit
        last = (values @ layers[-1].weights + layers[-1].bias)[:, 0]
        answers.append(1 / (1 + np.exp(-last)))
    np.testing.assert_allclose(made.likely(figures), np.mean(answers, 0))


def test_the_fit_finds_what_is_told() -> None:
    random = np.random.default_rng(1)
    figures = random.normal(size=(1000, 3))
    either = (figures[:, 0] * figures[:, 1] > 0).astype(float)  # no logistic function tells
    straight = (figures[:, 2] > 0.5).astype(float)
    plain = FitConfig(hidden=0, decay=1e-4, steps=100, networks=1)
    bent = FitConfig(hidden=8, decay=1e-5, steps=150, networks=2)
    for wanted, config, least in ((straight, plain, 0.97), (either, bent, 0.93)):
        scenes = [
            Samples(f, w, np.ones(500))
            for f, w in zip(np.split(figures, 2), np.split(wanted, 2), strict=True)
        ]
        found = fit(("a", "b", "c"), scenes, config)
        assert ((found.likely(figures) > 0.5) == wanted).mean() > least
    poor = fit(("a", "b", "c"), [Samples(figures, either, np.ones(1000))], plain)
    assert ((poor.likely(figures) > 0.5) == either).mean() < 0.6


def test_what_comes_with_the_product_asks_for_what_is_known() -> None:
    assert fitted("wholes").names == MERGES and len(MERGES) == 3 * (len(FIGURES) - 3) + 1
