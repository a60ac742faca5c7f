"""What an artist has done to the strips of a speech: words with their sounds as they are now, and
what of it can't be spoken.
"""

import itertools
from dataclasses import dataclass

import bpy

from ....backend.formats.words_file import SpokenSound, SpokenWord
from .timing_strips import LONGEST, SOUNDS, WORDS, Timing, paired, plain, spans

SAME = 0.06  # frames by which a strip that nobody moved may be off
CROSSING = 0.02  # seconds that sounds may overlap without a word
SHOWN = 5  # names in a sentence


@dataclass(frozen=True)
class Moved:
    """Words to speak, and sentences about the rest."""

    words: tuple[SpokenWord, ...]
    notes: list[str]


def read(obj: bpy.types.Object, timing: Timing) -> Moved:
    """A word takes its sounds along, and stretches them; a sound that was moved itself stays where
    it was put; what was deleted is silent.
    """
    word_places, sound_places = (spans(obj, timing, kind) for kind in (WORDS, SOUNDS))
    words, added = paired(
        [name for name, _ in timing.names], [w.start for w in timing.words], word_places
    )
    laid = [(k, n) for k, word in enumerate(timing.words) for n in range(len(word.sounds))]
    sounds, more = paired(
        [timing.names[k][1][n] for k, n in laid],
        [timing.words[k].sounds[n].start for k, n in laid],
        sound_places,
    )
    number = {place: i for i, place in enumerate(laid)}
    spoken = list[SpokenWord]()
    for k, word in enumerate(timing.words):
        if k not in words:
            continue
        start, end = _or_laid(word_places[words[k]], word.start, word.end, timing)
        kept = list[SpokenSound]()
        for n, sound in enumerate(word.sounds):
            name = sounds.get(number[k, n])
            if name is not None:
                shown = sound_places[name]
                kept.append(_sound(sound, name, shown, _along(sound, word, start, end), timing))
        spoken.append(SpokenWord(_text(word, words[k]), start, end, tuple(kept)))
    kept_words = [k for k in range(len(timing.words)) if k in words]
    silent = sum(len(timing.words[k].sounds) for k in kept_words)
    silent -= sum(len(word.sounds) for word in spoken)
    notes = _notes(timing, spoken, silent, [*added, *more])
    return Moved(tuple(spoken), notes)


def _or_laid(
    place: tuple[float, float], start: float, end: float, timing: Timing
) -> tuple[float, float]:
    """Exactly as it was laid, where nobody moved it."""
    near = max(abs(place[0] - start), abs(place[1] - end)) * timing.fps < SAME
    return (start, end) if near else place


def _along(sound: SpokenSound, word: SpokenWord, start: float, end: float) -> tuple[float, float]:
    """A sound's times in a word that begins and ends elsewhere now."""
    scale = (end - start) / (word.end - word.start)
    return start + (sound.start - word.start) * scale, start + (sound.end - word.start) * scale


def _sound(
    sound: SpokenSound,
    name: str,
    place: tuple[float, float],
    along: tuple[float, float],
    timing: Timing,
) -> SpokenSound:
    unmoved = _or_laid(place, sound.start, sound.end, timing) == (sound.start, sound.end)
    ipa = sound.ipa if plain(name) == plain(sound.ipa[:LONGEST]) else plain(name)
    return SpokenSound(ipa, *(along if unmoved else place))


def _text(word: SpokenWord, name: str) -> str:
    return word.text if plain(name) == plain(word.text[:LONGEST]) else plain(name)


def _notes(timing: Timing, spoken: list[SpokenWord], silent: int, added: list[str]) -> list[str]:
    notes = list[str]()
    gone = len(timing.words) - len(spoken)
    if gone:
        notes.append(f"{gone} word{'s are' if gone > 1 else ' is'} silent, as the strip is gone")
    if silent:
        notes.append(f"{silent} sound{'s are' if silent > 1 else ' is'} left out")
    if added:
        shown = ", ".join(added[:SHOWN]) + (" …" if len(added) > SHOWN else "")
        notes.append(f"left out, as nothing was spoken there: {shown}")
    sounds = sorted((s.start, s.end) for word in spoken for s in word.sounds)
    crossing = sum(before[1] - after[0] > CROSSING for before, after in itertools.pairwise(sounds))
    if crossing:
        notes.append(f"{crossing} sounds overlap: the later of two is seen")
    outside = sum(word.end <= 0 or word.start >= timing.seconds for word in spoken)
    if outside:
        notes.append(f"{outside} words lie beyond the sound, and are not seen")
    return notes
