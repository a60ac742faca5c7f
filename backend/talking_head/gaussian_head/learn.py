"""From a fitted clip to a Gaussian head, with frames kept back to see how good it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
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
from ..whole_head.assembly import WholeHead, also_filmed, assemble
from ..whole_head.matting import MattingConfig
from .exposure import relative_light
from .guard import guard_views
from .initialization import BeginConfig, ShownClip, begin, shown_colors
from .model import BoundGaussians, BoundMesh, bound_mesh
from .training import HeadTrainingConfig, render, train_head
from .training_views import SeenFrame, read_frames

INVENTED = 0.5  # more than half of it was seen in no frame
LOOKED_AT = 4  # frames of a clip at least, for its first colours
FIRST = 40  # frames of the first of several clips
EDGE = 25  # pixels, of the window in which colours beside a head are looked for


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
        return (drawn.image[0] + (1 - drawn.alpha[0]) * surroundings(frame)).clamp(0, 1)

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


def surroundings(frame: SeenFrame) -> torch.Tensor:
    """(H, W, 3) what lies around the person in a frame, and at the outline's inner edge, where a
    fitted head is larger than the filmed one, the colours beside it; black further in.
    """
    outside = 1 - frame.matte
    size = (EDGE, EDGE)
    share = cv2.blur(outside[..., 0].numpy(), size)
    near = cv2.blur((frame.image * outside).numpy(), size) / np.maximum(share, 1e-4)[..., None]
    return frame.image * outside + torch.from_numpy(near) * (1 - outside)


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


@dataclass(frozen=True, kw_only=True)
class OtherClip:
    """Another video of the person, which the head learns from as well."""

    path: Path
    motion: HeadMotion  # on the resting face that all clips share
    numbers: NDArray[np.int64]  # of its frames


def shared_frames(
    seen: Sequence[NDArray[np.bool_]], count: int, held_out: int
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Numbers of frames to learn from, of each clip by how long it shows the face, and to keep
    back of the first one; which has FIRST at least or half of them, since it alone tells outlines.
    """
    lengths = [int(flags.sum()) for flags in seen]
    every = max(sum(lengths), 1)
    mine = max(round(count * lengths[0] / every), min(FIRST, count // 2), 1)
    first, kept = chosen_frames(seen[0], mine, held_out)
    left = (count - mine) / max(every - lengths[0], 1)
    others = [
        np.flatnonzero(flags)[_spread(length, round(left * length))]
        for flags, length in zip(seen[1:], lengths[1:], strict=True)
    ]
    return [first, *others], kept


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
    others: Sequence[OtherClip] = (),
) -> LearnedHead:
    """Of the video at `path`, by its frames with these `numbers`, and of `others`, which tell what
    the head looks like but not hair's outline or clothes; `max_side` is the tracker's. InputError
    without a frame.
    """
    reading = _Reading(
        config=config,
        max_side=max_side,
        progress=progress,
        network=network,
        count=1 + len(others),
    )
    whole = assemble(
        path,
        rig,
        motion,
        numbers,
        max_side,
        config.matting,
        lambda share: reading.tell(0, 0.5 * share),
        network,
    )
    every, kept = np.concatenate([numbers, held_out]), set(held_out.tolist())
    frames = reading.frames(path, whole, every, _wide(numbers, config), 0)
    learned = [f for f in frames if f.number not in kept]
    if not learned:
        raise InputError(
            f"No frame of {path.name} could be read again.",
            "Keep the video where it is while it is worked on.",
        )
    clips = [ShownClip(whole, learned), *reading.others(whole, learned, others)]
    begun = begin([reading.few(clip) for clip in clips], config.gaussians, config.begin, seed)
    shapes, triangles = whole.rig.tensors()
    mesh = bound_mesh(torch.from_numpy(whole.motion.rest), shapes, triangles, begun.where)
    rows = [c.whole.motion.coefficients[[f.number for f in c.frames]] for c in clips]
    guards = guard_views(
        whole,
        begun.model,
        mesh,
        begun.faced,
        np.concatenate(rows),
        config.training.guard,
        seed,
    )
    steps, placed, there = config.training.steps, begun.model.on(device), mesh.on(device)
    train_head(
        placed,
        there,
        [frame.on(device) for clip in clips for frame in clip.frames],
        torch.from_numpy(np.concatenate(rows)).to(device),
        torch.from_numpy(whole.rig.lowest).to(device),
        begun.held.to(device),
        config.training,
        seed,
        lambda step, loss: progress(0.2 + 0.8 * step / steps),
        keeper,
        [view.on(device) for view in guards],
    )
    return LearnedHead(
        model=placed.on("cpu"),
        mesh=mesh,
        corners=triangles[begun.where],
        invented=begun.invented,
        whole=whole,
        held_out=[f for f in frames if f.number in kept],
    )


def _wide(numbers: NDArray[np.int64], config: LearnConfig) -> NDArray[np.int64]:
    return numbers[:: max(1, len(numbers) // config.wide)] if config.wide else numbers[:0]


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """Reads frames of `count` clips, and tells how far it is: the first fifth of all."""

    config: LearnConfig
    max_side: int
    progress: Callable[[float], None]
    network: Segmenter | None
    count: int

    def few(self, clip: ShownClip) -> ShownClip:
        """Those of the frames that tell the first colours: so many of all clips together."""
        most = max(LOOKED_AT, self.config.first_look // self.count)
        return replace(clip, frames=clip.frames[:: max(1, len(clip.frames) // most)])

    def tell(self, clip: int, share: float) -> None:
        self.progress(0.2 * (clip + share) / self.count)

    def frames(
        self,
        path: Path,
        whole: WholeHead,
        every: NDArray[np.int64],
        wide: NDArray[np.int64],
        clip: int,
    ) -> list[SeenFrame]:
        return read_frames(
            path,
            whole,
            every,
            wide,
            self.config.side,
            self.max_side,
            lambda done: self.tell(clip, 0.5 + 0.5 * done / (len(every) + len(wide))),
        )

    def others(
        self, whole: WholeHead, first: list[SeenFrame], others: Sequence[OtherClip]
    ) -> list[ShownClip]:
        """Those of the other clips that can be read, in the light of the first one."""
        if not others:
            return []
        known, clips = shown_colors(self.few(ShownClip(whole, first))), []
        for number, other in enumerate(others, 1):
            mine = also_filmed(
                whole,
                other.path,
                other.motion,
                other.numbers,
                self.max_side,
                self.config.matting,
                lambda share, clip=number: self.tell(clip, 0.5 * share),  # type: ignore[misc]
                self.network,
            )
            frames = self.frames(other.path, mine, other.numbers, other.numbers[:0], number)
            if not frames:
                continue
            some = self.few(ShownClip(mine, frames))
            light = relative_light(shown_colors(some), known)
            clips.append(ShownClip(mine, [frame.in_light(light) for frame in frames]))
        return clips
