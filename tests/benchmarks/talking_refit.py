"""How well a head could follow a filmed mouth if its motion were known: expression and pose of a
judged frame are fitted to one half of its pixels, and scored on the other half, both ways. So what
is scored was not fitted; but the judged picture was looked at, where the tracker, too, sees it.
"""

import numpy as np
import torch
from torch import Tensor

from backend.gaussians.losses import psnr
from backend.talking_head.gaussian_head.learn import LearnedHead, surroundings
from backend.talking_head.gaussian_head.training import FrameRefinement, render
from backend.talking_head.gaussian_head.training_views import SeenFrame
from backend.talking_head.whole_head import neck

BLOCK = 4  # pixels of a square; the halves are a chessboard's
STEPS, MOST = 20, 6  # of Adam; frames
RATES, PULL = (2e-2, 2e-3), 1e-3  # of coefficients and pose; of both to the tracker's
FACE = 0.3  # weight of the rest of the face, which holds the pose


def refitted(
    learned: LearnedHead, faces: dict[int, Tensor], mouths: dict[int, Tensor]
) -> tuple[float, float]:
    """PSNR in the mouth in some of the frames held out, tracked and fitted so; masks (H, W) by
    the frames' numbers.
    """
    tracked, fitted, truth = [], [], []
    for frame in learned.held_out[:: max(1, len(learned.held_out) // MOST)][:MOST]:
        row, column = np.mgrid[: frame.size[1], : frame.size[0]]
        white = torch.from_numpy((row // BLOCK + column // BLOCK) % 2 == 0)
        start = torch.from_numpy(learned.whole.motion.coefficients[frame.number])
        face, mouth = faces[frame.number], mouths[frame.number]
        for half in (white, ~white):
            weights = (FACE * face.float() + mouth.float()) * half
            scored = mouth & ~half
            tracked.append(learned.look(frame, start)[scored])
            fitted.append(_fitted(learned, frame, start, weights)[scored])
            truth.append(frame.image[scored])
    return tuple(psnr(torch.cat(looks), torch.cat(truth)) for looks in (tracked, fitted))  # type: ignore[return-value]


def _fitted(learned: LearnedHead, frame: SeenFrame, start: Tensor, weights: Tensor) -> Tensor:
    """(H, W, 3) with the expression and pose that meet the weighted pixels (H, W) best."""
    lowest = torch.from_numpy(learned.whole.rig.lowest)
    free = torch.ones(len(start))
    free[-len(neck.NAMES) :] = 0
    off = FrameRefinement(torch.zeros(1, len(start)), torch.zeros(1, 6))
    both = (off.coefficients, off.poses)
    groups = [
        {"params": [t.requires_grad_(True)], "lr": r} for t, r in zip(both, RATES, strict=True)
    ]
    optimizer, behind = torch.optim.Adam(groups, betas=(0.9, 0.99)), surroundings(frame)

    def look() -> Tensor:
        used = (start + off.coefficients[0] * free).maximum(lowest).clamp(max=1)
        pose = off.viewmat(frame.viewmat, 0)
        drawn = render(learned.model, learned.mesh, used, pose, frame.K, frame.size)
        return (drawn.image[0] + (1 - drawn.alpha[0]) * behind).clamp(0, 1)

    for step in range(STEPS):
        for group, rate in zip(optimizer.param_groups, RATES, strict=True):
            group["lr"] = rate * 0.1 ** (step / STEPS)
        error = ((look() - frame.image).square().mean(-1) * weights).sum() / weights.sum()
        pull = sum(t.square().sum() for t in both)
        optimizer.zero_grad()
        (100 * error + PULL * pull).backward()
        optimizer.step()
    with torch.no_grad():
        return look()
