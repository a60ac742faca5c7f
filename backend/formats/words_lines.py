"""Lines between whoever asks for objects by words and the process that stays warm to answer,
`python -m backend words`.
"""

import dataclasses
import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """A line to the process that `python -m backend words` is: what fits the prompt, in the
    segmentation in `folder`?
    """

    id: int
    folder: str
    prompt: str
    model: str = ""  # empty: the one that the splats were segmented with


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Its answer, or why there is none. One score an object and prompt, 0..1."""

    id: int
    prompts: list[str] = field(default_factory=list)
    objects: list[list[float]] = field(default_factory=list)
    error: str = ""
    advice: str = ""


def encode_words(line: Question | Scores) -> bytes:
    """One line, newline included."""
    return json.dumps(dataclasses.asdict(line), ensure_ascii=True).encode() + b"\n"


def decode_question(line: bytes) -> Question | None:
    """None for anything that is not a question."""
    try:
        question = Question(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    return (
        question
        if all(type(getattr(question, f.name)) is f.type for f in dataclasses.fields(question))
        else None
    )


def decode_scores(line: bytes) -> Scores | None:
    """None for anything that is not an answer."""
    try:
        scores = Scores(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    plain = all(
        type(getattr(scores, name)) is kind
        for name, kind in (("id", int), ("error", str), ("advice", str))
    )
    listed = (
        isinstance(scores.prompts, list)
        and isinstance(scores.objects, list)
        and len(scores.prompts) == len(scores.objects)
    )
    numbers = listed and all(
        isinstance(row, list) and all(isinstance(v, (int, float)) for v in row)
        for row in scores.objects
    )
    return scores if plain and numbers else None
