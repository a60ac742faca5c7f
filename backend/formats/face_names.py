"""Which of a mesh's shape keys does what: names of ARKit, Oculus, VRM, MPFB, of many programs
(face_words.py, face_schemes.py) and free ones. The whole set decides, not each name alone. Standard
library.
"""

import re
from dataclasses import dataclass, replace

from . import face_schemes, face_words
from .arkit import BLENDSHAPES, mirrored

VISEME_CURVES = tuple(
    f"viseme_{name}"
    for name in (
        "sil",
        "PP",
        "FF",
        "TH",
        "DD",
        "kk",
        "CH",
        "SS",
        "nn",
        "RR",
        "aa",
        "E",
        "ih",
        "oh",
        "ou",
    )
)
PREFIXES = re.compile(
    r"^(.*\.)?(arkit|blendshapes?|shape|face|facial|cc|genesis\d*|head|fcl|mth|exp|expr|morph|key|"
    r"vrc|vrm|v|viseme)[_ .:-]+",
    re.I,
)
SIDES = re.compile(r"(?:[_ .-](?i:(left|right|l|r))|(?i:(left|right))|(?<=[a-z0-9])([LR]))$")
VISEME_WORDS = {  # Oculus; VRM and VRoid; MMD; Preston Blair
    "sil": "sil", "pp": "PP", "ff": "FF", "th": "TH", "dd": "DD", "kk": "kk", "ch": "CH",
    "ss": "SS", "nn": "nn", "rr": "RR",
    "aa": "aa", "ih": "ih", "oh": "oh", "ou": "ou", "e": "E", "ee": "E", "a": "aa", "i": "ih",
    "o": "oh", "u": "ou", "あ": "aa", "い": "ih",
    "う": "ou", "え": "E", "お": "oh", "ん": "nn", "mbp": "PP", "fv": "FF", "ai": "aa", "wq": "ou",
    "l": "nn", "cdgknrsthyz": "DD",
}  # fmt: skip

LIPS, FEW = ("jaw", "mouth"), 3  # visemes that make a set; shapes of lips and jaw that do
MOODS = ("mouthSmile", "mouthFrown", "mouthDimple", "mouthLeft", "mouthRight")  # no sound's shapes


@dataclass(frozen=True)
class Match:
    """A curve of a motion that moves a shape key, `gain` times as far."""

    curve: str
    key: str
    gain: float = 1.0


def matches(keys: list[str]) -> list[Match]:
    """For a mesh's shape keys, in their order. A mouth speaks by ARKit's shapes where it has them,
    else by visemes, never by both.
    """
    names = face_words.bare_names(keys)
    key_of = dict(zip(names, keys, strict=True))
    return [replace(match, key=key_of[match.key]) for match in _of_bare(names)]


def _of_bare(keys: list[str]) -> list[Match]:
    spoken = face_schemes.spoken_set({key: face_words.unwrapped(key) for key in keys})
    taken = spoken.keys if spoken else frozenset()
    known = [match for key in keys if key not in taken for match in _known(key, keys)]
    sided = {match.curve for match in known if match.gain == 1}
    known = [
        match for match in known if match.gain == 1 or match.curve not in sided
    ]  # a key for both sides beside one for each
    if spoken:
        moves = sorted(spoken.moves, key=lambda move: (keys.index(move[1]), -move[2]))
        visemes = [Match(f"viseme_{viseme}", key, share) for viseme, key, share in moves]
    else:
        visemes = [Match(f"viseme_{viseme}", key) for key in keys if (viseme := _viseme(key))]
    lips = {match.curve for match in known if match.curve.startswith(LIPS)}
    speaking = {curve for curve in lips if not curve.startswith(MOODS)}
    many = len({match.key for match in visemes}) >= FEW
    if many and not ("jawOpen" in lips and len(speaking) > FEW):
        return [match for match in known if match.curve not in lips] + visemes
    return known if lips else known + visemes


def _known(key: str, keys: list[str]) -> list[Match]:
    """By a program's own name for it, else by ARKit's or people's."""
    curves = face_words.named_by_programs(key)
    if curves is None:
        return _arkit(face_words.unwrapped(key), key)
    if curves and face_words.is_spare(key, keys):
        return []
    named = [name for curve in curves for name in face_words.both_sides(curve)]
    halves = len(named) > 1
    return [Match(name, key, 0.5 if halves else 1.0) for name in named]


def _arkit(name: str, key: str) -> list[Match]:
    base, side = _split(name)
    if base == "close" and re.search("mth|mouth", key, re.I):  # VRoid's narrow mouth, not its lids
        return []
    for shape in BLENDSHAPES:
        own, own_side = _split(shape)
        if own in ("jaw", "mouth") and not side:  # to go left is no half of anything
            continue
        if base != own and own not in {s.lower() for s in face_words.SYNONYMS.get(base, ())}:
            continue
        if own_side == side:
            return [Match(shape, key)]
        if own_side == "left" and not side:  # one key for both sides
            return [Match(shape, key, 0.5), Match(mirrored(shape), key, 0.5)]
        if not own_side and side:  # two keys for what ARKit has once: browInnerUp, cheekPuff
            return [Match(shape, key)]
    return []


def _viseme(key: str) -> str:
    stripped = key
    while (shorter := PREFIXES.sub("", stripped)) != stripped:
        stripped = shorter
    return VISEME_WORDS.get(stripped.lower().strip("_ .-"), "")


def _split(name: str) -> tuple[str, str]:
    """Without prefixes, signs and case; and the side, if it names one."""
    stripped = name
    while (shorter := PREFIXES.sub("", stripped)) != stripped and shorter:
        stripped = shorter
    side = SIDES.search(stripped)
    base = stripped[: side.start()] if side and side.start() else stripped
    word = next(filter(None, side.groups())).lower() if side and side.start() else ""
    return re.sub(r"[^a-z0-9]", "", base.lower()), {"l": "left", "r": "right"}.get(word, word)
