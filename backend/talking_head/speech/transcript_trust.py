"""Do a text and a sound belong together? How much better what is heard goes with the text than with
the same sounds in other orders.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...protocol import InputError
from .log_mel import FEATURE_RATE
from .phonemes import Phoneme

ADVICE = (
    "Check that they belong together, and the language; --trust-transcript (Trust Transcript) "
    "aligns them all the same."
)


@dataclass(frozen=True)
class Laid:
    """Phonemes along a sound, and what each row of it should show."""

    spoken: list[Phoneme]  # with their usual lengths
    phonemes: list[Phoneme]  # with the times at which they are heard
    visemes: NDArray[np.int64]  # (T,)
    said: NDArray[np.bool_]  # (T,) False in pauses


Lay = Callable[[list[Phoneme], Floats], Laid]


@dataclass(frozen=True, kw_only=True)
class TrustConfig:
    """Chosen on every other clip of GRID, the Montreal aligner's two and espeak in six languages:
    there texts that are right reach 2.0 and more, others at most 1.1.
    """

    enough: float = 1.7
    orders: int = 12  # other orders of the text's sounds
    surprise: float = 0.15  # weight of the deviations by which the text beats them
    most_surprise: float = 6.0
    spread: float = 0.01  # nats, added to their deviation
    floor: float = 1e-3  # of a chance
    longest: float = 40.0  # seconds that are looked at
    fastest: float = 2.5  # times espeak's pace


def demand_pace(spoken: list[Phoneme], rows: int, config: TrustConfig = TrustConfig()) -> None:
    """InputError where the text takes much longer to say than the sound lasts."""
    needed, lasts = sum(p.end - p.start for p in spoken), rows / FEATURE_RATE
    if needed > config.fastest * lasts:
        raise InputError(
            f"The transcript takes about {needed:.0f} s to say, but the sound lasts {lasts:.0f} s.",
            ADVICE,
        )


def demand_trust(laid: Laid, heard: Floats, lay: Lay, config: TrustConfig = TrustConfig()) -> None:
    """InputError where phonemes go no better with the chances (T, 15) of visemes along which they
    were laid than any would. `lay` lays others along a stretch of these.
    """
    if alignment_trust(laid, heard, lay, config) < config.enough:
        raise InputError("The transcript and the sound do not belong together.", ADVICE)


def alignment_trust(
    laid: Laid, heard: Floats, lay: Lay, config: TrustConfig = TrustConfig()
) -> float:
    """Nats by which the visemes are likelier where they were laid than elsewhere, and by which they
    beat other orders of the same sounds; more where hardly any order comes near.
    """
    laid, heard = _stretch(laid, heard, config)
    random, others = np.random.default_rng(0), list[NDArray[np.float64]]()
    own = _fits(laid, heard, config)
    for _ in range(config.orders):
        order = random.permutation(len(laid.spoken))
        mixed = [
            replace(laid.spoken[k], begins_word=place.begins_word)
            for k, place in zip(order, laid.spoken, strict=True)
        ]
        with contextlib.suppress(InputError):  # this order does not fit at all
            others.append(_fits(lay(mixed, heard), heard, config))
    if not others:
        return float(own[1])
    better = own - np.mean(others, 0)
    surprise = float(better[0] / (np.std(others, 0)[0] + config.spread))
    return float(own[1] + better[1]) + config.surprise * min(
        max(surprise, 0.0), config.most_surprise
    )


def _stretch(laid: Laid, heard: Floats, config: TrustConfig) -> tuple[Laid, Floats]:
    """The middle of a long sound."""
    if len(heard) <= config.longest * FEATURE_RATE:
        return laid, heard
    first = (len(heard) / FEATURE_RATE - config.longest) / 2
    pairs = zip(laid.spoken, laid.phonemes, strict=True)
    inside = [s for s, p in pairs if first <= p.start and p.end <= first + config.longest]
    if not inside:
        return laid, heard
    rows = slice(round(first * FEATURE_RATE), round((first + config.longest) * FEATURE_RATE))
    return Laid(inside, [], laid.visemes[rows], laid.said[rows]), heard[rows]


def _fits(laid: Laid, heard: Floats, config: TrustConfig) -> NDArray[np.float64]:
    """(2,) means of the log chance of what is shown: of all rows, and of those with speech against
    that of the same visemes at any moment.
    """
    chances = np.log(heard + config.floor)[np.arange(len(heard)), laid.visemes]
    usual = np.log(heard.mean(0) + config.floor)[laid.visemes]
    lift = (chances - usual)[laid.said]
    return np.array([chances.mean(), lift.mean() if len(lift) else 0.0])
