"""Accents, pauses and liveliness of made-up voices, and what brows, eyes, lids and head do by
them.
"""

import numpy as np
import pytest

from backend.media.sound import RATE
from backend.talking_head.fitting.coefficients import opposed_pairs
from backend.talking_head.motion.idle import blinks
from backend.talking_head.motion.lively import expression, gaze
from backend.talking_head.speech.audio_features import CHANNELS
from backend.talking_head.speech.log_mel import log_mel
from backend.talking_head.speech.prosody import Prosody, prosody

STRESSED, PAUSES, SECONDS = (1.0, 2.2, 5.1, 6.5), ((3.0, 4.0), (7.5, 8.0)), 9
TIMES = np.arange(SECONDS * 24) / 24


def told(samples: np.ndarray) -> Prosody:
    bands = log_mel(samples)
    rest = np.zeros((len(bands), CHANNELS - bands.shape[1]), np.float32)
    return prosody(samples, np.concatenate([bands, rest], 1))


def voice(stressed: tuple[float, ...] = STRESSED) -> np.ndarray:
    """(S,) a buzzing voice whose pitch rises by a third where it stresses, and which pauses."""
    time = np.arange(SECONDS * RATE) / RATE
    rise = sum((np.exp(-(((time - at) / 0.09) ** 2)) for at in stressed), np.zeros(len(time)))
    phase = 2 * np.pi * np.cumsum(120 * 2 ** (rise / 3)) / RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 20)) * (0.1 + 0.05 * rise)
    for begin, end in PAUSES:
        wave[int(begin * RATE) : int(end * RATE)] = 0
    return wave.astype(np.float32)


def test_stress_and_pauses_are_heard() -> None:
    found = told(voice())
    strong = found.accents[found.strengths > 0.5]
    np.testing.assert_allclose(strong, STRESSED, atol=0.05)
    np.testing.assert_allclose(found.pauses, PAUSES, atol=0.05)
    again = told(voice() * 0.2)
    np.testing.assert_allclose(again.accents, found.accents, atol=0.02)


def test_silence_and_a_monotone_stress_nothing() -> None:
    for samples in (np.zeros(RATE, np.float32), np.zeros(0, np.float32)):
        nothing = told(samples)
        assert not len(nothing.accents) and not len(nothing.pauses)
        assert not np.any(list(expression(TIMES, nothing, 1.0, 0).values()))
    flat = told(voice(()))
    assert (
        not (flat.strengths > 0.5).any()
        or np.abs(flat.accents[flat.strengths > 0.5][:, None] - np.ravel(PAUSES)).min() < 0.3
    )


def test_brows_rise_at_accents_and_eyes_leave_in_pauses() -> None:
    found = told(voice())
    brows = expression(TIMES, found, 1.0, 0)["browInnerUp"]
    near = np.abs(TIMES[:, None] - found.accents).min(1) < 0.36
    assert 0.2 < brows.max() < 0.6 and not brows[~near].any()
    eyes = gaze(TIMES, found, 1.0, 0)
    away = np.max(list(eyes.values()), 0)
    spoken = (TIMES < 2.9) | ((TIMES > 4.1) & (TIMES < 7.4))
    assert away[(TIMES > 3.1) & (TIMES < 3.5)].min() > 0.1
    assert 0 < away[spoken].max() <= 0.05, "they dart a little while they rest on somebody"
    names = list(eyes)
    for one, other in opposed_pairs(names):
        assert not np.any(np.minimum(eyes[names[one]], eyes[names[other]]))
    np.testing.assert_array_equal(eyes["eyeLookOutLeft"], eyes["eyeLookInRight"])
    assert not np.any(list(gaze(TIMES, found, 0.0, 0).values()))


def test_brows_do_not_bob_and_eyes_do_not_leave_in_every_pause() -> None:
    """A slow speaker who stresses every word and pauses behind it."""
    words = np.arange(0.5, 60, 0.75)
    slow = Prosody(
        accents=words,
        strengths=np.random.default_rng(0).uniform(0.6, 1, len(words)).astype(np.float32),
        pauses=np.stack([words + 0.3, words + 0.7], 1),
        lively=np.full(6000, 0.5, np.float32),
    )
    times = np.arange(60 * 24) / 24
    brows = expression(times, slow, 1.0, 0)["browInnerUp"]
    raises = np.flatnonzero(np.diff((brows > 0.1).astype(int)) > 0)
    assert 10 < len(raises) < 40 and np.diff(raises).min() >= 24
    away = np.max(list(gaze(times, slow, 1.0, 0).values()), 0) > 0.1
    looks = np.flatnonzero(np.diff(away.astype(int)) > 0)
    assert 10 < len(looks) <= 25 and away.mean() < 0.25


@pytest.mark.parametrize("seed", [0, 1])
def test_equal_seeds_move_equally(seed: int) -> None:
    found = told(voice())
    for make in (expression, gaze):
        first, again, other = (make(TIMES, found, 1.0, s) for s in (seed, seed, seed + 5))
        assert all(np.array_equal(first[k], again[k]) for k in first)
        assert any(not np.array_equal(first[k], other[k]) for k in first)


def test_lids_fall_at_the_ends_of_phrases() -> None:
    times, ends = np.arange(24 * 240) / 24, np.arange(5.0, 235, 5)
    lids = blinks(times, 15, 0, ends)
    at = times[1:][(lids[1:] > 0.5) & (lids[:-1] <= 0.5)]
    plain = blinks(times, 15, 0)
    before = times[1:][(plain[1:] > 0.5) & (plain[:-1] <= 0.5)]
    on_ends = [(np.abs(a[:, None] - ends).min(1) < 0.15).mean() for a in (before, at)]
    assert on_ends[1] > on_ends[0] + 0.2 and 0.6 < len(at) / len(before) < 1.4
    assert np.diff(at).min() > 0.5
