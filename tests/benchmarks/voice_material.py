"""What the rule for speech is found and judged on: recordings of people, espeak in twelve
languages, and music and noises. Half 0 finds, half 1 judges; no recording, language or tune is in
both.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from helpers.voiceless import KINDS, voiceless

from backend.media.sound import read_sound
from backend.talking_head.speech.espeak import speak
from backend.talking_head.speech.synthetic_speech import at_rate
from tests.benchmarks.table import has

LANGUAGES = {
    "en-us": "My baby brother made bubbles by the pool. The number of problems grew before anybody "
    "noticed.",
    "es": "El perro de mi vecino ladra todas las noches. Mañana iremos a la playa con los niños.",
    "it": "Domani mattina andremo al mercato a comprare il pane. Il gatto dorme sulla sedia.",
    "pl": "W Szczebrzeszynie chrząszcz brzmi w trzcinie. Jutro pojedziemy do miasta po chleb.",
    "tr": "Yarın sabah pazara gidip ekmek ve meyve alacağız. Kedi sandalyenin üstünde uyuyor.",
    "ar": "غدا سنذهب إلى السوق لشراء الخبز والفاكهة. القط نائم على الكرسي.",
    "de": "Fünf Bären putzen Pfeffer im Bummelzug. Am Montag kommt bestimmt ein großer Umbau.",
    "cmn": "明天早上我们去市场买面包和水果。猫在椅子上睡觉。",
    "ru": "Завтра утром мы пойдём на рынок за хлебом и фруктами. Кошка спит на стуле.",
    "ja": "あしたのあさ、いちばにパンとくだものをかいにいきます。ねこはいすのうえでねています。",
    "fr": "Bonjour, le petit bébé mange beaucoup de pommes. Il faut remplir la bouteille.",
    "hi": "कल सुबह हम बाज़ार जाकर रोटी और फल खरीदेंगे। बिल्ली कुर्सी पर सो रही है।",
}
VARIANTS = ("", "f2", "m3")
RECORDINGS = (
    "speech_dev/*.wav",
    "mfa_aligned_dev/wav/*",
    "audio_to_blendshapes/*.wav",
    "sadtalker_aoc/*.mp4",
    "videoretalking_1_3/*.mp4",
    "talk_french50/*.mp4",
    "grid_s1_32/s1/*.mpg",
)


@dataclass(frozen=True)
class Heard:
    """A sound, what kind it is of (real, espeak, or none), and whether it finds or judges."""

    kind: str
    name: str
    half: int
    samples: np.ndarray  # (S,)


def recordings() -> Iterator[Heard]:
    """Of people: every other one, in the order of their names, finds."""
    folder = has("talking")
    paths = [] if folder is None else sorted(p for g in RECORDINGS for p in folder.glob(g))
    for number, path in enumerate(paths):
        yield Heard("real", path.stem, number % 2, read_sound(path))


def synthesised() -> Iterator[Heard]:
    """By espeak: six languages find, six others judge."""
    for number, (language, text) in enumerate(LANGUAGES.items()):
        for variant in VARIANTS:
            wave, rate, _ = speak(text, language + (f"+{variant}" if variant else ""), 150, 40)
            yield Heard("espeak", f"{language} {variant}", int(number >= 6), at_rate(wave, rate))


def voiceless_sounds(seeds: range = range(8)) -> Iterator[Heard]:
    """Music and noises: even seeds find, odd ones judge."""
    for kind in KINDS:
        for seed in seeds:
            yield Heard("none", f"{kind} {seed}", seed % 2, voiceless(kind, seed))


def in_noise(samples: np.ndarray, decibels: float = -40.0, seed: int = 1) -> np.ndarray:
    """With white noise of so many dBFS."""
    noise = np.random.default_rng(seed).normal(size=len(samples))
    return np.asarray((samples + 10 ** (decibels / 20) * noise).clip(-1, 1), np.float32)
