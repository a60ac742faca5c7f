"""Footage made ready to be solved: gathered, looked at, cut to its longest shot, freed of doubles,
and tracked.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...geometry.arrays import Pixels
from ...media import photos, video
from ...media.frames import Footage, is_still
from ...media.tracks.follow import FollowConfig, follow
from ...media.tracks.tracks import Tracks
from ...protocol import InputError, SolveError
from ...runtime.job import Job
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .images import GrayFrames, read_image
from .sources import Source
from .triage import Triage, TriageConfig, look

TRACK_SIDE = 960  # pixels of the longer side that points are followed at
MOST_OBSERVATIONS = 300_000
MANY_DOUBLES = 0.1
BLUR_WARNING = 0.15


@dataclass(frozen=True)
class Excerpt:
    """What is taken of a source: so many images, their longer side in pixels, seconds of a
    video.
    """

    frames: int
    side: int
    start: float = 0.0
    end: float = 0.0  # 0: the video's


def gather(
    job: Job[Any],
    source: Source,
    excerpt: Excerpt,
    folder: Path,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Footage:
    """Pictures of the footage in one folder; SolveError when they all show the same."""
    frames, side = excerpt.frames, excerpt.side
    if frames < video.MIN_FRAMES:
        raise InputError(
            f"--frames {frames} is too few.", f"Cameras need at least {video.MIN_FRAMES} pictures."
        )
    if source.kind == "photos":
        footage = photos.gather(source.path, folder, frames, side, job.progress, keeper)
    else:
        footage = video.extract(
            source.path, folder, frames, side, excerpt.start, excerpt.end, job.progress, keeper
        )
        if footage.damage:
            job.warn("DAMAGED", f"{source.path.name} is damaged: {footage.damage}.")
    for text in (*source.told, *footage.told):
        job.warn("INPUT", text)
    if is_still(footage):
        raise SolveError(
            "All pictures of the footage are the same.",
            "Cameras need footage in which the camera moves.",
        )
    return footage


def _warn(job: Job[Any], triage: Triage, count: int) -> None:
    if triage.blurred and len(triage.blurred) > BLUR_WARNING * count:
        job.warn(
            "BLUR",
            f"{len(triage.blurred)} of {count} pictures are much more blurred than the rest. Film "
            f"with a shorter exposure.",
        )
    if triage.light > 1.5:
        job.warn(
            "LIGHT",
            f"The exposure changes by {triage.light:.1f} stops. Lock it when you film: splats will "
            f"show it.",
        )


def choose(job: Job[Any], footage: Footage, triage: Triage, config: TriageConfig) -> Footage:
    """The longest shot without doubles."""
    first, last = triage.longest_shot
    if len(triage.shots) > 1:
        where = ", ".join(
            f"{footage.times[begin]:.1f} s" if footage.times else f"picture {begin + 1}"
            for begin, _ in triage.shots[1:6]
        )
        job.warn(
            "CUT",
            f"The footage is cut at {where}. Only its longest shot, {last - first} of "
            f"{len(footage.names)} pictures, is solved.",
        )
    if last - first < min(config.shortest, len(footage.names)):
        raise SolveError(
            f"The longest shot between cuts has {last - first} pictures.",
            "Give one shot without cuts (--start, --end).",
        )
    doubles = set(triage.doubles)
    keep = [i for i in range(first, last) if i == first or i not in doubles]
    if last - first - len(keep) > MANY_DOUBLES * (last - first):
        job.warn(
            "DOUBLES",
            f"{last - first - len(keep)} pictures repeat the one before and were left out.",
        )
    if len(keep) < video.MIN_FRAMES:
        raise SolveError(
            "Nearly all pictures of the footage are the same.",
            "Cameras need footage in which the camera moves.",
        )
    return footage.only(keep)


def small_masks(
    masks: Path | None, footage: Footage, size: tuple[int, int]
) -> list[Pixels | None] | None:
    """Masks at the tracked size, their holes widened so that no window reaches into what moves."""
    if masks is None:
        return None
    kernel = np.ones((7, 7), np.uint8)
    read = (
        cv2.resize(read_image(masks / f"{name}.png"), size, interpolation=cv2.INTER_NEAREST)
        for name in footage.names
    )
    return [np.asarray(cv2.erode(m, kernel), np.uint8) for m in read]


def follow_points(
    job: Job[Any], footage: Footage, masks: Path | None, keeper: StageKeeper = KEEP_NOTHING
) -> Tracks:
    """Tracks in pixels of the footage."""
    frames = GrayFrames(footage, TRACK_SIDE)
    window = int(np.clip(max(frames.size) // 24, 11, 21)) | 1
    points = int(np.clip(MOST_OBSERVATIONS / len(footage.names), 300, 1200))
    config = FollowConfig(
        points=points, window=window, back_and_forth=0.3 * max(1.0, max(frames.size) / 640)
    )
    return follow(
        frames, config, small_masks(masks, footage, frames.size), job.progress, keeper
    ).scaled(frames.scale)


def prepare(
    job: Job[Any],
    source: Source,
    excerpt: Excerpt,
    work: Path,
    config: TriageConfig,
    keeper: StageKeeper = KEEP_NOTHING,
) -> tuple[Footage, Triage | None, int]:
    """Gathers, looks, and keeps what can be solved together; also how many pictures were
    gathered.
    """
    footage = gather(job, source, excerpt, work / "images", keeper)
    gathered = len(footage.names)
    if not footage.ordered and len(footage.names) < config.shortest:
        return footage, None, gathered
    triage = look(GrayFrames(footage, 480), config)
    if not footage.ordered and (triage.survival < config.sequence or len(triage.shots) > 1):
        return footage, None, gathered
    footage = replace(footage, ordered=True)  # a folder of frames is a clip
    if triage.is_still:
        raise SolveError(
            "Nothing moves in the footage: the camera stood still.",
            "Move the camera through the scene; a tripod shot has no depth.",
        )
    _warn(job, triage, len(footage.names))
    return choose(job, footage, triage, config), triage, gathered
