"""Lines between whoever asks for objects by words and the process that answers."""

import json
from typing import Any

import pytest

from backend.formats.words_lines import (
    Question,
    Scores,
    decode_question,
    decode_scores,
    encode_words,
    refusal,
)

QUESTION = Question(id=3, folder="a b/é", prompt="chair; table", model="ViT")
SCORES = Scores(
    id=3, prompts=["chair", "table"], objects=[[0.5, 1], [0, 0.25]], error="", advice=""
)


def test_lines_come_back() -> None:
    for line in (encode_words(QUESTION), encode_words(SCORES)):
        assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
    assert decode_question(encode_words(QUESTION)) == QUESTION
    assert decode_scores(encode_words(SCORES)) == SCORES
    assert decode_question(b'{"id": 1, "folder": "f", "prompt": "p"}') == Question(
        id=1, folder="f", prompt="p"
    )
    assert decode_scores(b'{"id": 1}') == Scores(id=1, prompts=[], objects=[], error="", advice="")


@pytest.mark.parametrize("wrong", [
    {"id": "3"}, {"id": True}, {"folder": 7}, {"prompt": None}, {"model": ["ViT"]}, {"more": 1},
], ids=str)  # fmt: skip
def test_what_is_no_question(wrong: dict[str, Any]) -> None:
    assert decode_question(json.dumps({**vars(QUESTION), **wrong}).encode()) is None


@pytest.mark.parametrize("wrong", [
    {"id": "3"}, {"error": None}, {"advice": 1}, {"prompts": "ab"}, {"objects": "ab"},
    {"objects": [[1.0]]}, {"prompts": ["chair"]}, {"objects": [[0.5], 7]},
    {"objects": [[0.5], ["x"]]}, {"objects": [[0.5, "x"], []]}, {"more": 1},
    {"objects": [[0.5], [0.5, 1]]}, {"objects": [[10**400], [1]]}, {"objects": [[1e999], [1]]},
    {"objects": [[float("nan")], [1]]}, {"protocol": "1"},
], ids=str)  # fmt: skip
def test_what_is_no_answer(wrong: dict[str, Any]) -> None:
    assert decode_scores(json.dumps({**vars(SCORES), **wrong}).encode()) is None


@pytest.mark.parametrize(
    "line", [b"", b"\xff", b"[1]", b"7", b"{}", b"[" * 100_000, b'"' + b"x" * 10]
)
def test_noise(line: bytes) -> None:
    assert decode_question(line) is None
    assert decode_scores(line) is None


def test_another_version_is_told_of_on_both_sides() -> None:
    question = decode_question(b'{"id": 7, "protocol": 2, "words": "of another kind"}')
    assert question is not None and (question.id, question.protocol) == (7, 2)
    scores = decode_scores(b'{"id": 7, "protocol": 2, "answer": []}')
    assert scores is not None and scores.id == 7
    assert "another version of the protocol" in scores.error
    assert refusal(question.id, question.protocol) == scores
