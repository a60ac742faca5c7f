"""What a splat file says of its splats as a whole, in comments of its header: how they are blended,
and what is up. numpy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..geometry.arrays import Doubles

Blend = Literal["srgb", "linear"]
WORD = "splatsmith"  # that our comments begin with


@dataclass(frozen=True, kw_only=True)
class SplatNotes:
    """Of a file that says nothing: what everyone else's splats are."""

    blend: Blend = "srgb"  # the light in which the splats were trained to be laid over each other
    antialiased: bool = False  # trained with the filter of Mip-Splatting
    upright: Doubles | None = None  # (4, 4) the splats' world to an upright scene
    source: Doubles | None = None  # (4, 4) the splats' world to the one that was surveyed


def comments_of(notes: SplatNotes) -> tuple[str, ...]:
    """Lines for the header; what is as usual is not said."""
    lines = [f"{WORD} blend linear"] if notes.blend == "linear" else []
    lines += [f"{WORD} antialiased"] if notes.antialiased else []
    if notes.upright is not None:
        lines.append(f"{WORD} upright " + " ".join(f"{v:.9g}" for v in notes.upright.ravel()))
    if notes.source is not None:
        lines.append(_source_line(notes.source))
    return tuple(lines)


def from_offset(offset: Doubles) -> Doubles | None:
    """(4, 4) that adds the offset (3,) which a capture's world was moved by; None for none."""
    if not offset.any():
        return None
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix


def moved_notes(notes: SplatNotes, matrix: Doubles) -> SplatNotes:
    """What is still true of splats that were moved by `matrix` (4, 4)."""
    if notes.source is None:
        return notes
    return replace(notes, source=np.asarray(notes.source @ np.linalg.inv(matrix)))


def notes_of_near(notes: SplatNotes, offset: Doubles) -> SplatNotes:
    """Of splats that were brought near the origin by taking away `offset` (3,). Where up is must be
    found anew: what was said of it was of a place far away.
    """
    back = np.eye(4)
    back[:3, 3] = offset
    source = back if notes.source is None else notes.source @ back
    return replace(notes, source=np.asarray(source), upright=None)


def said_of(offset: Doubles) -> str:
    """The sentence for people about splats that were brought near the origin."""
    place = ", ".join(f"{v:.12g}" for v in offset)
    return f"The splats lie far from their origin and were moved by ({place}), which is kept."


def agreed(notes: Sequence[SplatNotes]) -> SplatNotes:
    """What several, one at least, have in common; sRGB where they differ in blending."""
    first = notes[0]
    return SplatNotes(
        blend="linear" if {n.blend for n in notes} == {"linear"} else "srgb",
        antialiased=all(n.antialiased for n in notes),
        upright=first.upright if all(_same(n.upright, first.upright) for n in notes) else None,
        source=first.source if all(_same(n.source, first.source) for n in notes) else None,
    )


def _same(a: Doubles | None, b: Doubles | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _source_line(matrix: Doubles) -> str:
    """All digits: coordinates of surveys are large."""
    if np.array_equal(matrix[:3, :3], np.eye(3)):
        return f"{WORD} offset " + " ".join(f"{v:.17g}" for v in matrix[:3, 3])
    return f"{WORD} source " + " ".join(f"{v:.17g}" for v in matrix.ravel())


def _offset(words: list[str]) -> Doubles | None:
    try:
        offset = np.array([float(word) for word in words]).reshape(3)
    except ValueError:
        return None
    return from_offset(offset) if np.isfinite(offset).all() else None


def notes_of(comments: list[str]) -> SplatNotes:
    """What such lines say; anything else in them is passed over."""
    blend: Blend = "srgb"
    antialiased, upright, source = False, None, None
    for words in (line.split() for line in comments):
        if words[:1] != [WORD]:
            continue
        if words[1:] == ["blend", "linear"]:
            blend = "linear"
        elif words[1:] == ["antialiased"]:
            antialiased = True
        elif words[1:2] == ["upright"]:
            upright = _matrix(words[2:])
        elif words[1:2] == ["source"]:
            source = _matrix(words[2:])
        elif words[1:2] == ["offset"]:
            source = _offset(words[2:])
    return SplatNotes(blend=blend, antialiased=antialiased, upright=upright, source=source)


def _matrix(words: list[str]) -> Doubles | None:
    """A similarity (4, 4) of sixteen numbers; None for anything else."""
    try:
        matrix = np.array([float(word) for word in words]).reshape(4, 4)
    except ValueError:
        return None
    linear = matrix[:3, :3]
    size = abs(np.linalg.det(linear)) ** (1 / 3) if np.isfinite(matrix).all() else 0.0
    if not 1e-6 < size < 1e6 or np.abs(linear @ linear.T / size**2 - np.eye(3)).max() > 1e-3:
        return None
    return matrix
