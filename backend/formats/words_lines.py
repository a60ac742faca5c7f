"""Lines between whoever asks for objects by words and the process that stays warm to answer,
`python -m backend words`. Whatever comes in, a line is a question or an answer, or it is nothing.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from ..events import LARGEST, MAX_LINE, PROTOCOL

LONGEST_QUESTION = MAX_LINE  # bytes; the process passes over longer lines
LONGEST_ANSWER = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Question:
    """A line to the process that `python -m backend words` is: what fits the prompt, in the
    segmentation in `folder`?
    """

    id: int
    folder: str
    prompt: str
    model: str = ""  # empty: the one that the splats were segmented with
    protocol: int = PROTOCOL


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Its answer, or why there is none. One score an object and prompt, 0..1."""

    id: int
    prompts: list[str] = field(default_factory=list)
    objects: list[list[float]] = field(default_factory=list)
    error: str = ""
    advice: str = ""
    protocol: int = PROTOCOL


def encode_words(line: Question | Scores) -> bytes:
    """One line, newline included."""
    return json.dumps(dataclasses.asdict(line), ensure_ascii=True).encode() + b"\n"


def decode_question(line: bytes) -> Question | None:
    """None for anything that is not a question. Of another version's, its number alone is read."""
    data = _object_of(line)
    if _is_of_another_version(data):
        return Question(id=data["id"], folder="", prompt="", protocol=data["protocol"])
    try:
        question = Question(**data)
    except TypeError:
        return None
    kinds = all(type(getattr(question, f.name)) is f.type for f in dataclasses.fields(question))
    return question if kinds else None


def decode_scores(line: bytes) -> Scores | None:
    """None for anything that is not an answer: a table of numbers, a row a prompt."""
    data = _object_of(line)
    if _is_of_another_version(data):
        return refusal(data["id"], data["protocol"])
    try:
        scores = Scores(**data)
    except TypeError:
        return None
    plain = all(
        type(getattr(scores, name)) is kind
        for name, kind in (("id", int), ("protocol", int), ("error", str), ("advice", str))
    )
    return scores if plain and _is_table(scores.prompts, scores.objects) else None


def refusal(number: int, theirs: int) -> Scores:
    """The answer where the other side speaks another version."""
    return Scores(
        id=number,
        error=f"The process that knows words speaks another version of the protocol than this "
        f"extension ({theirs} and {PROTOCOL}).",
        advice="Restart Blender; if it stays so, install the extension anew.",
    )


def _object_of(line: bytes) -> dict[str, Any]:
    """Empty for anything that is no object."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError, MemoryError):
        return {}
    return data if isinstance(data, dict) else {}


def _is_of_another_version(data: dict[str, Any]) -> bool:
    theirs = data.get("protocol", PROTOCOL)
    return type(theirs) is int and type(data.get("id")) is int and theirs != PROTOCOL


def _is_table(prompts: Any, rows: Any) -> bool:
    return (
        isinstance(prompts, list)
        and isinstance(rows, list)
        and len(prompts) == len(rows)
        and all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows)
        and all(isinstance(v, (int, float)) and -LARGEST <= v <= LARGEST for r in rows for v in r)
    )
