"""Words with their sounds, for artists to move; and the visemes of those that they have moved."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...formats.words_file import SpokenSound, SpokenWord
from .phonemes import Phoneme, viseme_track


def words_of(phonemes: Iterable[Phoneme]) -> tuple[SpokenWord, ...]:
    """Each begins with a sound that begins a word."""
    groups = list[list[Phoneme]]()
    for phoneme in phonemes:
        if phoneme.begins_word or phoneme.word or not groups:
            groups.append([])
        groups[-1].append(phoneme)
    return tuple(_word(group) for group in groups)


def _word(group: list[Phoneme]) -> SpokenWord:
    sounds = tuple(SpokenSound(p.ipa, float(p.start), float(p.end)) for p in group)
    text = group[0].word or "".join(sound.ipa for sound in sounds)
    return SpokenWord(text, sounds[0].start, sounds[-1].end, sounds)


def track_of(words: Iterable[SpokenWord], count: int) -> NDArray[np.int64]:
    """(count,) numbers of visemes at FEATURE_RATE; of two sounds at once, the later one."""
    sounds = sorted((s for word in words for s in word.sounds), key=lambda s: (s.start, s.end))
    return viseme_track([Phoneme(start=s.start, end=s.end, ipa=s.ipa) for s in sounds], count)


def later(phoneme: Phoneme, seconds: float) -> Phoneme:
    """The same, so much later."""
    return replace(phoneme, start=phoneme.start + seconds, end=phoneme.end + seconds)
