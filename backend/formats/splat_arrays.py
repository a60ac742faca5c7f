"""Gaussian splats as arrays, in the units that files hold; what can't be drawn is made sound, or
left out and counted. numpy only.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats, Reals
from ..protocol import InputError
from .splat_notes import SplatNotes, agreed

SH_C0 = 0.28209479177387814  # colour = 0.5 + SH_C0 * the first coefficient
COEFFICIENTS = (1, 4, 9, 16, 25)  # a channel, by degree
OPAQUE = 20.0  # logit: what is nearer to 1 (or, negative, to 0) makes no difference to a float
LARGEST = 50.0  # logarithm of a size beyond reason
FLATTEST = -49.5  # logarithm of the thickness of what has none


@dataclass(kw_only=True)
class SplatArrays:
    """N Gaussians as files hold them: logarithmic scales, opacity before the sigmoid."""

    means: Floats  # (N, 3)
    quats: Floats  # (N, 4) wxyz, normalised on reading
    log_scales: Floats  # (N, 3)
    opacity_logits: Floats  # (N,)
    sh: Floats  # (N, K, 3), K = 1, 4, 9, 16 or 25
    extra: dict[str, NDArray[np.generic]] = field(
        default_factory=dict
    )  # per vertex, by property name
    notes: SplatNotes = field(default_factory=SplatNotes)
    left_out: tuple[str, ...] = ()  # what reading could not keep, in words: "3 splats that …"
    told: tuple[str, ...] = ()  # what reading changed, as sentences

    def __len__(self) -> int:
        return len(self.means)

    @property
    def sh_degree(self) -> int:
        """0 to 4, from the number of SH coefficients."""
        return int(self.sh.shape[1] ** 0.5) - 1


def take(a: SplatArrays, index: NDArray[np.generic]) -> SplatArrays:
    """The Gaussians at `index` (numbers or a mask)."""
    return replace(
        a,
        means=a.means[index],
        quats=a.quats[index],
        log_scales=a.log_scales[index],
        opacity_logits=a.opacity_logits[index],
        sh=a.sh[index],
        extra={name: values[index] for name, values in a.extra.items()},
    )


def joined(parts: list[SplatArrays]) -> SplatArrays:
    """Several, one at least, as one, of the highest degree among them. Extra properties that not
    all have are left out; notes stay where all agree.
    """
    if len(parts) == 1:
        return parts[0]
    width = max(a.sh.shape[1] for a in parts)
    names = set.intersection(*({*a.extra} for a in parts))
    return SplatArrays(
        means=np.concatenate([a.means for a in parts]),
        quats=np.concatenate([a.quats for a in parts]),
        log_scales=np.concatenate([a.log_scales for a in parts]),
        opacity_logits=np.concatenate([a.opacity_logits for a in parts]),
        sh=np.concatenate(
            [np.pad(a.sh, ((0, 0), (0, width - a.sh.shape[1]), (0, 0))) for a in parts]
        ),
        extra={n: np.concatenate([a.extra[n] for a in parts]) for n in sorted(names)},
        notes=agreed([a.notes for a in parts]),
        left_out=tuple(dict.fromkeys(text for a in parts for text in a.left_out)),
        told=tuple(dict.fromkeys(text for a in parts for text in a.told)),
    )


def sound(a: SplatArrays, name: str) -> SplatArrays:
    """As a reader hands them on: rotations of length one; infinite opacity is opaque, no thickness
    is next to none; what is not finite for all that is left out and counted.

    Raises InputError, naming the file, where nothing is left.
    """
    logits = np.clip(a.opacity_logits, -OPAQUE, OPAQUE)
    logits = np.where(np.isinf(a.opacity_logits), logits, a.opacity_logits)
    log_scales = np.maximum(a.log_scales, np.float32(FLATTEST))
    a = replace(a, quats=unit_quats(a.quats), opacity_logits=logits, log_scales=log_scales)
    good = np.isfinite(a.opacity_logits) & (a.log_scales < LARGEST).all(1)
    for values in (a.means, a.quats, *(a.sh[:, k] for k in range(a.sh.shape[1]))):
        good &= np.isfinite(values).all(1)
    if good.all():
        return a
    if not good.any():
        raise InputError(
            f"None of the splats in {name} has finite values.",
            "Export it again from the program that wrote it.",
        )
    missed = len(good) - np.count_nonzero(good)
    what = "1 splat whose values are" if missed == 1 else f"{missed:,} splats whose values are"
    kept = take(a, good)
    return replace(kept, left_out=(*a.left_out, f"{what} not finite"))


def unit_quats(quats: Floats) -> Floats:
    """(N, 4) of length one; what is so already keeps its bits, what has no length turns nothing."""
    norms = np.sqrt(np.einsum("nk,nk->n", quats, quats, dtype=np.float64))
    off = ~(np.abs(norms - 1) < 1e-5)  # NaN is
    if not off.any():
        return quats
    unit = quats.copy()
    with np.errstate(invalid="ignore"):  # what is NaN stays so
        unit[off] = quats[off] / np.maximum(norms[off], 1e-12)[:, None]
    unit[norms <= 1e-12] = [1, 0, 0, 0]
    return unit


def opacities_of(a: SplatArrays) -> Floats:
    """(N,) in 0..1."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-a.opacity_logits)), np.float32)


def logits_of(opacities: Reals) -> Floats:
    """(N,) of opacities in 0..1; those at the ends become what is opaque, or not there."""
    with np.errstate(divide="ignore", invalid="ignore"):  # beyond 0..1 they are no numbers
        logits = np.log(opacities) - np.log1p(-opacities)
    return np.asarray(np.clip(logits, -OPAQUE, OPAQUE), np.float32)


def with_degree(a: SplatArrays, degree: int) -> SplatArrays:
    """With harmonics up to `degree` at most."""
    return replace(a, sh=a.sh[:, : COEFFICIENTS[degree]]) if degree < a.sh_degree else a
