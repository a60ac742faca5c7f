"""Japanese with kanji: read by a dictionary where it is there, said where it is not."""

import sys

import pytest

from backend.protocol import InputError, SetupError
from backend.talking_head.speech import kanji
from backend.talking_head.speech.kanji import has_kanji, in_kana
from backend.talking_head.speech.readable import readable


def test_without_the_dictionary_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pykakasi", None)
    kanji._reader.cache_clear()
    with pytest.raises(SetupError, match=r"What reads kanji \(pykakasi\) is missing") as error:
        readable("これは漢字です。", "ja")
    assert "in kana" in error.value.advice
    assert readable("ラーメン、きょう", "ja") == ("ラーメン、きょう", [])  # needs none
    assert readable("漢字", "cmn") == ("漢字", [])
    kanji._reader.cache_clear()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("私は東京へ行きます。", "わたし わ とうきょう え いき ます 。"),
        ("彼女は日本語を上手に話す", "かのじょ わ にほんご を じょうず に はなす"),
        ("本です", "ほん です"),
        ("20年前", "20 ねんまえ"),
        ("はは", "はは"),
    ],
)
def test_kanji_are_read(text: str, read: str) -> None:
    pytest.importorskip("pykakasi")
    kanji._reader.cache_clear()
    assert in_kana(text) == read and not has_kanji(read)
    assert readable(text, "ja-JP")[0] == read


def test_what_no_dictionary_reads_is_refused() -> None:
    pytest.importorskip("pykakasi")
    kanji._reader.cache_clear()
    with pytest.raises(InputError, match="can't read"):
        readable("私は한국어を話す", "ja")
