"""espeak-ng through its library: any text in about a hundred languages as sound, with the time of
every phoneme.
"""

import ctypes
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...protocol import InputError, SetupError
from .phonemes import Phoneme

RETRIEVAL = 1  # sound comes back in memory
PHONEME_EVENTS, IPA, DONT_EXIT = 1, 2, 0x8000
UTF8 = 1
END, WORD, PHONEME = 0, 1, 7  # kinds of events
RATE, PITCH = 1, 3  # parameters
FAILED = -1
BETWEEN = ' \t\n.,;:!?…"“”„«»()[]–—。、！？'  # words


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h"""

    _fields_: ClassVar[Any] = [
        ("kind", ctypes.c_int), ("unique", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user_data", ctypes.c_void_p),
        ("sign", ctypes.c_char * 8),
    ]  # fmt: skip


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@cache
def _library() -> tuple[Any, int]:
    """The library and its sample rate; one a process."""
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except (ImportError, OSError) as error:
        raise SetupError(
            "The voice that knows how texts are spoken (espeak-ng) is missing.",
            "Set up the compute environment again.",
        ) from error
    rate = library.espeak_Initialize(
        RETRIEVAL, 0, espeakng_loader.get_data_path().encode(), PHONEME_EVENTS | IPA | DONT_EXIT
    )
    if rate == FAILED:
        raise SetupError("espeak-ng does not start.", "Set up the compute environment again.")
    return library, rate


def speak(
    text: str, voice: str = "en-us", pace: int = 160, pitch: int = 50
) -> tuple[NDArray[np.float32], int, list[Phoneme]]:
    """Sound (S,) -1..1, its rate, and its phonemes. `pace` in words a minute, `pitch` 0..100.
    InputError for unknown voices.
    """
    library, rate = _library()
    blocks: list[NDArray[np.int16]] = []
    marks: list[tuple[float, str, bool]] = []
    words = dict[int, int]()  # where they stand in the text, by the mark that begins them

    def receive(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].kind != END:
            if events[index].kind == WORD:
                words.setdefault(len(marks), events[index].text_position - 1)
            if events[index].kind == PHONEME:
                sign = events[index].sign.decode("utf-8", "ignore")
                marks.append(
                    (
                        events[index].milliseconds / 1000,
                        "" if sign.startswith("(") else sign,  # "(en)": another language begins
                        len(marks) == 0 or len(marks) in words,
                    )
                )
            index += 1
        return 0

    callback = _Callback(receive)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()):
        raise InputError(
            f"There is no voice for the language {voice!r}.",
            "Give a code such as en-us, de, fr, es, it, pl or ja.",
        )
    library.espeak_SetParameter(RATE, pace, 0)
    library.espeak_SetParameter(PITCH, pitch, 0)
    said = text.encode()
    library.espeak_Synth(said, len(said) + 1, 0, 1, 0, UTF8, None, None)
    library.espeak_Synchronize()
    wave = (
        np.concatenate(blocks).astype(np.float32) / np.float32(32768)
        if blocks
        else np.zeros(0, np.float32)
    )
    ends = [time for time, _, _ in marks[1:]] + [len(wave) / rate]
    names, waiting, phonemes = _names(text, words), "", list[Phoneme]()
    for number, ((start, sign, first), end) in enumerate(zip(marks, ends, strict=True)):
        waiting = names.get(number, waiting)
        if end > start:  # German words before a vowel begin with a mark that takes no time
            word = waiting if sign else ""
            phonemes.append(Phoneme(start=start, end=end, ipa=sign, begins_word=first, word=word))
            waiting = "" if sign else waiting
    return np.asarray(wave, np.float32), rate, phonemes


def _names(text: str, places: dict[int, int]) -> dict[int, str]:
    """What is written from one word to the next: some are said as one ("of the"), and named so."""
    ends = [*list(places.values())[1:], len(text)]
    return {
        mark: text[max(place, 0) : end].strip(BETWEEN) or text[max(place, 0) :].split(" ")[0]
        for (mark, place), end in zip(places.items(), ends, strict=True)
    }
