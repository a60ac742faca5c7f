"""A decoder's motion made as large and as quick as its speaker's: least squares shrinks what it is
unsure of, so that learnt mouths mumble.

What is learnt on a part of the footage is compared with what was filmed in the rest of it: each
curve's deviation, how fast curves move for their size, how often the lips are how far apart, and
how sharply their distance turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ..speech.log_mel import FEATURE_RATE
from ..speech.smoothing import smoothed
from .motion_translator import FAR, MotionTranslator

SLOW = 0.05  # seconds; what differs from a mean over so long is quick
MOST_GAIN, MOST_QUICK = 3.0, 3.0
OWN = 0.5  # of a curve's gain that is its own; the rest is the middle of all
LIPS_SLOW = 0.06  # seconds; of the distance between the lips
# A decoder that has learned from all of the footage, and longer, turns more softly on sounds that
# it never heard than the one that is compared: by 1.26 on talk_french50, by 1.35 on GRID. This, how
# much likeness may be given up for it (the least that left neither too soft) and LIPS_SLOW were
# chosen on parts of both that neither had heard: from 0.6 to 0.8 of talk_french50, clips 16 to 25.
SOFTER = 1.4
GIVEN_UP = 0.005  # of the correlation with the filmed distance
QUANTILES = np.linspace(0.02, 0.98, 11)  # of the distance between the lips


@dataclass(frozen=True)
class Unlearned:
    """What a decoder makes of a sound that it never learned from, and what was filmed."""

    motion: Floats  # (T, K) at FEATURE_RATE
    filmed: Floats  # (N, K)
    rate: float  # of the filmed, a second
    spoken: Floats | None = None  # (T,) 1 around speech: pauses have a face of their own

    def frames(self) -> NDArray[np.bool_]:
        """(N,) of the filmed in which someone speaks; all, where that is not told."""
        if self.spoken is None:
            return np.ones(len(self.filmed), bool)
        at = (np.arange(len(self.filmed)) / self.rate * FEATURE_RATE).astype(int)
        return np.asarray(self.spoken[at.clip(0, len(self.spoken) - 1)] > 0.5)


def fit_matching(
    model: MotionTranslator,
    heard: Sequence[Unlearned],
    lips: Floats | None,
    rest: Floats | None = None,
) -> None:
    """Sets the model's gains, quickness and table of the lips' distance, in place. `lips` (K,):
    how far each coefficient opens them; `rest` (K,): the face in pauses.
    """
    if rest is not None:
        _set(model.still, rest)
    heard = [h for h in heard if h.frames().sum() > 2]
    if not heard:
        return
    filmed = np.concatenate([h.filmed[h.frames()] for h in heard])
    middle = np.concatenate([_at_rate(h.motion, h) for h in heard]).mean(0)
    quick, gain = _pace([_at_rate(h.motion, h) for h in heard], [_at_rate(quickness(h.motion), h)
        for h in heard], [h.filmed[h.frames()] for h in heard])  # fmt: skip
    common = np.exp(np.median(np.log(gain)))
    own = common ** (1 - OWN) * gain**OWN
    _set(model.gain, own)
    _set(model.quick, np.full_like(own, quick))
    _set(model.middle, middle)
    whole = np.concatenate([h.filmed for h in heard])
    _set(model.least, whole.min(0))
    _set(model.most, whole.max(0))
    if lips is not None and (filmed @ lips).std() > 1e-6:
        _fit_lips(model, heard, filmed, lips)


def _fit_lips(
    model: MotionTranslator, heard: Sequence[Unlearned], filmed: Floats, lips: Floats
) -> None:
    """The table of their distance, and how much of what is quick in it is added for it to turn as
    sharply as filmed (N, K), as far as it stays like that.
    """
    gap = filmed @ lips
    ours = [matched(h.motion, model) @ lips for h in heard]
    shares = np.linspace(0, MOST_QUICK, 31)
    tables, likeness, off = [], [], []
    wanted = SOFTER * _sharpness([h.filmed[h.frames()] @ lips for h in heard])
    for share in shares:
        rows = [
            _at_rate(sharper(g, share)[:, None], h)[:, 0] for g, h in zip(ours, heard, strict=True)
        ]
        apart = np.stack(
            [np.quantile(np.concatenate(rows), QUANTILES), np.quantile(gap, QUANTILES)]
        )
        through = [_through(row, apart) for row in rows]
        tables.append(apart)
        likeness.append(_correlation(np.concatenate(through), gap))
        off.append(abs(np.log((_sharpness(through) + 1e-9) / (wanted + 1e-9))))
    alike = np.array(likeness) >= max(likeness) - GIVEN_UP
    best = int(np.where(alike, off, np.inf).argmin())
    _set(model.lips, lips)
    _set(model.along, ((filmed - filmed.mean(0)) * (gap - gap.mean())[:, None]).mean(0) / gap.var())
    _set(model.sharp, shares[best : best + 1])
    _set(model.apart, tables[best])


def _sharpness(parts: Sequence[Floats]) -> float:
    """Mean second difference of distances (T,)."""
    return float(np.abs(np.concatenate([np.diff(part, 2) for part in parts])).mean())


def _correlation(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9))


def sharper(gap: Floats, share: float) -> Floats:
    """(T,) a distance at FEATURE_RATE with that much more of what is quick in it."""
    quick = gap - smoothed(gap, LIPS_SLOW * FEATURE_RATE)
    return np.asarray(gap + share * quick, np.float32)


def matched(motion: Floats, model: MotionTranslator) -> Floats:
    """(T, K) of a decoder's motion at FEATURE_RATE, as large and as quick as was filmed, and never
    beyond it; as it is where nothing was fitted.
    """
    gain, quick, middle, least, most, lips, along, apart, sharp = (
        np.asarray(p.detach().numpy())
        for p in (model.gain, model.quick, model.middle, model.least, model.most, model.lips,
                  model.along, model.apart, model.sharp)
    )  # fmt: skip
    rows = (middle + gain * (motion + quick * quickness(motion) - middle)).clip(least, most)
    gap = rows @ lips
    turned = _through(sharper(gap, float(sharp[0])), apart)
    rows = rows + (turned - gap)[:, None] * along
    return np.asarray(rows.clip(least, most), np.float32)


def told_rest(model: MotionTranslator) -> Floats | None:
    """(K,) the face in pauses; None where nothing was fitted."""
    rest = np.asarray(model.still.detach().numpy(), np.float32)
    return rest if (np.abs(rest) < FAR).all() else None


def quickness(motion: Floats) -> Floats:
    """(T, K) what of a motion at FEATURE_RATE is too quick for a mean over SLOW."""
    return np.asarray(motion - smoothed(motion, SLOW * FEATURE_RATE), np.float32)


def _pace(
    motion: Sequence[Floats], quick: Sequence[Floats], filmed: Sequence[Floats]
) -> tuple[float, Floats]:
    """How much of the quick part is to be added for curves to move as fast, for their size, as
    the filmed do; and the gains (K,) that then make them as large.
    """
    sizes = _deviation(filmed)
    wanted = _deviation([np.diff(f, axis=0) for f in filmed]).sum() / sizes.sum()
    best, least = 0.0, np.inf
    for share in np.linspace(0, MOST_QUICK, 31):
        rows = [m + share * q for m, q in zip(motion, quick, strict=True)]
        size = _deviation(rows) + 1e-6
        pace = (_deviation([np.diff(r, axis=0) for r in rows]) / size * sizes).sum() / sizes.sum()
        if abs(np.log(max(pace, 1e-6) / max(wanted, 1e-6))) < least:
            best, least = float(share), abs(np.log(max(pace, 1e-6) / max(wanted, 1e-6)))
    size = _deviation([m + best * q for m, q in zip(motion, quick, strict=True)])
    return best, np.asarray(((sizes + 1e-4) / (size + 1e-4)).clip(1 / MOST_GAIN, MOST_GAIN))


def _deviation(parts: Sequence[Floats]) -> NDArray[np.float64]:
    return np.asarray(np.concatenate(parts).std(0), np.float64)


def _through(gap: Floats, apart: Floats) -> Floats:
    """Distances through a table (2, Q) of ours and theirs; beyond its ends they are shifted."""
    ours, theirs = apart
    inside = np.interp(gap, ours, theirs)
    beyond = np.minimum(gap - ours[0], 0) + np.maximum(gap - ours[-1], 0)
    return np.asarray(inside + beyond, np.float32)


def _at_rate(rows: Floats, heard: Unlearned) -> Floats:
    """Rows (T, K) at FEATURE_RATE where the frames of the filmed in which someone speaks are."""
    at = np.flatnonzero(heard.frames()) / heard.rate * FEATURE_RATE
    return np.stack([np.interp(at, np.arange(len(rows)), c) for c in rows.T], 1).astype(np.float32)


def _set(into: torch.Tensor, values: NDArray[np.floating]) -> None:
    with torch.no_grad():
        into.copy_(torch.from_numpy(np.asarray(values, np.float32)))
