"""Lines between whoever clicks into a view of splats and the process that stays warm to answer,
`python -m backend words`: which splats are meant? Whatever comes in, a line is a click or an
answer, or it is nothing. Standard library only.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from ..events import LARGEST, PROTOCOL

LEVELS = ("part", "thing", "group")
MOST_POINTS = 100
MOST_SIDE = 4096  # pixels


@dataclass(frozen=True, kw_only=True)
class Click:
    """A line to the process: points of a view, and what to look at."""

    id: int
    splats: str  # a PLY, in the space that `viewmat` begins in
    sam: str  # folder of a SAM
    viewmat: list[float]  # 16 numbers, row by row: world to camera, OpenCV axes
    lens: list[float]  # fl_x, fl_y, cx, cy in pixels, from the upper left
    size: list[int]  # width and height in pixels
    points: list[list[float]]  # x, y in pixels, from the upper left
    labels: list[int]  # of every point: 1, it is of what is meant; 0, it is not
    level: str  # of LEVELS
    result: str  # the file that receives a byte a splat: 1, meant; 0, not
    device: str = "auto"
    protocol: int = PROTOCOL

    @property
    def is_whole(self) -> bool:
        """Whether its numbers are what they are said to be."""
        return (
            len(self.viewmat) == 16
            and len(self.lens) == 4
            and len(self.size) == 2
            and all(type(side) is int and 0 < side <= MOST_SIDE for side in self.size)
            and 0 < len(self.points) == len(self.labels) <= MOST_POINTS
            and all(isinstance(p, list) and len(p) == 2 and _numbers(p) for p in self.points)
            and _numbers(self.viewmat)
            and _numbers(self.lens)
            and all(type(v) is int and v in (0, 1) for v in self.labels)
            and 1 in self.labels
            and self.level in LEVELS
            and self.device in ("auto", "cpu", "cuda")
        )


@dataclass(frozen=True, kw_only=True)
class Clicked:
    """Its answer: the file is written, or why not."""

    id: int
    count: int = 0  # of splats that are meant
    error: str = ""
    advice: str = ""
    protocol: int = PROTOCOL


def encode_click(line: Click | Clicked) -> bytes:
    """One line, newline included."""
    kind = "click" if isinstance(line, Click) else "clicked"
    record = {"type": kind, **dataclasses.asdict(line)}
    return json.dumps(record, ensure_ascii=True).encode() + b"\n"


def decode_click(line: bytes) -> Click | None:
    """None for anything that is not a click of this version."""
    decoded = _decoded(line, "click", Click)
    return decoded if decoded is not None and decoded.is_whole else None


def decode_clicked(line: bytes) -> Clicked | None:
    """None for anything that is not an answer of this version."""
    decoded: Clicked | None = _decoded(line, "clicked", Clicked)
    return decoded


def _decoded(line: bytes, kind: str, form: type[Any]) -> Any:
    try:
        data = json.loads(line)
        if not isinstance(data, dict) or data.pop("type", "") != kind:
            return None
        decoded = form(**data)
    except (ValueError, RecursionError, MemoryError, TypeError):
        return None
    right = all(
        type(getattr(decoded, f.name)) is (f.type if f.type in (int, str) else list)
        for f in dataclasses.fields(form)
    )
    return decoded if right and decoded.protocol == PROTOCOL else None


def _numbers(values: list[Any]) -> bool:
    return all(type(v) in (int, float) and -LARGEST <= v <= LARGEST for v in values)
