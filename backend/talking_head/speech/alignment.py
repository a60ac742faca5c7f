"""When each sound of a known text is said: the text's phonemes by espeak, laid along what the
encoder hears (Viterbi 1967).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...protocol import InputError
from .log_mel import FEATURE_RATE
from .phonemes import Phoneme
from .transcript_trust import Laid
from .visemes import VISEMES


@dataclass(frozen=True, kw_only=True)
class AlignmentConfig:
    """How far what is heard is trusted, against how long sounds usually are."""

    trust: float = 0.6  # power of the encoder's chances
    floor: float = 1e-3  # of a chance: the encoder is never quite sure
    pause: float = 0.05  # chance of a silence between words
    band: float = 20.0  # seconds that the text may be ahead or behind of an even pace
    length: float = 1.0  # weight of the sounds' usual lengths
    step: float = 2.5  # rows of a place
    least: int = 2  # places of a sound


@dataclass(frozen=True)
class _Place:
    """One step on the way: a viseme of a phoneme, or a silence that may be passed over."""

    viseme: int
    phoneme: int  # -1: silence
    rows: float  # usual length


def lay(
    spoken: list[Phoneme], probabilities: Floats, config: AlignmentConfig = AlignmentConfig()
) -> Laid:
    """Phonemes, of which the lengths count, laid along chances (T, 15). InputError where they can't
    fit.
    """
    places = _places(spoken, len(probabilities), config)
    if sum(place.phoneme >= 0 for place in places) > len(probabilities):
        places = _places(spoken, len(probabilities), replace(config, step=np.inf, least=1))
    needed = sum(place.phoneme >= 0 for place in places)
    if needed > len(probabilities):
        raise InputError(
            f"The transcript has {len(spoken)} sounds, too many for "
            f"{len(probabilities) / FEATURE_RATE:.1f} s.",
            "Check that transcript and sound belong together.",
        )
    path = _path(places, probabilities, config)
    visemes = np.array([place.viseme for place in places])[path]
    said = np.array([place.phoneme >= 0 for place in places])[path]
    return Laid(spoken, _phonemes(spoken, places, path), visemes, said)


def _places(spoken: list[Phoneme], count: int, config: AlignmentConfig) -> list[_Place]:
    """With silences before, after and between words. Usual lengths are scaled to the pace of this
    speaker.

    A sound is several places in a row, so that its length is not left to chance: of k in a row it
    varies by one k-th root.
    """
    silence = _Place(0, -1, 60.0)
    total = sum(p.end - p.start for p in spoken)
    pace = float(np.clip(0.8 * count / FEATURE_RATE / total, 0.6, 1.6))
    places = [silence]
    for number, phoneme in enumerate(spoken):
        if phoneme.begins_word and number:
            places.append(silence)
        rows = (phoneme.end - phoneme.start) * pace * FEATURE_RATE / len(phoneme.visemes)
        for viseme in phoneme.visemes:
            steps = max(config.least, round(rows / config.step))
            places += [_Place(VISEMES.index(viseme), number, max(rows / steps, 1.2))] * steps
    return [*places, silence]


def _path(
    places: list[_Place], probabilities: Floats, config: AlignmentConfig
) -> NDArray[np.int64]:
    """(T,) the place of every row: at each it stays, goes on, or goes on over a silence. Only
    places near an even pace are tried, which keeps long texts within the memory.
    """
    count, rows = len(places), len(probabilities)
    heard, visemes = (
        config.trust * np.log(probabilities + config.floor),
        np.array([p.viseme for p in places]),
    )
    stay = config.length * np.log(1 - 1 / np.array([p.rows for p in places]))
    leave = config.length * np.log(1 / np.array([p.rows for p in places]))
    silent = np.array([p.phoneme < 0 for p in places])
    enter = np.where(silent, np.log(config.pause), np.log1p(-config.pause))
    skips = np.zeros(count, bool)
    skips[2:] = silent[1:-1]
    best = np.full(count + 2, -np.inf)  # two places before the first spare a case
    best[2:4] = heard[0, visemes[:2]]
    moves: list[tuple[int, NDArray[np.int8]]] = [(0, np.zeros(count, np.int8))]
    middle, reach = (
        np.arange(rows) / rows * count,
        max(40.0, config.band * FEATURE_RATE / rows * count),
    )
    onwards = np.append([-np.inf, -np.inf], leave)
    for row in range(1, rows):
        low, high = max(0, int(middle[row] - reach)), min(count, int(middle[row] + reach) + 1)
        near = slice(low, high)
        options = np.stack(
            [
                best[low + 2 : high + 2] + stay[near],
                best[low + 1 : high + 1]
                + onwards[low + 1 : high + 1]
                + np.where(silent[near], enter[near], 0.0),
                np.where(skips[near], best[low:high] + onwards[low:high] + enter[near], -np.inf),
            ]
        )
        moves.append((low, options.argmax(0).astype(np.int8)))
        best[:] = -np.inf
        best[low + 2 : high + 2] = options.max(0) + heard[row, visemes[near]]
    at = count - 1 if best[-1] >= best[-2] else count - 2
    if not np.isfinite(best[at + 2]):
        raise InputError(
            "The transcript does not fit the sound.",
            "Check that they belong together, and the language.",
        )
    path = np.zeros(rows, np.int64)
    for row in range(rows - 1, -1, -1):
        path[row] = at
        low, move = moves[row]
        at -= int(move[at - low])
    return path


def _phonemes(
    spoken: list[Phoneme], places: list[_Place], path: NDArray[np.int64]
) -> list[Phoneme]:
    number = np.array([place.phoneme for place in places])[path]
    aligned = []
    for index, phoneme in enumerate(spoken):
        rows = np.flatnonzero(number == index)
        aligned.append(
            replace(phoneme, start=rows[0] / FEATURE_RATE, end=(rows[-1] + 1) / FEATURE_RATE)
        )
    return aligned
