"""The person in every frame, without a network: what the tracker's outline, the picture's own
colours, a still background and the other frames say, joined by GrabCut (Rother et al. 2004).

First each frame by itself: inside of the fitted head is person, far beside it is background, and
GrabCut decides between. Then all frames together: where the head's frames agree (in its own place
and size) a single frame may not say otherwise, and a background that stands still is known where
it was ever seen.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Doubles, Floats, Pixels
from ..rigs.drawing import PortraitCamera
from .guided_filter import guided

Mask = NDArray[np.uint8]
NEAR = (1.35, 1.3)  # of the head's half width, half height: as far as hair is likely
FAR = (1.9, 1.8)  # and possible
SHOULDERS = 3.5  # half widths
MORE = 2.0  # times as often around the head as elsewhere: a colour of the person
SURE = 0.22  # half widths within the fitted head's outline, from where all is person
LARGEST = 1e4  # pixels of a head that is right before the lens
STANDARD = 96  # pixels a side of the picture of the head in its own place and size
REACH = 2.6  # half widths of the head that such a picture shows to each side
STILL = 9.0  # grey levels that a background that stands still may flicker by


@dataclass(frozen=True, kw_only=True)
class MattingConfig:
    """Work and caution."""

    side: int = 160  # longer side of the pictures that are cut
    rounds: int = 3  # of GrabCut, first
    more: int = 2  # and in the light of the other frames
    turns: int = 2  # of this
    person: float = 0.65  # share of the frames that decides for all
    background: float = 0.1


@dataclass(frozen=True, kw_only=True)
class HeadPlace:
    """Where a frame shows the head, in pixels of the small picture."""

    hull: NDArray[np.float32]  # (P, 1, 2) around the fitted head
    centre: tuple[float, float]
    half: tuple[float, float]  # half width and half height

    def standard(self) -> NDArray[np.float64]:
        """(2, 3) from the standard picture's pixels to this one's."""
        scale = REACH * self.half[0] * 2 / STANDARD
        shift = np.array(self.centre) - scale * STANDARD / 2
        return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def head_place(view: PortraitCamera, head: Floats, scale: float) -> HeadPlace:
    """Of the head's vertices (V, 3) in a picture that is smaller by `scale`."""
    seen = view.project(head)
    points = (seen[seen[:, 2] > 0, :2] * scale).clip(-LARGEST, LARGEST).astype(np.float32)
    if not len(points):  # behind the camera
        points = np.zeros((1, 2), np.float32)
    low, high = points.min(0), points.max(0)
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, 1)
    return HeadPlace(
        hull=cv2.convexHull(points),
        centre=(float(centre[0]), float(centre[1])),
        half=(float(half[0]), float(half[1])),
    )


def small(image: Pixels, side: int) -> Pixels:
    """As GrabCut sees it."""
    scale = min(1.0, side / max(image.shape[:2]))
    size = (max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def person_mattes(
    images: list[Pixels],
    places: list[HeadPlace],
    config: MattingConfig = MattingConfig(),
    progress: Callable[[float], None] = lambda share: None,
    told: list[NDArray[np.bool_]] | None = None,
) -> list[Floats]:
    """(h, w) each, 0..1: of small pictures of one size, in the order of `images`. `told` is what a
    network takes for the person, if there is one.
    """
    size = images[0].shape[:2]
    near = [_ellipse(size, place, *NEAR) for place in places]
    below = [_below(size, place) for place in places]
    hair, clothes = (
        _strange(images, there, [~a & ~b for a, b in zip(near, below, strict=True)])
        for there in (near, below)
    )
    first = []
    for number, (image, place) in enumerate(zip(images, places, strict=True)):
        guess = _first_guess(size, place)
        if told is not None:
            sure = guess == cv2.GC_FGD
            guess = np.where(told[number], cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
            guess[sure] = cv2.GC_FGD
            first.append(_cut(image, guess, config.rounds))
            continue
        strange = (near[number] & hair[number]) | (below[number] & clothes[number])
        guess[strange & (guess == cv2.GC_PR_BGD)] = cv2.GC_PR_FGD
        first.append(_cut(image, guess, config.rounds))
        progress(0.5 * number / len(images))
    behind, known = _background(images, first, near)
    cuts = first
    for turn in range(config.turns):
        standard, before, cuts = _standard(cuts, places), cuts, []
        for number, (image, place) in enumerate(zip(images, places, strict=True)):
            guess = _agreed(before[number], place, standard, config)
            if known is not None:
                guess = _uncovered(guess, image, behind, known)
            cuts.append(_cut(image, guess, config.more))
            done = turn + number / len(images)
            progress(0.5 + 0.5 * done / config.turns)
    return [_soft(image, cut) for image, cut in zip(images, cuts, strict=True)]


def _ellipse(
    size: tuple[int, int], place: HeadPlace, wide: float, high: float
) -> NDArray[np.bool_]:
    """(h, w) around the head, so many times its half width and height."""
    row, column = np.mgrid[: size[0], : size[1]]
    across = (column - place.centre[0]) / (place.half[0] * wide)
    up = (row - place.centre[1]) / (place.half[1] * high)
    return np.asarray(across**2 + up**2 < 1)


def _head(size: tuple[int, int], place: HeadPlace) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(h, w) within the fitted head, and so far within that it is surely the person."""
    inside = np.zeros(size, np.uint8)
    far = 4 * max(size)
    cv2.fillConvexPoly(inside, place.hull.clip(-far, far).astype(np.int32), 1)
    room = max(1.0, SURE * place.half[0])
    deep = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    return inside > 0, np.asarray(deep > room)


def _below(size: tuple[int, int], place: HeadPlace) -> NDArray[np.bool_]:
    """(h, w) where shoulders may be."""
    row, column = np.mgrid[: size[0], : size[1]]
    across = np.abs(column - place.centre[0]) / place.half[0]
    return np.asarray((row - place.centre[1] > 0.95 * place.half[1]) & (across < SHOULDERS))


def _first_guess(size: tuple[int, int], place: HeadPlace) -> Mask:
    """GrabCut's four labels by the fitted head alone."""
    height, width = size
    inside, sure = _head(size, place)
    row, column = np.mgrid[:height, :width]
    across = (column - place.centre[0]) / place.half[0]
    up = (row - place.centre[1]) / place.half[1]
    guess = np.full(size, cv2.GC_PR_BGD, np.uint8)
    guess[~_ellipse(size, place, *FAR) & (up < 0.9)] = cv2.GC_BGD
    guess[(up >= 0.9) & (np.abs(across) < 0.7)] = cv2.GC_PR_FGD
    guess[(up >= 1.5) & (np.abs(across) < 1.3)] = cv2.GC_PR_FGD
    guess[inside] = cv2.GC_PR_FGD
    guess[sure] = cv2.GC_FGD
    return guess


BINS = 24  # of each of Lab's channels


def _strange(
    images: list[Pixels], near: list[NDArray[np.bool_]], far: list[NDArray[np.bool_]]
) -> list[NDArray[np.bool_]]:
    """(h, w) True for colours that are shown far more often near the person than far away: hair
    and clothes, before anything is known of them.
    """
    codes = []
    for image in images:
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.int64) * BINS // 256
        codes.append((lab[..., 0] * BINS + lab[..., 1]) * BINS + lab[..., 2])

    def spread(places: list[NDArray[np.bool_]]) -> Floats:
        count = np.zeros(BINS**3)
        for code, there in zip(codes, places, strict=True):
            count += np.bincount(code[there], minlength=BINS**3)
        smooth = _blurred(count.reshape(BINS, BINS, BINS))
        return np.asarray(smooth / max(smooth.sum(), 1), np.float32)

    unlike = (spread(near) > MORE * spread(far)).ravel()
    return [unlike[code] for code in codes]


def _blurred(cube: Doubles) -> Doubles:
    for axis in range(3):
        before, after = np.roll(cube, 1, axis), np.roll(cube, -1, axis)
        cube = (before + 2 * cube + after) / 4
    return cube


def _cut(image: Pixels, guess: Mask, rounds: int) -> Mask:
    """(h, w) 1 for the person."""
    labels = guess.copy()
    both = ((labels == 0) | (labels == 2)).any() and ((labels == 1) | (labels == 3)).any()
    if both:
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(image, labels, None, *models, rounds, cv2.GC_INIT_WITH_MASK)
    return _connected(((labels & 1) > 0).astype(np.uint8), guess == cv2.GC_FGD)


def _connected(person: Mask, sure: NDArray[np.bool_]) -> Mask:
    """What hangs together with the head, holes filled."""
    _, labels = cv2.connectedComponents(person, connectivity=4)
    kept = np.unique(labels[sure & (person > 0)])
    whole = np.isin(labels, kept[kept > 0]).astype(np.uint8)
    outside = np.pad(1 - whole, 1, constant_values=1)
    _, holes = cv2.connectedComponents(outside, connectivity=4)
    filled = holes[1:-1, 1:-1] != holes[0, 0]
    bottom = np.zeros_like(filled)
    bottom[-1] = True  # a gap at the picture's lower edge is none of the head's
    return np.asarray((whole > 0) | (filled & ~bottom), np.uint8)


def _standard(cuts: list[Mask], places: list[HeadPlace]) -> Floats:
    """(STANDARD, STANDARD) share of the frames in which the person is there, around the head."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    total = np.zeros((STANDARD, STANDARD), np.float32)
    for cut, place in zip(cuts, places, strict=True):
        total += cv2.warpAffine(
            cut.astype(np.float32),
            place.standard(),
            (STANDARD, STANDARD),
            flags=flags,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return np.asarray(total / len(cuts), np.float32)


def _agreed(cut: Mask, place: HeadPlace, standard: Floats, config: MattingConfig) -> Mask:
    """GrabCut's labels: the frame's own, but for what nearly all frames say of the head."""
    height, width = cut.shape
    share = cv2.warpAffine(
        standard, place.standard(), (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=0.5
    )
    guess = np.where(cut > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    guess[share > 0.6] = cv2.GC_PR_FGD
    guess[share < 0.3] = cv2.GC_PR_BGD
    around = np.arange(height)[:, None] < place.centre[1] + place.half[1]
    guess[(share > config.person) & around] = cv2.GC_FGD
    guess[(share < config.background) & around] = cv2.GC_BGD
    guess[_head((height, width), place)[1]] = cv2.GC_FGD
    return np.asarray(guess, np.uint8)


def _background(
    images: list[Pixels], cuts: list[Mask], near: list[NDArray[np.bool_]]
) -> tuple[Floats, NDArray[np.bool_] | None]:
    """(h, w, 3) what is behind the person, and where that is known (h, w); None where the camera
    or the background moves.
    """
    some = range(0, len(images), max(1, len(images) // 40))
    grown = [cv2.dilate(cuts[k] | near[k], np.ones((5, 5), np.uint8)) > 0 for k in some]
    stack = np.stack([images[k] for k in some]).astype(np.float32)
    stack[np.stack(grown)] = np.nan
    count = np.isfinite(stack[..., 0]).sum(0)
    known = count >= max(3, len(stack) // 10)
    behind = np.zeros(stack.shape[1:], np.float32)
    if not known.any():
        return behind, None
    behind[known] = np.nanmedian(stack[:, known], 0)
    flicker = np.nanmedian(np.abs(stack[:, known] - behind[known]).mean(-1))
    return behind, known if flicker < STILL else None


def _uncovered(guess: Mask, image: Pixels, behind: Floats, known: NDArray[np.bool_]) -> Mask:
    """Where the picture is what lies behind, there is no person, unless the person looks alike."""
    apart = np.abs(image.astype(np.float32) - behind).mean(-1)
    guess = guess.copy()
    plain = known & (cv2.blur(apart, (3, 3)) < 0.6 * STILL) & (guess != cv2.GC_FGD)
    guess[plain] = cv2.GC_PR_BGD
    other = known & (cv2.blur(apart, (3, 3)) > 4 * STILL) & (guess == cv2.GC_PR_BGD)
    guess[other] = cv2.GC_PR_FGD
    return guess


def _soft(image: Pixels, cut: Mask) -> Floats:
    """Edges as soft as the picture's: a guided filter (He et al. 2013) on its grey."""
    return guided(image, cut.astype(np.float32), max(2, min(cut.shape) // 50), 1e-3)
