"""The action units of Ekman's and Friesen's Facial Action Coding System as names of shape keys:
`AU26`, `au_12_L`, `AU01_InnerBrowRaiser`. Standard library only.
"""

import re

from .arkit import BLENDSHAPES, mirrored

UNITS: dict[int, tuple[str, ...]] = {  # curves without a side are of both
    1: ("browInnerUp",), 2: ("browOuterUp",), 4: ("browDown",), 5: ("eyeWide",),
    6: ("cheekSquint",), 7: ("eyeSquint",), 8: ("mouthClose",), 9: ("noseSneer",),
    10: ("mouthUpperUp",), 12: ("mouthSmile",), 14: ("mouthDimple",), 15: ("mouthFrown",),
    16: ("mouthLowerDown",), 17: ("mouthShrugLower",), 18: ("mouthPucker",), 19: ("tongueOut",),
    20: ("mouthStretch",), 22: ("mouthFunnel",), 24: ("mouthPress",), 26: ("jawOpen",),
    27: ("jawOpen",), 28: ("mouthRollLower", "mouthRollUpper"), 29: ("jawForward",),
    33: ("cheekPuff",), 34: ("cheekPuff",), 43: ("eyeBlink",), 44: ("eyeSquint",),
    45: ("eyeBlink",), 46: ("eyeBlink",), 61: ("eyeLookOutLeft", "eyeLookInRight"),
    62: ("eyeLookInLeft", "eyeLookOutRight"), 63: ("eyeLookUp",), 64: ("eyeLookDown",),
}  # fmt: skip
# units that do the same as another, and less well: that of the wide mouth, of closed eyes, the
# wink, the squint, the blow
BETTER = {27: 26, 43: 45, 46: 45, 44: 7, 33: 34}
SIDE = r"(l|r|left|right)"
# combinations (AU1+2, AU6_12, AU6_AU12) are correctives and no units
NAME = re.compile(
    rf"^(?!.*AU[_ .-]?\d.*AU[_ .-]?\d)(?:.*[_ .:-])?(?:{SIDE}[_ .-]?)?AU[_ .-]?0*(\d{{1,2}})"
    rf"(?:[_ .-]?{SIDE})?(?:[_ .:-]+(?!\d|AU)[a-z][a-z _.-]*?)?(?:[_ .-]{SIDE})?$",
    re.I,
)


def unit_of(key: str) -> int:
    """The number of a shape key's action unit; 0 where its name is that of none."""
    match = NAME.match(key)
    return int(match[2]) if match else 0


def curves_of(key: str) -> tuple[str, ...] | None:
    """ARKit's curves of a shape key, without a side where they are of both; () for a unit that
    ARKit has nothing like, None for other names.
    """
    match = NAME.match(key)
    if not match:
        return None
    unit, side = int(match[2]), next(filter(None, (match[1], match[3], match[4])), "").lower()[:1]
    if unit == 30 and side:  # the jaw to a side
        return ("jawLeft",) if side == "l" else ("jawRight",)
    named = UNITS.get(unit, ())
    if not side:
        return named
    return tuple(curve for name in named if (curve := _of_side(name, side)))


def _of_side(name: str, side: str) -> str:
    """A curve's own side; "" of one that is of the other."""
    if name in BLENDSHAPES and mirrored(name) == name:
        return name
    wanted = "Left" if side == "l" else "Right"
    if name in BLENDSHAPES:
        return name if name.endswith(wanted) else ""
    return f"{name}{wanted}"


def is_spare(key: str, keys: list[str]) -> bool:
    """Whether another of the keys is the unit that does the same better."""
    better = BETTER.get(unit_of(key), 0)
    return bool(better) and any(unit_of(other) == better for other in keys)
