"""The clips that `face` reads: each is followed, those that can't be used are left out with a word,
and all that are show one person.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..formats.name_pairing import listed
from ..media.decoding import probe
from ..protocol import InputError
from ..runtime.job import Job
from ..runtime.kept_stage import StageKeeper
from .face_verb import FaceOptions
from .fitting.head_motion import HeadMotion
from .pooled.likeness import STRANGE, difference, resting_points
from .pooled.sources import clip_paths
from .rigs.correspondence import Correspondence
from .rigs.rig import Rig
from .tracking.track import FaceTrack, FaceTracker, track_video

SIDEWAYS = 45.0  # degrees
ALIKE = 0.02  # share by which frame rates may differ and be called the same


@dataclass(kw_only=True)
class FaceClip:
    """One video, and what became of it so far."""

    path: Path
    frames: int = 0  # expected
    track: FaceTrack | None = None
    why: str = ""  # it is left out; empty: it is used
    seconds: float = 0.0  # of speech that was learned from

    @property
    def shown(self) -> FaceTrack:
        """Of a clip that is used."""
        assert self.track is not None
        return self.track

    def record(self) -> dict[str, Any]:
        """For the manifest."""
        track = self.track
        return {
            "video": self.path.name,
            "used": not self.why,
            "why": self.why,
            "frames": len(track.times) if track else 0,
            "seen": int(track.seen.sum()) if track else 0,
            "speech_seconds": round(self.seconds, 2),
        }


def named(job: Job[FaceOptions]) -> list[FaceClip]:
    """The videos of the request. InputError where one is missing."""
    sources = clip_paths(job.request.input, job.options.more)
    job.reads(sources.paths)
    for text in sources.told:
        job.warn("CLIPS", text)
    return [FaceClip(path=path) for path in sources.paths]


def used(clips: list[FaceClip]) -> list[FaceClip]:
    """Those that are not left out."""
    return [clip for clip in clips if not clip.why]


def follow(
    job: Job[FaceOptions], clips: list[FaceClip], tracker: FaceTracker, keeper: StageKeeper
) -> None:
    """Sets the tracks, in place. InputError where no clip can be used; `start` and `end` are of the
    first.
    """
    options = job.options
    parts = [(options.start, options.end), *[(0.0, 0.0)] * (len(clips) - 1)]
    for clip, (start, end) in zip(clips, parts, strict=True):
        _try(job, clips, clip, partial(_expect, clip, start, end))
    every = sum(clip.frames for clip in clips)
    before = 0
    for number, (clip, (start, end)) in enumerate(zip(clips, parts, strict=True)):
        inside = keeper.inside(f"clip-{number + 1}") if number else keeper

        def told(step: int, total: int, done: int = before) -> None:
            job.progress(done + step, max(every, done + total))

        def track(
            clip: FaceClip = clip,
            part: tuple[float, float] = (start, end),
            kept: StageKeeper = inside,
            told: Callable[[int, int], None] = told,
        ) -> None:
            clip.track = kept.stage(
                "track",
                FaceTrack,
                lambda: track_video(clip.path, tracker, *part, told, kept),
            )

        if not clip.why:
            _try(job, clips, clip, track)
        if clip.track is not None:
            _tell(job, clip.track, f"{clip.path.name}: " if len(clips) > 1 else "")
        before += clip.frames
    _tell_rates(job, used(clips))


def _expect(clip: FaceClip, start: float, end: float) -> None:
    info = probe(clip.path)
    clip.frames = max(0, round(((end or info.duration) - start) * info.fps))


def _try(
    job: Job[FaceOptions], clips: list[FaceClip], clip: FaceClip, work: Callable[[], None]
) -> None:
    """One clip that can't be used does not stop the others."""
    try:
        work()
    except InputError as error:
        clip.why = error.what
        if not used(clips):
            raise
        job.warn("LEFT_OUT", f"{clip.path.name} is left out: {error.what}")


def _tell(job: Job[FaceOptions], track: FaceTrack, name: str) -> None:
    if track.faces > 1:
        job.warn("FACES", f"{name}{track.faces} faces were seen; the largest is followed.")
    if not track.seen.all():
        job.warn(
            "LOST",
            f"{name}The face is hidden or turned away in {int((~track.seen).sum())} of "
            f"{len(track.seen)} frames.",
        )
    if aside := int((track.turned > SIDEWAYS).sum()):
        job.warn(
            "TURNED",
            f"{name}The face is turned far to the side in {aside} of {len(track.seen)} frames, "
            f"where it is followed less closely.",
        )
    if track.damage.resized:
        job.warn(
            "RESIZED",
            f"{name}The picture changes its size at {track.damage.resized:.1f} s; what has another "
            f"size is passed over.",
        )
    if track.damage.frames:
        job.warn("DAMAGE", f"{name}{track.damage.frames} frames of the video can't be decoded.")


def _tell_rates(job: Job[FaceOptions], clips: list[FaceClip]) -> None:
    rates = [rate_of(clip.shown) for clip in clips]
    if not rates or max(rates) <= (1 + ALIKE) * min(rates):
        return
    names: dict[str, list[str]] = {}
    for clip, rate in zip(clips, rates, strict=True):
        names.setdefault(f"{rate:.4g}", []).append(clip.path.name)
    each = "; ".join(f"{rate}: {listed(some)}" for rate, some in names.items())
    job.warn(
        "RATES",
        f"The videos have different frame rates ({each}). Each is read at its own, and all are "
        "learned from alike.",
    )


def rate_of(track: FaceTrack) -> float:
    """Frames a second."""
    return float(1 / np.median(np.diff(track.times))) if len(track.times) > 1 else 25.0


def leave_out_strangers(
    job: Job[FaceOptions], clips: list[FaceClip], rig: Rig, where: Correspondence
) -> None:
    """Of clips that are used, those whose face is plainly not the first one's, unless the user
    vouches for them.
    """
    some = used(clips)
    if len(some) < 2:
        return
    first, *others = some
    face = resting_points(first.shown, rig, where)
    for clip in others:
        apart = difference(face, resting_points(clip.shown, rig, where))
        if apart <= STRANGE:
            continue
        text = f"{clip.path.name} does not seem to show the person of {first.path.name}"
        size = f"the faces differ by {100 * apart:.1f} % of the eyes' distance"
        if job.options.trust_clips:
            job.warn("ANOTHER_FACE", f"{text} ({size}). It is read all the same.")
            continue
        clip.why = f"{text}."
        job.warn(
            "LEFT_OUT",
            f"{text} ({size}), and is left out. If it does, give --trust-clips (One Person).",
        )


def counted(clips: list[FaceClip], motions: list[HeadMotion]) -> str:
    """How many frames of how many videos, for people."""
    frames = f"{sum(len(motion.times) for motion in motions)} frames"
    if len(clips) == 1:
        return frames
    left = len(clips) - len(motions)
    out = f", {left} left out" if left else ""
    return f"{frames} of {len(motions)} videos{out}"
