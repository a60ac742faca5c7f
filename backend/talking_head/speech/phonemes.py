"""Sounds of speech in IPA, and the visemes that they are seen as."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .log_mel import FEATURE_RATE
from .visemes import VISEMES

SIGNS = {
    "PP": "pbmɓɱʙ", "FF": "fvʋ", "TH": "θð", "DD": "tdʈɖʔ", "kk": "kɡgŋxɣqɢχhɦħʕçʝjʲɲcɟ",
    "CH": "ʃʒɕʑʂʐ", "SS": "sz",
    "nn": "nlɫɭʎɾɳ", "RR": "rɹɻʁʀɚɝ", "aa": "aɑɐʌæ", "E": "eɛəɜøœɤɘɞ", "ih": "iɪyɨᵻʏ", "oh": "oɔɒ",
    "ou": "uʊwʉɯɥ",
}  # fmt: skip
VISEME_OF = {sign: viseme for viseme, signs in SIGNS.items() for sign in signs}
BILABIAL, LABIODENTAL = frozenset("pbm"), frozenset("fv")


@dataclass(frozen=True, kw_only=True)
class Phoneme:
    """One sound; times in seconds."""

    start: float
    end: float
    ipa: str  # empty for silence
    begins_word: bool = False
    word: str = ""  # as it is written, where it begins one

    @property
    def center(self) -> float:
        """Seconds in the middle of the sound."""
        return (self.start + self.end) / 2

    @property
    def visemes(self) -> list[str]:
        """One after the other: diphthongs and affricates have two. Signs of stress and length are
        passed over.
        """
        visemes: list[str] = []
        for sign in self.ipa:
            viseme = VISEME_OF.get(sign)
            if viseme and (not visemes or viseme != visemes[-1]):
                visemes.append(viseme)
        return visemes or ["sil"]


def viseme_track(phonemes: list[Phoneme], count: int) -> NDArray[np.int64]:
    """(count,) numbers of visemes at FEATURE_RATE; silence where no sound is named."""
    track = np.zeros(count, np.int64)
    for phoneme in phonemes:
        edges = np.linspace(phoneme.start, phoneme.end, len(phoneme.visemes) + 1)
        for viseme, first, last in zip(phoneme.visemes, edges[:-1], edges[1:], strict=True):
            track[max(0, round(first * FEATURE_RATE)) : max(0, round(last * FEATURE_RATE))] = (
                VISEMES.index(viseme)
            )
    return track
