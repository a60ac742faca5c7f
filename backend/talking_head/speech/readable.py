"""Text as espeak can read it. What it would only name ("Chinese letter") is refused."""

import re
import unicodedata

from ...protocol import InputError
from .kanji import in_kana

# scripts that espeak reads in a language, by the first word of their letters' Unicode names; Latin
# letters, which it reads as English, go everywhere but in Japanese and Burmese: there it spells
SCRIPTS = {
    "ja": ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
    **dict.fromkeys(("cmn", "yue", "hak"), ("CJK", "IDEOGRAPHIC", "BOPOMOFO")),
    "ko": ("HANGUL",),
    **dict.fromkeys(
        ("ru", "uk", "be", "bg", "mk", "sr", "kk", "ky", "tt", "ba", "cv", "tk", "uz"),
        ("CYRILLIC",),
    ),
    **dict.fromkeys(("el", "grc"), ("GREEK",)),
    **dict.fromkeys(("ar", "fa", "ur", "ug", "sd", "ps", "ku"), ("ARABIC",)),
    **dict.fromkeys(("hi", "mr", "ne", "kok"), ("DEVANAGARI",)),
    **dict.fromkeys(("bn", "as", "bpy"), ("BENGALI",)),
    "pa": ("GURMUKHI",), "gu": ("GUJARATI",), "or": ("ORIYA",), "ta": ("TAMIL",),
    "te": ("TELUGU",), "kn": ("KANNADA",), "ml": ("MALAYALAM",), "si": ("SINHALA",),
    "th": ("THAI",), "my": ("MYANMAR",), "ka": ("GEORGIAN",), "hy": ("ARMENIAN",),
    "hyw": ("ARMENIAN",), "he": ("HEBREW",), "am": ("ETHIOPIC",), "chr": ("CHEROKEE",),
}  # fmt: skip
SPELLS = ("ja", "my")
ALIASES = {"zh": "cmn", "zh-cn": "cmn", "zh-tw": "cmn", "zh-hk": "yue", "jp": "ja"}
CURRENCY = re.compile(r"([$€£¥₽₹₩])\s?(\d+(?:[.,]\d+)*)")
WIDE = re.compile("[\uff01-\uffef]+")  # letters and digits of another width
ADVICE = {
    "ja": "Write it in kana, as it is spoken.",
    "my": "Write it in Burmese letters, as it is spoken.",
}
SHOWN = 12  # letters in a sentence


def language_code(language: str) -> str:
    """As espeak knows it."""
    return ALIASES.get(language.lower(), language)


def base_language(language: str) -> str:
    """Without a region or a variant."""
    return language_code(language).split("+")[0].split("-")[0]


def readable(text: str, language: str) -> tuple[str, list[str]]:
    """The text as it is read: digits and letters of any width, "$20" as "20 $", kanji in
    kana; and the pictures
    (emoji) that were left out. InputError for letters that the language's voice can't read.
    """
    usual = WIDE.sub(lambda run: unicodedata.normalize("NFKC", run.group()), text)
    plain = CURRENCY.sub(r"\2 \1", usual)
    pictures = [c for c in plain if _is_picture(c)]
    plain = "".join(" " if _is_picture(c) else c for c in plain)
    base = base_language(language)
    plain = in_kana(plain) if base == "ja" else plain
    strange = list(dict.fromkeys(_strange(plain, base)))
    if strange:
        shown = " ".join(strange[:SHOWN]) + (" …" if len(strange) > SHOWN else "")
        raise InputError(
            f"The voice for {language} can't read {shown}.",
            ADVICE.get(base, "Write it as it is spoken, or choose the text's language."),
        )
    return plain, pictures


def _is_picture(sign: str) -> bool:
    return unicodedata.category(sign) in ("So", "Sk", "Cs", "Co", "Cn") and sign not in "°"


def _strange(text: str, base: str) -> list[str]:
    """Words that are spelled where they should be read, and letters of other scripts."""
    own = SCRIPTS.get(base, ())
    strange = re.findall(r"[a-z]{2,}\w*|[A-Z][a-z]\w*", text) if base in SPELLS else []
    for sign in text:
        if sign.isalpha() and ord(sign) > 127:
            script = unicodedata.name(sign, "?").split(" ")[0].split("-UNIFIED")[0]
            if not (script in own or _is_general(script)):
                strange.append(sign)
    return strange


def _is_general(script: str) -> bool:
    return script in ("LATIN", "MODIFIER", "FEMININE", "MASCULINE", "MICRO", "SUPERSCRIPT")
