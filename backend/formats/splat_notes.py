"""What a splat file says of its splats as a whole, in comments of its header: how they are blended,
and what is up. numpy only.
"""

from dataclasses import dataclass
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


def comments_of(notes: SplatNotes) -> tuple[str, ...]:
    """Lines for the header; what is as usual is not said."""
    lines = [f"{WORD} blend linear"] if notes.blend == "linear" else []
    lines += [f"{WORD} antialiased"] if notes.antialiased else []
    if notes.upright is not None:
        lines.append(f"{WORD} upright " + " ".join(f"{v:.9g}" for v in notes.upright.ravel()))
    return tuple(lines)


def notes_of(comments: list[str]) -> SplatNotes:
    """What such lines say; anything else in them is passed over."""
    blend: Blend = "srgb"
    antialiased, upright = False, None
    for words in (line.split() for line in comments):
        if words[:1] != [WORD]:
            continue
        if words[1:] == ["blend", "linear"]:
            blend = "linear"
        elif words[1:] == ["antialiased"]:
            antialiased = True
        elif words[1:2] == ["upright"]:
            upright = _matrix(words[2:])
    return SplatNotes(blend=blend, antialiased=antialiased, upright=upright)


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
