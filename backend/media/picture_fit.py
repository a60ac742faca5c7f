"""Pictures beside the cameras that were solved for them: the same size, the same pictures made
smaller or larger, turned as EXIF says, or others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .picture_files import PictureFacts

Fit = Literal["stored", "upright", "other"]
ROUNDING = 1.0  # pixels by which a side may be off after a picture was made smaller


@dataclass(frozen=True, kw_only=True)
class FittedPictures:
    """For every picture: whether its camera sees it as it is stored or upright, or is of another
    picture ("other").
    """

    fits: list[Fit]
    unsure: list[int]  # pictures with an EXIF turn that no size tells of

    def size(self, index: int, facts: PictureFacts) -> tuple[int, int]:
        """Width and height of the picture as its camera sees it."""
        return facts.upright if self.fits[index] == "upright" else facts.size


def same_shape(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one may be the other scaled, sides rounded to whole pixels."""
    (w, h), (w0, h0) = sorted((size, other), key=lambda s: s[0] * s[1])
    low = max((w - ROUNDING) / w0, (h - ROUNDING) / h0)
    return low <= min((w + ROUNDING) / w0, (h + ROUNDING) / h0)


def _fit(facts: PictureFacts, camera: tuple[int, int], is_told: bool) -> Fit | None:
    """None where both ways fit and differ, or the camera's size is only the picture's own."""
    if not is_told and facts.orientation != 1 and camera == facts.size:
        return None
    if not same_shape(facts.size, camera) and not same_shape(facts.upright, camera):
        return "other"
    if facts.orientation == 1:
        return "stored"
    fits_stored, fits_upright = (same_shape(s, camera) for s in (facts.size, facts.upright))
    if fits_stored and fits_upright:
        return None
    return "stored" if fits_stored else "upright"


def fit_pictures(
    pictures: Sequence[PictureFacts],
    cameras: Sequence[tuple[int, int]],
    told: Sequence[bool] | None = None,
) -> FittedPictures:
    """How pictures and the sizes (width, height) of their cameras go together. Where sizes can't
    tell, what the other turned pictures of the set say counts; where they say nothing, pictures
    are taken as they are stored, as COLMAP and most others do. `told` is false for cameras whose
    size is only that of their picture.
    """
    sizes_told = [True] * len(pictures) if told is None else told
    first = [_fit(*each) for each in zip(pictures, cameras, sizes_told, strict=True)]
    turned = [f for f, p in zip(first, pictures, strict=True) if p.orientation != 1]
    usual: Fit = "upright" if turned.count("upright") > turned.count("stored") else "stored"
    unsure = [i for i, fit in enumerate(first) if fit is None]
    sure = usual in turned
    fits = list(first)
    for i in unsure:
        shape = pictures[i].upright if usual == "upright" else pictures[i].size
        fits[i] = usual if same_shape(shape, cameras[i]) else "stored"
    return FittedPictures(fits=[fit or "stored" for fit in fits], unsure=[] if sure else unsure)
