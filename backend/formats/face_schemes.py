"""How programs name the shapes of a speaking mouth, set by set: Reallusion, Daz, Rhubarb, Preston
Blair, Microsoft. What a name means depends on the set that it is in. Standard library only.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

Shares = dict[str, float]  # names of a set, and how far each goes


@dataclass(frozen=True)
class Scheme:
    """For each viseme, by Oculus' names, the shapes that make it: the first of its ways that the
    mesh has. `signs` are names that only this set has, and `enough` of them tell it.
    """

    visemes: dict[str, tuple[Shares, ...]]
    signs: frozenset[str]
    enough: int

    @property
    def names(self) -> set[str]:
        """All that belong to it."""
        return {n for ways in self.visemes.values() for way in ways for n in way} | self.signs


REALLUSION = Scheme(
    {
        "sil": ({"none": 1.0},),
        "PP": ({"explosive": 1.0},),
        "FF": ({"dentallip": 1.0},),
        "TH": ({"tongueout": 1.0, "lipopen": 0.5}, {"lipopen": 0.5, "open": 0.2}),
        "DD": ({"tongueup": 0.8, "lipopen": 0.5}, {"lipopen": 0.5}),
        "kk": ({"tongueraise": 0.8, "lipopen": 0.5}, {"lipopen": 0.5}),
        "CH": ({"affricate": 1.0},),
        "SS": ({"wide": 0.4, "lipopen": 0.4}, {"tight": 0.3}),
        "nn": ({"tongueup": 0.8, "lipopen": 0.4}, {"lipopen": 0.4}),
        "RR": ({"tonguecurlu": 0.7, "tighto": 0.4, "lipopen": 0.3}, {"tighto": 0.4}),
        "aa": ({"open": 1.0},),
        "E": ({"wide": 0.8, "open": 0.5},),
        "ih": ({"wide": 0.7, "open": 0.25},),
        "oh": ({"tighto": 0.7, "open": 0.6},),
        "ou": ({"tighto": 1.0, "open": 0.25}, {"tight": 0.7}),
    },
    frozenset(
        (
            *("explosive", "dentallip", "tighto", "affricate", "lipopen", "tongueraise"),
            *("tonguecurlu", "tonguecurld", "tonguenarrow", "tonguelower"),
        )
    ),
    2,
)
REALLUSION_PAIRS = Scheme(  # CC3 and CC4, one shape a viseme
    {
        "PP": ({"bmp": 1.0},),
        "FF": ({"fv": 1.0},),
        "TH": ({"th": 1.0},),
        "DD": ({"tldn": 1.0},),
        "kk": ({"kghng": 1.0},),
        "CH": ({"chj": 1.0},),
        "SS": ({"sz": 1.0},),
        "nn": ({"tldn": 1.0},),
        "RR": ({"r": 1.0}, {"er": 1.0}),
        "aa": ({"ah": 1.0},),
        "E": ({"ae": 1.0}, {"ee": 0.7}),
        "ih": ({"ih": 1.0}, {"ee": 0.7}),
        "oh": ({"oh": 1.0},),
        "ou": ({"woo": 1.0},),
    },
    frozenset(("bmp", "tldn", "kghng", "chj", "woo", "sz")),
    2,
)
DAZ = Scheme(
    {
        "PP": ({"vm": 1.0},),
        "FF": ({"vf": 1.0},),
        "TH": ({"vth": 1.0}, {"vl": 0.7}),
        "DD": ({"vt": 1.0}, {"vl": 0.7}),
        "kk": ({"vk": 1.0},),
        "CH": ({"vsh": 1.0}, {"vs": 0.8}),
        "SS": ({"vs": 1.0},),
        "nn": ({"vl": 1.0}, {"vt": 0.8}),
        "RR": ({"ver": 1.0},),
        "aa": ({"vaa": 1.0},),
        "E": ({"veh": 1.0},),
        "ih": ({"vih": 1.0}, {"viy": 0.8}, {"vee": 0.8}),
        "oh": ({"vow": 1.0},),
        "ou": ({"vuw": 1.0}, {"vw": 1.0}),
    },
    frozenset(
        (
            *("vaa", "vee", "veh", "ver", "vf", "vih", "viy", "vk", "vl", "vm", "vow", "vs", "vsh"),
            *("vt", "vth", "vuw", "vw"),
        )
    ),
    1,
)
DAZ_SPELLED = replace(  # "Viseme AA": some sounds are Oculus' too, these are not
    DAZ, signs=frozenset(("viy", "vow", "vuw", "veh", "ver", "vee", "vw")), enough=2
)
RHUBARB = Scheme(
    {
        "sil": ({"x": 1.0},),
        "PP": ({"a": 1.0},),
        "FF": ({"g": 1.0}, {"a": 0.5, "b": 0.3}),
        "TH": ({"h": 0.7}, {"b": 1.0}),
        "DD": ({"b": 1.0},),
        "kk": ({"b": 1.0},),
        "CH": ({"b": 1.0},),
        "SS": ({"b": 1.0},),
        "nn": ({"h": 0.7}, {"b": 1.0}),
        "RR": ({"e": 0.7}, {"b": 1.0}),
        "aa": ({"d": 1.0},),
        "E": ({"c": 1.0},),
        "ih": ({"b": 1.0},),
        "oh": ({"e": 1.0},),
        "ou": ({"f": 1.0},),
    },
    frozenset("bcd"),
    3,
)
BLAIR = Scheme(  # Preston Blair's, as Papagayo and Adobe write them
    {
        "sil": ({"rest": 1.0},),
        "PP": ({"mbp": 1.0},),
        "FF": ({"fv": 1.0},),
        "TH": ({"cdgknrsthyz": 1.0}, {"etc": 1.0}, {"l": 0.7}),
        "DD": ({"cdgknrsthyz": 1.0}, {"etc": 1.0}),
        "kk": ({"cdgknrsthyz": 1.0}, {"etc": 1.0}),
        "CH": ({"cdgknrsthyz": 1.0}, {"etc": 1.0}),
        "SS": ({"cdgknrsthyz": 1.0}, {"etc": 1.0}),
        "nn": ({"l": 1.0}, {"cdgknrsthyz": 1.0}, {"etc": 1.0}),
        "RR": ({"cdgknrsthyz": 1.0}, {"etc": 1.0}),
        "aa": ({"ai": 1.0}, {"a": 1.0}),
        "E": ({"e": 1.0},),
        "ih": ({"e": 0.7}, {"i": 1.0}),
        "oh": ({"o": 1.0},),
        "ou": ({"u": 1.0}, {"wq": 1.0}),
    },
    frozenset(("ai", "mbp", "fv", "wq", "cdgknrsthyz")),
    2,
)
MICROSOFT = Scheme(  # SAPI's and Azure's 22, by their numbers
    {
        "sil": ({"0": 1.0},),
        "PP": ({"21": 1.0},),
        "FF": ({"18": 1.0},),
        "TH": ({"17": 1.0},),
        "DD": ({"19": 1.0},),
        "kk": ({"20": 1.0},),
        "CH": ({"16": 1.0},),
        "SS": ({"15": 1.0},),
        "nn": ({"19": 1.0}, {"14": 1.0}),
        "RR": ({"13": 1.0}, {"5": 1.0}),
        "aa": ({"2": 1.0}, {"1": 1.0}, {"9": 0.8}, {"11": 0.8}),
        "E": ({"4": 1.0}, {"1": 0.8}),
        "ih": ({"6": 1.0},),
        "oh": ({"8": 1.0}, {"3": 1.0}, {"10": 0.8}),
        "ou": ({"7": 1.0},),
    },
    frozenset(("12", "21")),
    1,
)
MOST = 21  # the last of them: other sets that are numbered end elsewhere
MOUTH = re.compile(
    r"^(?:mouth|lips|lip_?sync|rhubarb|phonemes?|visemes?|phon|mth|shapes?|keys?|v)[_ .:-]+", re.I
)
LETTER = re.compile(r"^(.*?)[_ .:-]?([A-HX])$", re.I)
LETTER_FIRST = re.compile(r"^(?:(.*)[_ .:-])?([A-HX])[_ .:-]+(.+)$", re.I)  # A_mouth
NUMBERED = re.compile(
    r"^(?:.*[_ .:-])?(?:azure|ms|sapi)?(?:viseme|svp)s?[_ .:-]*(?:id)?[_ .:-]*0*(\d{1,2})$", re.I
)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _words(names: dict[str, str]) -> dict[str, str]:
    """Names of a set by themselves, or after what says that they are of a mouth."""
    return {key: _plain(MOUTH.sub("", name)) for key, name in names.items()}


def _prefixed(names: dict[str, str]) -> dict[str, str]:
    """Those that begin with Reallusion's V_, which is never an eye's."""
    marked = {key: name for key, name in names.items() if re.match(r"v[_ .-]", name, re.I)}
    return {key: _plain(name[2:]) for key, name in marked.items()}


def _daz(names: dict[str, str]) -> dict[str, str]:
    """A small v and a sound in capitals, after whatever Daz puts before it."""
    endings = {key: re.search(r"(?:^|[^a-z])(v[A-Z]{1,2})$", name) for key, name in names.items()}
    return {key: match[1].lower() for key, match in endings.items() if match}


def _daz_spelled(names: dict[str, str]) -> dict[str, str]:
    """The same after the word."""
    endings = {key: re.search(r"viseme[ _.-]?([A-Z]{1,2})$", n, re.I) for key, n in names.items()}
    return {key: f"v{match[1].lower()}" for key, match in endings.items() if match}


def _letters(names: dict[str, str]) -> dict[str, str]:
    """The largest set of single letters that begin, or go on, alike."""
    sets: dict[str, dict[str, str]] = defaultdict(dict)
    for key, name in names.items():
        match = LETTER.match(name)
        if match and (not match[1] or not match[1][-1].isalpha() or name[-1].isupper()):
            sets[match[1].lower()][key] = match[2].lower()
        elif match := LETTER_FIRST.match(name):
            sets[f"{match[1] or ''} {match[3]}".lower()][key] = match[2].lower()
    return max(sets.values(), key=len, default={})


def _numbered(names: dict[str, str]) -> dict[str, str]:
    """Visemes by their numbers, where the last one is Microsoft's and half of them are there."""
    endings = {key: NUMBERED.match(name) for key, name in names.items()}
    numbers = {key: int(match[1]) for key, match in endings.items() if match}
    if max(numbers.values(), default=0) != MOST or len(set(numbers.values())) <= MOST // 2:
        return {}
    return {key: str(number) for key, number in numbers.items()}


TELLING = frozenset(("explosive", "dentallip", "affricate"))  # Reallusion's, and nobody else's
# how its names are read -> the set, and how many of which names tell it; the first that is told
READINGS: tuple[
    tuple[Callable[[dict[str, str]], dict[str, str]], Scheme, frozenset[str], int], ...
] = (
    (_prefixed, REALLUSION, frozenset(REALLUSION.names), 1),
    (_words, REALLUSION, TELLING, 1),
    (_words, REALLUSION, REALLUSION.signs, REALLUSION.enough),
    (_words, REALLUSION_PAIRS, REALLUSION_PAIRS.signs, REALLUSION_PAIRS.enough),
    (_daz, DAZ, frozenset(DAZ.names), DAZ.enough),
    (_daz_spelled, DAZ_SPELLED, DAZ_SPELLED.signs, DAZ_SPELLED.enough),
    (_letters, RHUBARB, RHUBARB.signs, RHUBARB.enough),
    (_words, BLAIR, BLAIR.signs, BLAIR.enough),
    (_numbered, MICROSOFT, MICROSOFT.signs, MICROSOFT.enough),
)


@dataclass(frozen=True)
class SpokenSet:
    """Keys of a mesh that are one set of a mouth's shapes, and what each does: viseme, key, how
    far.
    """

    keys: frozenset[str]
    moves: tuple[tuple[str, str, float], ...]


def spoken_set(names: dict[str, str]) -> SpokenSet | None:
    """Of shape keys and their names without prefixes of programs; None where they are of no set
    that is known here.
    """
    for read, scheme, signs, enough in READINGS:
        words = {key: word for key, word in read(names).items() if word in scheme.names}
        if len(signs & set(words.values())) < enough:
            continue
        by_word = {word: key for key, word in reversed(words.items())}
        moves = []
        for viseme, ways in scheme.visemes.items():
            way = next((w for w in ways if next(iter(w)) in by_word), {})
            moves += [(viseme, by_word[w], share) for w, share in way.items() if w in by_word]
        return SpokenSet(frozenset(words), tuple(moves))
    return None
