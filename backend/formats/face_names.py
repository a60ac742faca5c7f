"""Which of a mesh's shape keys does what: names of ARKit, Oculus, VRM, MPFB, Preston Blair and free
ones, told apart. Standard library.
"""

import re
from dataclasses import dataclass

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
SYNONYMS = {  # what people call things, without sign or case -> curves
    "mouthopen": ("jawOpen",),
    "openmouth": ("jawOpen",),
    "open": ("jawOpen",),
    "jawdrop": ("jawOpen",),
    "jaw": ("jawOpen",),
    "blink": ("eyeBlink",),
    "eyesclosed": ("eyeBlink",),
    "eyeclose": ("eyeBlink",),
    "eyeclosed": ("eyeBlink",),
    "close": ("eyeBlink",),
    "smile": ("mouthSmile",),
    "frown": ("mouthFrown",),
    "pucker": ("mouthPucker",),
    "kiss": ("mouthPucker",),
    "funnel": ("mouthFunnel",),
    "sneer": ("noseSneer",),
    "puff": ("cheekPuff",),
    "browsup": ("browInnerUp",),
    "browup": ("browOuterUp",),
    "browsdown": ("browDown",),
    "tongue": ("tongueOut",),
    "squint": ("eyeSquint",),
    "wide": ("eyeWide",),
}
VISEME_WORDS = {  # Oculus; VRM and VRoid; Preston Blair; Rhubarb
    "sil": "sil", "pp": "PP", "ff": "FF", "th": "TH", "dd": "DD", "kk": "kk", "ch": "CH",
    "ss": "SS", "nn": "nn", "rr": "RR",
    "aa": "aa", "ih": "ih", "oh": "oh", "ou": "ou", "e": "E", "ee": "E", "a": "aa", "i": "ih",
    "o": "oh", "u": "ou", "あ": "aa", "い": "ih",
    "う": "ou", "え": "E", "お": "oh", "mbp": "PP", "fv": "FF", "ai": "aa", "wq": "ou", "l": "nn",
    "cdgknrsthyz": "DD",
}  # fmt: skip

LIPS, FEW = ("jaw", "mouth"), 3  # visemes that make a set; shapes of lips and jaw that do


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
    known = [match for key in keys for match in _arkit(key)]
    sided = {match.curve for match in known if match.gain == 1}
    known = [
        match for match in known if match.gain == 1 or match.curve not in sided
    ]  # a key for both sides beside one for each
    visemes = [Match(f"viseme_{viseme}", key) for key in keys if (viseme := _viseme(key))]
    lips = {match.curve for match in known if match.curve.startswith(LIPS)}
    if len(visemes) >= FEW and not ("jawOpen" in lips and len(lips) > FEW):
        return [match for match in known if match.curve not in lips] + visemes
    return known if lips else known + visemes


def _arkit(key: str) -> list[Match]:
    base, side = _split(key)
    if base == "close" and re.search("mth|mouth", key, re.I):  # VRoid's narrow mouth, not its lids
        return []
    for shape in BLENDSHAPES:
        own, own_side = _split(shape)
        if own in ("jaw", "mouth") and not side:  # to go left is no half of anything
            continue
        if base != own and own not in {s.lower() for s in SYNONYMS.get(base, ())}:
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
