"""Finds the rule for speech anew (voice_activity.RULE), on the half of the material that finds:
`python -m tests.benchmarks.voice_rule`, six minutes.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.signal import butter, sosfilt

from backend.media.sound import RATE
from backend.talking_head.speech.voice_measures import MEASURES, voice_measures
from tests.benchmarks.table import say
from tests.benchmarks.voice_material import Heard, recordings, synthesised, voiceless_sounds

FINDS, LONGEST, FARTHEST, DECAY = 0, 30, 3.0, 1e-3
SEEDS = [*range(0, 8, 2), *range(100, 104, 2), *range(200, 220, 2)]


def main() -> None:
    random = np.random.default_rng(0)
    sounds: list[Heard] = [*recordings(), *synthesised()]
    for seed in SEEDS:
        sounds += voiceless_sounds(range(seed, seed + 1))
    rows, speech, weights = [], [], []
    for heard in sounds:
        if heard.half == FINDS:
            short = heard.samples[: LONGEST * RATE]
            for sound in (short, _elsewhere(short, random)):
                found = voice_measures(sound)
                rows.append(found)
                speech.append(np.full(len(found), heard.kind != "none"))
                weights.append(np.full(len(found), max(len(found), 1) ** -0.7))
    _fit(np.concatenate(rows), np.concatenate(speech), np.concatenate(weights))


def _elsewhere(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """By telephone, in a room, in noise, or softer."""
    kind, level = int(random.integers(4)), float(np.sqrt((samples**2).mean())) + 1e-9
    if kind == 1:
        band = butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
        samples = sosfilt(band, samples)
    elif kind == 2:
        length = int(random.uniform(0.1, 0.5) * RATE)
        echo = random.normal(size=length) * np.exp(-5 * np.arange(length) / length) * 0.1
        echo[0], count = 1, len(samples) + length
        both = np.fft.rfft(samples, count) * np.fft.rfft(echo, count)
        samples = np.fft.irfft(both, count)[: len(samples)]
    if kind == 3 or random.random() < 0.3:
        noise = random.normal(size=len(samples)) * level
        samples = samples + noise * 10 ** (-random.uniform(5, 30) / 20)
    return np.asarray(samples * 10 ** (-random.uniform(0, 20) / 20), np.float32)


def _fit(measures: np.ndarray, speech: np.ndarray, weights: np.ndarray) -> None:
    """Logistic regression in which speech and the rest count alike; prints the rule."""
    for side in (speech, ~speech):
        weights[side] /= weights[side].sum()
    mean, deviation = measures.mean(0), measures.std(0)
    away = ((measures - mean) / deviation).clip(-FARTHEST, FARTHEST)
    table = np.concatenate([away, np.ones((len(away), 1))], 1)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        odds = table @ w
        error = weights * np.logaddexp(0, np.where(speech, -odds, odds))
        slope = table.T @ (weights * (1 / (1 + np.exp(-odds.clip(-30, 30))) - speech))
        held = np.append(w[:-1], 0)
        return float(error.sum() + DECAY * (held**2).sum()), slope + 2 * DECAY * held

    found = minimize(loss, np.zeros(table.shape[1]), jac=True, method="L-BFGS-B").x
    for row in zip(MEASURES, mean, deviation, found, strict=False):
        say("{:<24} {:8.3g} {:8.3g} {:6.2f}".format(*row))
    say(f"{'offset':<24} {found[-1]:24.2f}")


if __name__ == "__main__":
    main()
