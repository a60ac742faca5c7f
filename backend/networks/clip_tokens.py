"""Words as the tokens of CLIP's text encoders: byte pairs (Sennrich et al. 2016) of lower-case
text, by the vocabulary that lies beside the model, as the hub's models have it.
"""

import html
import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..formats.gate import read_bytes
from ..formats.json_file import read_record
from ..formats.limits import MOST_TEXT
from ..geometry.arrays import Ints
from ..protocol import InputError

TOKENIZER, VOCABULARY, MERGES = "tokenizer.json", "vocab.json", "merges.txt"
START, END, WORD_END = "<|startoftext|>", "<|endoftext|>", "</w>"
# letters, one digit, or what is neither; \w takes letters, digits and the underscore
WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")
ADVICE = f"Put the model's {TOKENIZER}, or {VOCABULARY} and {MERGES}, beside it."
# quotation marks, as the texts that CLIP was trained on have them
STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
PRINTED = (*range(33, 127), *range(161, 173), *range(174, 256))  # bytes that stand for themselves


def _letters() -> list[str]:
    """A printable letter for each of the 256 bytes: others take letters from 256 on."""
    others = iter(range(256, 512))
    return [chr(byte) if byte in PRINTED else chr(next(others)) for byte in range(256)]


LETTERS = _letters()


@dataclass(frozen=True)
class ClipTokens:
    """A vocabulary, and which pairs are joined, the first before others."""

    vocabulary: Mapping[str, int]
    ranks: Mapping[tuple[str, str], int]
    known: dict[str, list[int]] = field(default_factory=dict)  # words that came before

    def __call__(self, texts: Sequence[str], length: int) -> Ints:
        """(T, length), filled up with zeros behind END; what is longer is cut."""
        rows = np.zeros((len(texts), length), np.int64)
        for row, text in zip(rows, texts, strict=True):
            text = html.unescape(unicodedata.normalize("NFC", text)).translate(STRAIGHT)
            plain = " ".join(text.lower().split())
            inside = [token for word in WORDS.findall(plain) for token in self._word(word)]
            tokens = [self.vocabulary[START], *inside[: length - 2], self.vocabulary[END]]
            row[: len(tokens)] = tokens
        return rows

    def lengths(self, rows: Ints) -> Ints:
        """(T,) tokens of texts (T, length), END with them."""
        return np.asarray((rows == self.vocabulary[END]).argmax(1) + 1)

    def _word(self, word: str) -> list[int]:
        if word not in self.known:
            parts = self._joined([LETTERS[byte] for byte in word.encode()])
            self.known[word] = [self.vocabulary[part] for part in parts if part in self.vocabulary]
        return self.known[word]

    def _rank(self, pair: tuple[str, str]) -> int:
        return self.ranks.get(pair, len(self.ranks))

    def _joined(self, parts: list[str]) -> list[str]:
        parts[-1] += WORD_END
        while len(parts) > 1:
            pairs = list(itertools.pairwise(parts))
            best = min(pairs, key=self._rank)
            if best not in self.ranks:
                break
            joined: list[str] = []
            for part in parts:  # the same pair may stand there several times
                is_second = joined and (joined[-1], part) == best
                if is_second:
                    joined[-1] += part
                else:
                    joined.append(part)
            parts = joined
        return parts


def read_tokens(folder: Path) -> ClipTokens:
    """The vocabulary in a folder. InputError where there is none, or where it is not CLIP's."""
    if (folder / TOKENIZER).is_file():
        model = read_record(folder / TOKENIZER).get("model")
        model = model if isinstance(model, dict) else {}
        vocabulary, merges = model.get("vocab"), model.get("merges")
    elif (folder / VOCABULARY).is_file() and (folder / MERGES).is_file():
        vocabulary = read_record(folder / VOCABULARY)
        text = read_bytes(folder / MERGES, MOST_TEXT).decode("utf-8", "replace")
        merges = [line for line in text.splitlines() if line and not line.startswith("#version")]
    else:
        raise InputError(f"{folder.name} has no vocabulary for words.", ADVICE)
    pairs = [_pair(merge) for merge in merges] if isinstance(merges, list) else []
    if not isinstance(vocabulary, dict) or not {START, END} <= vocabulary.keys() or not all(pairs):
        raise _foreign(folder)
    if not all(type(number) is int for number in vocabulary.values()):
        raise _foreign(folder)
    return ClipTokens(vocabulary, {pair: rank for rank, pair in enumerate(pairs) if pair})


def _foreign(folder: Path) -> InputError:
    return InputError(f"The vocabulary in {folder.name} is not CLIP's.", ADVICE)


def _pair(merge: Any) -> tuple[str, str] | None:
    """As "a b" or as ["a", "b"], by the age of the file."""
    parts = merge.split() if isinstance(merge, str) else merge
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(p, str) for p in parts):
        return None
    return parts[0], parts[1]
