"""Masks for all pictures of a clip from those of a few: carried along the optical flow, and decided
by colour where that is in doubt.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...geometry.arrays import Flags, Pixels
from ...media.tracks.flow import flow_between, trust
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .placement import HALF

Shares = NDArray[np.float32]
Progress = Callable[[int, int], None]
EMPTY: Pixels = np.zeros((0, 0, 0), np.uint8)
ENOUGH = 20  # pixels of object and of background from which GrabCut can learn colours


@dataclass(frozen=True, kw_only=True)
class PropagationConfig:
    """`crisp`: how much an outline is sharpened in every step, for it blurs by being carried.
    `agree`: pixels of disagreement between the way there and the way back at which trust has fallen
    to 1 / e. In doubt are pixels whose share of the object is further than `unsure` from 0 and 1,
    or that are trusted less than `trusted`. Lengths in pixels: `reach`, around the object, within
    which what is in doubt can be object; `surroundings`, around that, whose colours are the
    background's.
    """

    crisp: float = 1.5
    agree: float = 1.0
    unsure: float = 0.1
    trusted: float = 0.3
    reach: int = 30
    surroundings: int = 24
    rounds: int = 2


@dataclass(frozen=True)
class Example:
    """A picture (H, W, 3) whose mask (H, W) 0..255 is known."""

    image: Pixels
    mask: Pixels


@dataclass(frozen=True)
class PropagatedMask:
    """`share` (H, W) of each pixel that is object, and `trust` (H, W) in the flow that brought it,
    both 0..255, for a long clip has many; `age` in pictures.
    """

    share: Pixels
    trust: Pixels
    age: int


def carry(
    images: Sequence[Pixels],
    known: Sequence[Pixels | None],
    config: PropagationConfig = PropagationConfig(),
    progress: Progress = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> list[Pixels]:
    """Masks (H, W) 0..255 for all pictures (H, W, 3) of a clip from those of at least one: from the
    last known one and from the next, each counting the more the nearer it is and the better the
    flow to it agrees with the flow back. About 480 pixels a side are enough.
    """
    completed = list(known)
    examples = {
        here: Example(images[here], mask) for here, mask in enumerate(known) if mask is not None
    }
    gaps = [
        (first, end, [start for start in (first - 1, end) if start in examples])
        for first, end in _gaps(known)
    ]
    done, total = 0, sum((end - first) * (len(starts) + 1) for first, end, starts in gaps)

    def told(step: int) -> None:
        progress(done + step, total)

    for first, end, starts in gaps:
        masks: list[list[PropagatedMask]] = []
        for start in starts:
            order = range(start, end) if start < first else range(start, first - 1, -1)
            way = _Way(
                images=images,
                example=examples[start],
                order=order,
                config=config,
                alone=len(starts) == 1,
            )
            masks_along = _along(way, keeper.inside("masks"), f"{start}-to-{first}", told)
            masks.append(masks_along if start < first else masks_along[::-1])
            done += end - first
        with keeper.rows(f"masks-from-{first}", Pixels) as rows:
            for here in range(first + len(rows.values), end):
                nearest = min(starts, key=lambda start: abs(start - here))
                several = [way[here - first] for way in masks]
                share = _decided(images[here], several, examples[nearest], config)
                rows.add(_eight_bit(share))
                told(here + 1 - first)
        completed[first:end] = rows.values
        done += end - first
    return [mask for mask in completed if mask is not None]


def _gaps(known: Sequence[Pixels | None]) -> Iterator[tuple[int, int]]:
    """First picture and end of every stretch without masks."""
    for missing, stretch in groupby(range(len(known)), key=lambda here: known[here] is None):
        places = list(stretch)
        if missing:
            yield places[0], places[-1] + 1


@dataclass(frozen=True, kw_only=True)
class _Way:
    """From an example along pictures in `order`, which begins with it. `alone`: nothing comes from
    the other side to put right what is lost, so colour has to on the way; else it would only add
    its own mistakes up.
    """

    images: Sequence[Pixels]
    example: Example
    order: Sequence[int]
    config: PropagationConfig
    alone: bool


@dataclass
class _Carried:
    """What was carried so far: the last picture's share and trust, and the masks on the way."""

    share: Shares
    trusted: Shares
    masks: list[PropagatedMask]

    def state(self) -> dict[str, Tensor]:
        """Everything that `restore` needs."""
        stacks = {
            name: np.stack([getattr(m, name) for m in self.masks]) if self.masks else EMPTY
            for name in ("share", "trust")
        }
        named = {"now": self.share, "trusted": self.trusted, **stacks}
        return {name: torch.from_numpy(values) for name, values in named.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Sets a new one to where another one was."""
        self.share, self.trusted = tensors["now"].numpy(), tensors["trusted"].numpy()
        pairs = zip(tensors["share"].numpy(), tensors["trust"].numpy(), strict=True)
        self.masks = [PropagatedMask(s, t, age) for age, (s, t) in enumerate(pairs, start=1)]


def _along(
    way: _Way, keeper: StageKeeper, name: str, told: Callable[[int], None]
) -> list[PropagatedMask]:
    """The masks of the pictures after the example."""
    mask = way.example.mask
    carried = _Carried((mask / 255).astype(np.float32), np.ones(mask.shape, np.float32), [])
    with keeper.loop(name, carried.state, carried.restore) as loop:
        for age in range(loop.step + 1, len(way.order)):
            _carry_on(way, carried, way.order[age - 1], way.order[age])
            loop.reach(age)
            told(age)
    return carried.masks


def _carry_on(way: _Way, carried: _Carried, before: int, here: int) -> None:
    was, now = (cv2.cvtColor(way.images[k], cv2.COLOR_RGB2GRAY) for k in (before, here))
    back = flow_between(now, was)
    # what comes into the picture is taken for what was at its edge, but not trusted
    trusted = _moved(carried.trusted, back, cv2.BORDER_CONSTANT) * trust(
        back, flow_between(was, now), way.config.agree
    )
    moved = _moved(carried.share, back, cv2.BORDER_REPLICATE)
    share = np.asarray(((moved - 0.5) * way.config.crisp + 0.5).clip(0, 1), np.float32)
    if way.alone:
        share = _decided(
            way.images[here],
            [PropagatedMask(_eight_bit(share), _eight_bit(trusted), 1)],
            way.example,
            replace(way.config, unsure=0.5),  # outlines are put on edges once, at the end
        )
    carried.share, carried.trusted = share, trusted
    carried.masks.append(
        PropagatedMask(_eight_bit(share), _eight_bit(trusted), len(carried.masks) + 1)
    )


def _eight_bit(shares: Shares) -> Pixels:
    return np.asarray((255 * shares).round(), np.uint8)


def _moved(values: Shares, back: Shares, border: int) -> Shares:
    """(H, W) of the picture before, in this one; `back` (H, W, 2) pixels to where each pixel
    was.
    """
    u, v = np.meshgrid(
        np.arange(values.shape[1], dtype=np.float32), np.arange(values.shape[0], dtype=np.float32)
    )
    return np.asarray(
        cv2.remap(values, u + back[..., 0], v + back[..., 1], cv2.INTER_LINEAR, borderMode=border),
        np.float32,
    )


def _decided(
    image: Pixels, masks: Sequence[PropagatedMask], example: Example, config: PropagationConfig
) -> Shares:
    """(H, W) of each pixel that is object, 0..1, from all masks that were propagated to it."""
    weights = [
        np.maximum(mask.trust, np.float32(0.3)) / mask.age for mask in masks
    ]  # a little even where there is no trust at all
    share = np.sum(
        [w * (mask.share / np.float32(255)) for w, mask in zip(weights, masks, strict=True)], axis=0
    ) / np.sum(weights, axis=0)
    trusted = np.max([mask.trust for mask in masks], axis=0)
    inside: Flags = share > 0.5
    reach: Flags = (
        cv2.dilate(inside.astype(np.uint8), np.ones((2 * config.reach + 1,) * 2, np.uint8)) > 0
    )
    doubt = reach & ((trusted < 255 * config.trusted) | (np.abs(share - 0.5) < 0.5 - config.unsure))
    by_color = _cut(image, inside, doubt, example, config) if doubt.any() else inside
    return np.where(doubt, by_color, share).astype(np.float32)


def _cut(
    image: Pixels, inside: Flags, doubt: Flags, example: Example, config: PropagationConfig
) -> Flags:
    """Where the object is, (H, W): as `inside` says but in `doubt`, where colours decide and the
    outline follows the edges of the picture (GrabCut, Rother et al. 2004). Colours are learned from
    the rest of the picture and from the example, laid beside it.
    """
    sure = np.where(inside, cv2.GC_FGD, cv2.GC_BGD)
    labels = np.where(doubt, np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD), sure)
    known = np.where(example.mask > HALF, cv2.GC_FGD, cv2.GC_BGD)
    part = _around(inside | doubt | (known == cv2.GC_FGD), config.surroundings)
    both = np.hstack([labels[part], known[part]]).astype(np.uint8)
    if min((both == cv2.GC_FGD).sum(), (both == cv2.GC_BGD).sum()) < ENOUGH:
        return inside
    cv2.setRNGSeed(0)  # its first guess at the colours is drawn
    background, foreground = np.zeros((2, 1, 65))  # what it learns about colours
    beside = np.hstack([image[part], example.image[part]])
    cv2.grabCut(beside, both, None, background, foreground, config.rounds, cv2.GC_INIT_WITH_MASK)
    mask = inside.copy()
    mask[part] = ((both == cv2.GC_FGD) | (both == cv2.GC_PR_FGD))[:, : mask[part].shape[1]]
    return mask


def _around(inside: Flags, margin: int) -> tuple[slice, slice]:
    """The part of a picture (H, W) that holds all of it."""
    rows, columns = np.nonzero(inside)
    top, left = max(0, int(rows.min()) - margin), max(0, int(columns.min()) - margin)
    return slice(top, int(rows.max()) + margin + 1), slice(left, int(columns.max()) + margin + 1)
