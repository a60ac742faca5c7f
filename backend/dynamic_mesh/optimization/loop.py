"""What both ways of reconstruction start from and report to: the footage, what is held out of it, and the loop of small steps."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...protocol import InputError, SplatsmithError
from ...runtime import checkpoint
from ...runtime.atomic import atomic_path
from ...runtime.job import Job
from ..footage.load import Footage
from ..footage.timed_views import Moment
from .quality import Judged, measure, side_by_side

CHECKPOINT_SECONDS = 20.0
STATE = "state.safetensors"


@dataclass(frozen=True)
class Clip:
    """The footage, and those of its pictures that are for training."""

    footage: Footage
    training: list[Moment]

    @property
    def judged(self) -> list[Moment]:
        """What was held out; where nothing was, some of the rest, to look at."""
        moments = self.footage.moments
        return [moments[i] for i in self.footage.held] or moments[::8]


def make_clip(footage: Footage) -> Clip:
    training = [m for i, m in enumerate(footage.moments) if i not in set(footage.held)]
    if len({m.time for m in training}) < 2:
        raise InputError("With so many pictures held out nothing is left to learn from.", "Hold out fewer (--holdout 8).")
    return Clip(footage, training)


@dataclass(frozen=True)
class Descent:
    """Something that gets better step by step; the functions say how."""

    at: Callable[[], int]
    steps: int
    step: Callable[[], float]  # makes one; the loss
    state: Callable[[], dict[str, Tensor]]
    look: Callable[[Moment], Judged]


def descend(job: Job, clip: Clip, descent: Descent) -> None:
    """To the end; what was reached is kept every now and then, and when the user cancels."""
    last, smooth = time.monotonic(), 0.0
    while descent.at() < descent.steps:
        loss = descent.step()
        if not np.isfinite(loss):
            raise SplatsmithError("The fit diverged.", "Check the masks and the cameras, or try another seed.")
        smooth = loss if smooth == 0 else 0.98 * smooth + 0.02 * loss
        try:
            job.progress(descent.at(), descent.steps, loss=smooth)
        except SplatsmithError:
            _save(job, descent)
            raise
        if time.monotonic() - last > CHECKPOINT_SECONDS:
            _save(job, descent)
            _preview(job, descent, clip.training[len(clip.training) // 2])
            last = time.monotonic()


def _save(job: Job, descent: Descent) -> None:
    checkpoint.save(job.folder.checkpoint / STATE, descent.state(), {"step": descent.at()})


def saved(job: Job) -> tuple[dict[str, Tensor], int] | None:
    """Where a stopped run was; None, with a warning if need be, where the work starts anew."""
    if not job.resumed:
        return None
    try:
        tensors, note = checkpoint.load(job.folder.checkpoint / STATE)
    except SplatsmithError as error:
        job.warn("CHECKPOINT", f"{error.what} The work starts anew.")
        return None
    return tensors, int(note["step"])


@torch.no_grad()
def _preview(job: Job, descent: Descent, moment: Moment) -> None:
    path = job.folder.previews / f"{descent.at():06d}.png"
    with atomic_path(path) as part:
        Image.fromarray(side_by_side([descent.look(moment)])).save(part)
    job.preview(path)


def judge(job: Job, clip: Clip, look: Callable[[Moment], Judged]) -> tuple[dict[str, float], str]:
    """Leaves heldout.png; PSNR and IoU on what was held out, and how a sentence about them ends."""
    judged = [look(moment) for moment in clip.judged]
    Image.fromarray(side_by_side(judged[:5])).save(job.folder.staging / "heldout.png")
    if not clip.footage.held:
        return {}, ""
    quality = measure(judged, clip.footage.pixels)
    return quality, f", outline {quality['iou']:.0%} right and {quality['psnr']:.1f} dB on {len(clip.footage.held)} held-out pictures"
