"""What both ways of reconstruction start from and report to: the footage, what is held out of it,
and the loop of small steps.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...protocol import InputError, SplatsmithError
from ...runtime import checkpoint, kept_stage
from ...runtime.atomic import atomic_path
from ...runtime.job import Job
from ..footage.load import ObjectFootage
from ..footage.timed_views import TimedView
from .quality import EvalView, measure, side_by_side

STATE = "state.safetensors"


@dataclass(frozen=True)
class MeshClip:
    """The footage, and those of its pictures that are for training."""

    footage: ObjectFootage
    training: list[TimedView]

    @property
    def eval_views(self) -> list[TimedView]:
        """What was held out; where nothing was, some of the rest, to look at."""
        views = self.footage.views
        return [views[i] for i in self.footage.held] or views[::8]


def make_clip(footage: ObjectFootage) -> MeshClip:
    """The footage with its training views; InputError where less than two moments are left."""
    training = [m for i, m in enumerate(footage.views) if i not in set(footage.held)]
    if len({m.time for m in training}) < 2:
        raise InputError(
            "With so many pictures held out nothing is left to learn from.",
            "Hold out fewer (--holdout 8).",
        )
    return MeshClip(footage, training)


@dataclass(frozen=True, kw_only=True)
class Optimization:
    """Something that gets better step by step; the functions say how."""

    at: Callable[[], int]
    steps: int
    step: Callable[[], float]  # makes one; the loss
    state: Callable[[], dict[str, Tensor]]
    look: Callable[[TimedView], EvalView]


def optimize(job: Job[Any], clip: MeshClip, optimization: Optimization) -> None:
    """To the end; what was reached is kept every now and then, and when the user cancels."""
    last, smooth = time.monotonic(), 0.0
    while optimization.at() < optimization.steps:
        loss = optimization.step()
        if not np.isfinite(loss):
            raise SplatsmithError(
                "The fit diverged.", "Check the masks and the cameras, or try another seed."
            )
        smooth = loss if smooth == 0 else 0.98 * smooth + 0.02 * loss
        try:
            job.progress(optimization.at(), optimization.steps, loss=smooth)
        except SplatsmithError:
            _save(job, optimization)
            raise
        if time.monotonic() - last > kept_stage.SECONDS:
            _save(job, optimization)
            _preview(job, optimization, clip.training[len(clip.training) // 2])
            last = time.monotonic()
    if time.monotonic() - last > kept_stage.LEAST:
        _save(job, optimization)


def _save(job: Job[Any], optimization: Optimization) -> None:
    checkpoint.save(
        job.folder.checkpoint / STATE, optimization.state(), {"step": optimization.at()}
    )


def saved(job: Job[Any]) -> tuple[dict[str, Tensor], int] | None:
    """Where a stopped run was; None where the work starts anew. Raises CheckpointError for what
    can't be gone on from.
    """
    path = job.folder.checkpoint / STATE
    if not job.resumed or not path.is_file():  # stopped before the first step was kept
        return None
    tensors, note = checkpoint.load(path, finite=True)
    with checkpoint.restoring():
        return tensors, int(note["step"])


@torch.no_grad()
def _preview(job: Job[Any], optimization: Optimization, view: TimedView) -> None:
    path = job.folder.previews / f"{optimization.at():06d}.png"
    with job.drawing():
        with atomic_path(path) as part:
            Image.fromarray(side_by_side([optimization.look(view)])).save(part)
        job.preview(path)


def evaluate(
    job: Job[Any], clip: MeshClip, look: Callable[[TimedView], EvalView]
) -> tuple[dict[str, float], str]:
    """Leaves heldout.png; PSNR and IoU on what was held out, and how a sentence about them ends."""
    eval_views = [look(view) for view in clip.eval_views]
    Image.fromarray(side_by_side(eval_views[:5])).save(job.folder.staging / "heldout.png")
    if not clip.footage.held:
        return {}, ""
    quality = measure(eval_views, clip.footage.pixels)
    return (
        quality,
        f", outline {quality['iou']:.0%} right and {quality['psnr_inside']:.1f} dB inside it "
        f"({quality['psnr']:.1f} over whole pictures) on {len(clip.footage.held)} held-out "
        f"pictures",
    )
