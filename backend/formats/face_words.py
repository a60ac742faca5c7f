"""What programs call the shapes of ARKit's face: Reallusion CC3 and CC4, MetaHuman, Daz, MB-Lab,
MMD, and people. Standard library only.
"""

import re
import unicodedata
from collections import Counter

from . import facs
from .arkit import BLENDSHAPES, mirrored

# what programs put before a name: a mesh, a rig, a kind of control
WRAPPED = re.compile(
    r"^(?:.*__)?(?:[AT]\d\d_)?(?:ctrl_expressions_|expressions_|facs_(?:bs|jnt|ctrl|cbs)_|e?CTRL(?=[A-Zv])|phm(?=[A-Z]))?"
)
SYNONYMS = {  # what people call things, without sign or case -> curves
    "mouthopen": ("jawOpen",),
    "openmouth": ("jawOpen",),
    "open": ("jawOpen",),
    "jawdrop": ("jawOpen",),
    "jaw": ("jawOpen",),
    "blink": ("eyeBlink",),
    "eyesblink": ("eyeBlink",),
    "eyesclosed": ("eyeBlink",),
    "eyeclose": ("eyeBlink",),
    "eyeclosed": ("eyeBlink",),
    "close": ("eyeBlink",),
    "eyeswide": ("eyeWide",),
    "eyewiden": ("eyeWide",),
    "smile": ("mouthSmile",),
    "frown": ("mouthFrown",),
    "pucker": ("mouthPucker",),
    "lipspucker": ("mouthPucker",),
    "kiss": ("mouthPucker",),
    "funnel": ("mouthFunnel",),
    "sneer": ("noseSneer",),
    "nosewrinkle": ("noseSneer",),
    "puff": ("cheekPuff",),
    "browsup": ("browInnerUp",),
    "browup": ("browOuterUp",),
    "browsdown": ("browDown",),
    "tongue": ("tongueOut",),
    "squint": ("eyeSquint",),
    "wide": ("eyeWide",),
}
# Of programs, for the left side of the face or for none: MetaHuman names upper and lower lip, left
# and right, u, d, l and r
SIDED = {
    "browraiseinnerl": "browInnerUp", "browraiseouterl": "browOuterUpLeft",
    "browdropl": "browDownLeft", "cheekraisel": "cheekSquintLeft",
    "mouthdownlowerl": "mouthLowerDownLeft", "mouthupupperl": "mouthUpperUpLeft",
    "mouthfunnelupl": "mouthFunnel", "mouthfunneldownl": "mouthFunnel",
    "mouthpuckerupl": "mouthPucker", "mouthpuckerdownl": "mouthPucker",
    "mouthrollinupperl": "mouthRollUpper", "mouthrollinlowerl": "mouthRollLower",
    "eyellookup": "eyeLookUpLeft", "eyellookdown": "eyeLookDownLeft",
    "eyellookl": "eyeLookOutLeft", "eyellookr": "eyeLookInLeft",
    "browraiseinl": "browInnerUp", "eyesquintinnerl": "eyeSquintLeft",
    "eyecheekraisel": "cheekSquintLeft", "nosewrinklel": "noseSneerLeft",
    "mouthcornerpulll": "mouthSmileLeft", "mouthcornerdepressl": "mouthFrownLeft",
    "mouthupperlipraisel": "mouthUpperUpLeft", "mouthlowerlipdepressl": "mouthLowerDownLeft",
    "mouthlipspurseul": "mouthPucker", "mouthlipspursedl": "mouthPucker",
    "mouthfunnelul": "mouthFunnel", "mouthfunneldl": "mouthFunnel",
    "mouthpressul": "mouthPressLeft", "mouthpressdl": "mouthPressLeft",
    "mouthlipstogetherul": "mouthClose", "mouthlipstogetherdl": "mouthClose",
    "mouthupperliprollinl": "mouthRollUpper", "mouthlowerliprollinl": "mouthRollLower",
    "jawchinraiseul": "mouthShrugUpper", "jawchinraisedl": "mouthShrugLower",
    "mouthcheekblowl": "cheekPuff", "eyelookleftl": "eyeLookOutLeft",
    "eyelookrightl": "eyeLookInLeft", "browinnerupdownl": "browInnerUp",
    "browouterupdownl": "browOuterUpLeft",
}  # fmt: skip
WHOLE = {"jawfwd": "jawForward", "browinnerupdown": "browInnerUp", "mouthcheekblow": "cheekPuff"}
MB_LAB = {  # each is one end of a slider, so that its name says more than the word
    "mouthOpen_max": "jawOpen", "jawOut_max": "jawForward", "tongueOut_max": "tongueOut",
    "eyeClosedL_max": "eyeBlinkLeft", "eyeClosedR_max": "eyeBlinkRight",
    "eyeClosedL_min": "eyeWideLeft", "eyeClosedR_min": "eyeWideRight",
    "eyeSquintL_max": "eyeSquintLeft", "eyeSquintR_max": "eyeSquintRight",
    "mouthSmileL_max": "mouthSmileLeft", "mouthSmileR_max": "mouthSmileRight",
    "mouthSmile_max": "mouthSmile", "mouthOpenO_max": "mouthFunnel",
    "mouthInflated_max": "cheekPuff", "mouthLowerOut_min": "mouthRollLower",
    "cheekSneerL_max": "noseSneerLeft", "cheekSneerR_max": "noseSneerRight",
    "browsMidVert_max": "browInnerUp", "browSqueezeL_max": "browDownLeft",
    "browSqueezeR_max": "browDownRight", "browOutVertL_max": "browOuterUpLeft",
    "browOutVertR_max": "browOuterUpRight",
}  # fmt: skip
MMD = {
    "まばたき": "eyeBlink", "瞬き": "eyeBlink", "ウィンク": "eyeBlinkLeft",
    "ウインク": "eyeBlinkLeft", "ウィンク2": "eyeBlinkLeft", "ウインク2": "eyeBlinkLeft",
    "ウィンク右": "eyeBlinkRight", "ウインク右": "eyeBlinkRight", "ウィンク2右": "eyeBlinkRight",
    "ウインク2右": "eyeBlinkRight", "びっくり": "eyeWide", "口角上げ": "mouthSmile",
    "口角下げ": "mouthFrown", "困る": "browInnerUp", "怒り": "browDown", "ぺろっ": "tongueOut",
}  # fmt: skip
COPY = re.compile(r"\.[0-9]{3}$")
NODE = re.compile(r"^(?:.*[|:])?\w*(?:blend_?shapes?|bs|morpher|morphs?|shapes)_?[0-9]*\.", re.I)
MB_LAB_NAME = re.compile(r"^(?:.*__)?expressions_(\w+_(?:max|min))$", re.I)


def bare_names(keys: list[str]) -> list[str]:
    """Names without the number that Blender gives copies (`.001`) and without the node that Maya
    and its exporters put before them (`blendShape1.`), where that makes no two alike.
    """
    bare = [NODE.sub("", COPY.sub("", key)) or key for key in keys]
    counts = Counter((*bare, *(k for k, b in zip(keys, bare, strict=True) if k != b)))
    return [b if counts[b] == 1 else k for k, b in zip(keys, bare, strict=True)]


def unwrapped(key: str) -> str:
    """A name without what Daz, MetaHuman and exporters put around it."""
    bare = WRAPPED.sub("", key, count=1)
    lower = re.sub(r"^(?:ctrl_expressions_|expressions_)", "", bare, flags=re.I)
    return re.sub(r"_div2$", "", lower) or key


def named_by_programs(key: str) -> tuple[str, ...] | None:
    """Curves of a shape key whose name is one of a program's own; () where it is known to do
    nothing that ARKit has, None where the name is not known. A curve without a side is of both.
    """
    mb_lab = MB_LAB_NAME.match(key)
    if mb_lab:
        curve = {k.lower(): v for k, v in MB_LAB.items()}.get(mb_lab[1].lower())
        return (curve,) if curve else ()
    if (units := facs.curves_of(key)) is not None:
        return units
    normal = unicodedata.normalize("NFKC", key)
    if normal in MMD:
        return (MMD[normal],)
    plain = re.sub(r"[^a-z0-9]", "", unwrapped(key).lower())
    if plain in WHOLE:
        return (WHOLE[plain],)
    curve = SIDED.get(plain) or _other_side(plain)
    return (curve,) if curve else None


def _other_side(plain: str) -> str | None:
    """A name of the right side, by what the left one does."""
    if re.match(r"eyerlook", plain):  # CC4: the eye first, then where it looks
        across = {"l": "r", "r": "l"}.get(plain[8:], plain[8:])
        left = SIDED.get(f"eyellook{across}")
    elif re.match(r"eyelook(left|right)r$", plain):
        left = SIDED.get("eyelookrightl" if "left" in plain else "eyelookleftl")
    else:
        left = SIDED.get(f"{plain[:-1]}l") if plain.endswith("r") else None
    return mirrored(left) if left else None


def both_sides(curve: str) -> tuple[str, ...]:
    """ARKit's own names of a curve, which may be without its side."""
    if curve in BLENDSHAPES:
        return (curve,)
    return tuple(name for name in (f"{curve}Left", f"{curve}Right") if name in BLENDSHAPES)


def is_spare(key: str, keys: list[str]) -> bool:
    """Whether another of the keys does the same better: a plainer action unit; MMD's blink of both
    lids, else its second wink, which does not smile.
    """
    if facs.is_spare(key, keys):
        return True
    normal = unicodedata.normalize("NFKC", key)
    others = {unicodedata.normalize("NFKC", other) for other in keys}
    if not re.match("ウ[ィイ]ンク", normal):
        return False
    if others & {"まばたき", "瞬き"}:
        return True
    return "2" not in normal and normal.replace("ンク", "ンク2") in others
