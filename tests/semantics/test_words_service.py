"""The warm process that answers prompts: what it says, what it remembers, when it ends."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.furnished_room import CLASSES
from helpers.places import ROOT

from backend.formats import semantics_file
from backend.formats.words_lines import (
    Question,
    Scores,
    decode_question,
    decode_scores,
    encode_words,
)
from backend.protocol import InputError
from backend.semantics.words_service import WordsService

from .test_query import Simulated, scene


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    semantics_file.write(tmp_path / semantics_file.NAME, scene())
    return tmp_path


def test_answers_are_those_of_ask_and_words_are_encoded_once(folder: Path) -> None:
    teacher = Simulated()
    loads: list[str] = []
    asked: list[str] = []

    def load(model: str) -> Simulated:
        loads.append(model)
        return teacher

    plain = teacher.encode_text

    def encode_text(words: Sequence[str]) -> np.ndarray:
        asked.extend(words)
        return plain(words)

    teacher.encode_text = encode_text  # type: ignore[method-assign]
    service = WordsService(load_model=load)
    for number in range(3):
        found = service.answer(Question(id=number, folder=str(folder), prompt="lamp; bed"))
        assert found.id == number and found.prompts == ["lamp", "bed"] and not found.error
        assert np.argmax(found.objects, 1).tolist() == [CLASSES.index("lamp"), CLASSES.index("bed")]
    assert loads == ["simulated"] and asked.count("lamp") == 1
    semantics_file.write(
        folder / semantics_file.NAME, scene(7)
    )  # segmented anew, in the same place
    assert not service.answer(Question(id=9, folder=str(folder), prompt="lamp")).error


def test_bad_questions_get_an_answer(folder: Path, tmp_path: Path) -> None:
    def no_model(model: str) -> Simulated:
        raise InputError(f"There is no CLIP model at {model}.", "Choose another.")

    service = WordsService(load_model=no_model)
    for question, words in (
        (Question(id=1, folder=str(folder), prompt="  ;"), "The prompt is empty"),
        (Question(id=2, folder=str(tmp_path / "none"), prompt="lamp"), "is no segmentation"),
        (Question(id=3, folder=str(folder), prompt="lamp"), "There is no CLIP model at simulated"),
        (Question(id=4, folder=str(folder), prompt="a;" * 20_000), "too many"),
    ):
        found = service.answer(question)
        assert found.id == question.id and words in found.error and not found.objects


def test_lines_that_are_no_questions_are_no_questions() -> None:
    question = Question(id=3, folder="a", prompt="lamp, 灯")
    assert decode_question(encode_words(question)) == question
    for line in (
        b"",
        b"[]",
        b"{}",
        b'{"id": "3", "folder": "a", "prompt": "b"}',
        b"\xff",
        b"[" * 100_000,
    ):
        assert decode_question(line) is None and decode_scores(line) is None
    scores = Scores(id=3, prompts=["lamp"], objects=[[0.5, 1.0]])
    assert decode_scores(encode_words(scores)) == scores
    assert decode_scores(b'{"id": 3, "prompts": ["a"], "objects": []}') is None


def start(*more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "backend", "words", *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )


@pytest.mark.process
def test_it_ends_with_its_pipe_and_when_nobody_asks(tmp_path: Path) -> None:
    with start() as process:
        assert process.stdin and process.stdout
        process.stdin.write(
            b"nonsense\n" + encode_words(Question(id=5, folder=str(tmp_path), prompt="lamp"))
        )
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert answer["id"] == 5 and "is no segmentation" in answer["error"]
        process.stdin.close()
        assert process.wait(120) == 0
    with start("--idle", "0.5") as process:
        assert process.wait(300) == 0, "its idle time of ten minutes was cut to half a second"
