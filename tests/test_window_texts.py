"""What the window says: short enough for a narrow panel, and without flags of the command line."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LETTERS = 3 * 37  # three lines of a panel that is 300 pixels wide, as job_strip.wrap breaks them
PLACED = "x" * 12  # what stands in a text for a name or a number
LABEL = 36  # letters of a label on one line there
SAYS = {"InputError", "DiskError", "SetupError", "wrap", "report", "poll_message_set", "_say"}


def said(node: ast.AST) -> str | None:
    """The text of a string, or of one with places in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(said(part) or PLACED for part in node.values)
    return None


def texts(path: Path) -> Iterator[str]:
    """Everything that the file's calls show in a report, an error or a panel."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            values = [k.value for k in node.keywords if k.arg == "text"]
            values += node.args if name in SAYS else []
            yield from (text for value in values if (text := said(value)))


FILES = sorted((ROOT / "addon").rglob("*.py"))


def test_texts_are_found() -> None:
    assert sum(len(list(texts(path))) for path in FILES) > 150


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sentences_fit_three_lines_and_hold_no_flag(path: Path) -> None:
    for text in texts(path):
        assert not re.search(r"(?<![\w-])--[a-z]", text), text
        for sentence in re.split(r"(?<=[.?!]) ", text):
            assert len(sentence) <= LETTERS, sentence


def labels(path: Path) -> Iterator[str]:
    """What the file's panels write on one line, as far as it is known here."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "label":
            for keyword in node.keywords:
                if keyword.arg == "text" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)


PANELS = [path for path in FILES if path.parent.name in ("ui", "compute")]


def test_labels_are_found() -> None:
    assert sum(len(list(labels(path))) for path in PANELS) > 5


@pytest.mark.parametrize("path", PANELS, ids=lambda path: path.stem)
def test_labels_fit_one_line(path: Path) -> None:
    for text in labels(path):
        assert len(text) <= LABEL, text
