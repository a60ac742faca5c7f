"""From a fitted clip to a Gaussian head, with frames kept back to see how good it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ...gaussians.losses import psnr
from ...networks.segmenter import Segmenter
from ...protocol import InputError
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..fitting.head_motion import HeadMotion
from ..rigs.rig import Rig
from ..whole_head.assembly import WholeHead, assemble
from ..whole_head.matting import MattingConfig
from .initialization import BeginConfig, begin
from .model import BoundGaussians, BoundMesh, bound_mesh
from .training import HeadTrainingConfig, render, train_head
from .training_views import SeenFrame, read_frames

INVENTED = 0.5  # more than half of it was seen in no frame


@dataclass(frozen=True, kw_only=True)
class LearnConfig:
    """How much of a clip is looked at, and how closely."""

    gaussians: int = 20_000
    side: int = 320  # longer side of the head in the pictures, pixels
    frames: int = 150
    first_look: int = 40  # of these, the frames that tell the first colours
    wide: int = 16  # and of which the whole picture is learned from, for neck and shoulders
    held_out: int = 6
    matting: MattingConfig = field(default_factory=MattingConfig)
    begin: BeginConfig = field(default_factory=BeginConfig)
    training: HeadTrainingConfig = field(default_factory=HeadTrainingConfig)


@dataclass(frozen=True, kw_only=True)
class LearnedHead:
    """A trained head, and how it does on frames that it has not seen."""

    model: BoundGaussians
    mesh: BoundMesh
    corners: torch.Tensor  # (N, 3) vertices of the whole rig
    invented: torch.Tensor  # (N,) 1 where no frame has shown anything
    whole: WholeHead
    held_out: list[SeenFrame]

    def follow(self) -> torch.Tensor:
        """(N,) 1 for Gaussians of the head, 0 for those of the shoulders."""
        share = torch.from_numpy(self.whole.anatomy.follow(self.whole.motion.rest))
        return share[self.corners].mean(1)

    def look(self, frame: SeenFrame, coefficients: torch.Tensor) -> torch.Tensor:
        """(H, W, 3) of one frame: the head over what surrounds it, with nothing of that frame
        within its outline.
        """
        drawn = render(self.model, self.mesh, coefficients, frame.viewmat, frame.K, frame.size)
        behind = frame.image * (1 - frame.matte)
        return (drawn.image[0] + (1 - drawn.alpha[0]) * behind).clamp(0, 1)

    def sheet(self, coefficients: torch.Tensor, rows: int = 2) -> Image.Image:
        """The footage beside the head, in some of the frames held out."""
        some = self.held_out[:: max(1, len(self.held_out) // rows)][:rows]
        pairs = [torch.cat([f.image, self.look(f, coefficients[f.number])], 1) for f in some]
        sheet = Image.new("RGB", (max(p.shape[1] for p in pairs), sum(p.shape[0] for p in pairs)))
        top = 0
        for pair in pairs:
            sheet.paste(Image.fromarray((pair * 255).round().byte().numpy()), (0, top))
            top += pair.shape[0]
        return sheet

    def quality(self, coefficients: torch.Tensor) -> float:
        """PSNR within the head's outline over the frames held out, as tracked: (T, K) of all
        frames.
        """
        pairs = [
            (self.look(f, coefficients[f.number])[f.outline], f.image[f.outline])
            for f in self.held_out
        ]
        return psnr(torch.cat([p[0] for p in pairs]), torch.cat([p[1] for p in pairs]))


def chosen_frames(
    seen: NDArray[np.bool_], count: int, held_out: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of frames to learn from and to keep back, both spread over those in which the face
    was seen.
    """
    there = np.flatnonzero(seen)
    kept = (
        there[_spread(len(there), held_out + 2)[1:-1]] if len(there) > 4 * held_out else there[:0]
    )
    rest = np.setdiff1d(there, kept)
    return rest[_spread(len(rest), count)], kept


def _spread(length: int, count: int) -> NDArray[np.int64]:
    """At most `count` places in 0 .. length - 1."""
    return np.unique(np.linspace(0, length - 1, min(count, length)).round().astype(np.int64))


def learn_head(
    path: Path,
    rig: Rig,
    motion: HeadMotion,
    numbers: NDArray[np.int64],
    held_out: NDArray[np.int64],
    max_side: int,
    config: LearnConfig = LearnConfig(),
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda share: None,
    keeper: StageKeeper = KEEP_NOTHING,
    network: Segmenter | None = None,
) -> LearnedHead:
    """Of the video at `path`, by its frames with these `numbers`; `max_side` is the tracker's.
    InputError without a frame.
    """
    whole = assemble(
        path,
        rig,
        motion,
        numbers,
        max_side,
        config.matting,
        lambda share: progress(0.1 * share),
        network,
    )
    every, kept = np.concatenate([numbers, held_out]), set(held_out.tolist())
    wide = numbers[:: max(1, len(numbers) // config.wide)] if config.wide else numbers[:0]
    frames = read_frames(
        path,
        whole,
        every,
        wide,
        config.side,
        max_side,
        lambda done: progress(0.1 + 0.1 * done / (len(every) + len(wide))),
    )
    learned = [f for f in frames if f.number not in kept]
    if not learned:
        raise InputError(
            f"No frame of {path.name} could be read again.",
            "Keep the video where it is while it is worked on.",
        )
    few = learned[:: max(1, len(learned) // config.first_look)]
    begun = begin(whole, few, config.gaussians, config.begin, seed)
    shapes, triangles = whole.rig.tensors()
    mesh = bound_mesh(torch.from_numpy(whole.motion.rest), shapes, triangles, begun.where)
    rows = whole.motion.coefficients[[f.number for f in learned]]
    steps, placed, there = config.training.steps, begun.model.on(device), mesh.on(device)
    train_head(
        placed,
        there,
        [frame.on(device) for frame in learned],
        torch.from_numpy(rows).to(device),
        torch.from_numpy(whole.rig.lowest).to(device),
        begun.held.to(device),
        config.training,
        seed,
        lambda step, loss: progress(0.2 + 0.8 * step / steps),
        keeper,
    )
    return LearnedHead(
        model=placed.on("cpu"),
        mesh=mesh,
        corners=triangles[begun.where],
        invented=begun.invented,
        whole=whole,
        held_out=[f for f in frames if f.number in kept],
    )
