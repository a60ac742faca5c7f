"""A capture with time, and where the object is in its pictures, read into moments."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from ...formats.capture import Capture, Frame
from ...formats.footage_times import seconds_of
from ...geometry.arrays import Pixels
from ...geometry.conventions import to_viewmat
from ...media.holdout import check_holdout, held_out
from ...protocol import InputError
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .cutout import ObjectImage, bounds, cut_out
from .mask_images import open_image
from .masks import Masks, find as find_masks
from .placement import HALF, Placement, between, place
from .point_tracks import PointTrackConfig, find as find_tracks
from .timed_views import NOTHING, TimedView, pyramid

LEAST = 24  # pixels that an object has at least


@dataclass(frozen=True)
class FootageConfig:
    """`side`: the object's cut-out is at most so many pixels long; `margin`: of its size, around
    it.
    """

    side: int = 200
    margin: float = 0.08
    tracks: PointTrackConfig = field(default_factory=PointTrackConfig)


@dataclass(frozen=True, kw_only=True)
class ObjectFootage:
    """Moments in the order of time; `seconds` and `placement` belong to them. `cut_off`: share of
    pictures that the object leaves.
    """

    views: list[TimedView]
    held: list[int]  # moments to judge by: nothing else was taken from their pictures
    seconds: list[float]
    placement: Placement
    masks_from: str
    masks_propagated: int  # pictures that had no mask of their own
    cut_off: float
    pixels: float  # of a whole picture, at the size of the cuts

    @property
    def distinct(self) -> list[tuple[float, int]]:
        """Every time once, with the index of a moment that has it: pictures of one moment show one
        shape.
        """
        return sorted({m.time: index for index, m in reversed(list(enumerate(self.views)))}.items())


def _times(frames: list[Frame], fps: float, told: float) -> list[float]:
    """Seconds of every picture, from 0; `told` is the footage's own rate."""
    if fps:
        return [i / fps for i in range(len(frames))]
    known = seconds_of([f.time for f in frames], told)
    if known is None:
        raise InputError(
            "The capture's pictures have no time.",
            "Solve the cameras of a video, or say how many pictures a second there are (--fps).",
        )
    if len(np.unique(known)) < 2:
        raise InputError(
            "All pictures are of one moment: nothing can move in them.",
            "Train splats on them instead.",
        )
    return [float(t) for t in known]


def load(
    capture: Capture,
    masks: Path | None,
    fps: float,
    config: FootageConfig = FootageConfig(),
    holdout: int = 0,
    progress: Callable[[int, int], None] = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> ObjectFootage:
    """Reads everything, and holds every so manieth picture out; InputError, in one sentence, for
    footage that nothing can be made from.
    """
    if len(capture.frames) < 2:
        raise InputError(
            "There is only one picture: nothing moves in it.",
            "Choose a video, or a capture of several moments.",
        )
    if not all(f.is_pinhole for f in capture.frames):
        raise InputError(
            "The capture's pictures have lens distortion.",
            "Run `cameras` on it first: that undistorts them.",
        )
    check_holdout(holdout)
    seconds = _times(capture.frames, fps, capture.fps)
    order = np.argsort(seconds, kind="stable")
    seconds, capture = (
        [seconds[i] for i in order],
        replace(capture, frames=[capture.frames[i] for i in order]),
    )
    images = []
    for index, frame in enumerate(capture.frames):
        images.append(open_image(frame.image, "picture"))
        progress(index + 1, len(capture.frames))
    object_masks = find_masks(capture, masks, images, progress, keeper)
    cutouts = []
    for index, alpha in enumerate(object_masks.alphas):
        color = np.asarray(
            images.pop(0).convert("RGB")
        )  # one by one, so that they are not held twice
        frame = capture.frames[index]
        if not alpha.shape == color.shape[:2] == (frame.height, frame.width):
            raise InputError(
                f"{frame.image.name} has not the size that the capture tells.",
                "Solve the cameras again.",
            )
        unknown = object_masks.unknown[index] if object_masks.unknown else None
        cutouts.append(ObjectImage(color, alpha, unknown))
    there = [i for i, p in enumerate(cutouts) if (p.alpha > HALF).sum() >= LEAST]
    if len(there) < 2:
        raise InputError(
            "The object is in fewer than two pictures.", "Check the masks: white is the object."
        )
    held = held_out(len(there), holdout)
    return _to_views(
        [capture.frames[i] for i in there],
        [cutouts[i] for i in there],
        [seconds[i] for i in there],
        held,
        object_masks,
        config,
        progress,
    )


def _to_views(
    frames: list[Frame],
    cutouts: list[ObjectImage],
    seconds: list[float],
    held: list[int],
    masks: Masks,
    config: FootageConfig,
    progress: Callable[[int, int], None],
) -> ObjectFootage:
    viewmats = np.stack([to_viewmat(f.camera_to_world) for f in frames])
    kept = [i for i in range(len(frames)) if i not in set(held)]
    Ks = np.stack([f.K for f in frames])
    placement = between(
        place(viewmats[kept], Ks[kept], [cutouts[i].alpha for i in kept]), np.array(seconds), kept
    )
    cuts = [bounds(p.alpha, config.margin) for p in cutouts]
    scale = min(1.0, config.side / max(max(c[2] - c[0], c[3] - c[1]) for c in cuts))
    observations = find_tracks(
        [cutouts[i].color for i in kept],
        [cutouts[i].alpha for i in kept],
        list(Ks[kept]),
        config.tracks,
        progress,
    )
    tracks = [NOTHING] * len(frames)
    for index, observed in zip(kept, observations, strict=True):
        tracks[index] = observed
    span = max(seconds[-1] - seconds[0], 1e-9)
    views = []
    for index, (frame, image) in enumerate(zip(frames, cutouts, strict=True)):
        viewmat = torch.tensor(placement.viewmat(viewmats[index], index), dtype=torch.float32)
        level = cut_out(frame, image, placement.radius, scale, config.margin)
        views.append(
            TimedView(
                name=frame.image.name,
                time=(seconds[index] - seconds[0]) / span,
                viewmat=viewmat,
                levels=pyramid(level),
                tracks=tracks[index],
            )
        )
    cut_off = float(np.mean([_touches_border(p.alpha) for p in cutouts]))
    return ObjectFootage(
        views=views,
        held=held,
        seconds=seconds,
        placement=placement,
        masks_from=masks.source,
        masks_propagated=masks.propagated,
        cut_off=cut_off,
        pixels=scale**2 * cutouts[0].alpha.size,
    )


def on_device(footage: ObjectFootage, device: str) -> ObjectFootage:
    """With its pictures and cameras there."""
    return replace(footage, views=[m.to(device) for m in footage.views])


def _touches_border(alpha: Pixels) -> bool:
    """Whether the object is cut off by the picture's edge."""
    edge = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    return bool((edge > HALF).sum() > 4)
