"""What is known of a reconstruction, measured on its own footage."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..footage.timed_views import TimedView, seen_around
from ..optimization.loop import MeshClip
from ..optimization.quality import EvalView
from .measures import crossing_share, followed_share, part_outlines, unseen_share

MOMENTS = 5  # at which crossings are counted


@dataclass(frozen=True, kw_only=True)
class MeshEvidence:
    """Shares run 0..1; None where a thing can't be measured."""

    outline: float | None  # intersection over union with masks that were held out
    worst_part: str  # of PARTS, by its outline
    worst_outline: float | None
    psnr_inside: float | None  # dB, over the object's own pixels of held-out pictures
    unseen: float | None  # of the surface, by area, in no picture
    followed: float | None  # of what followed points move, 1 being all
    crossing: float  # of the faces, through others
    arc: float  # degrees around the object


def gather(
    clip: MeshClip,
    look: Callable[[TimedView], EvalView],
    quality: dict[str, float],
    one_mesh: bool,
) -> MeshEvidence:
    """`quality` as `measure` has it, empty where nothing was held out. What of a surface is never
    seen, and whether it goes along, can be told of one mesh that moves only.
    """
    views = clip.training
    parts = part_outlines([look(view) for view in clip.eval_views]) if quality else {}
    worst = min(parts, key=lambda part: parts[part], default="")
    few = np.unique(np.linspace(0, len(views) - 1, MOMENTS).round().astype(int))
    unseen = followed = None
    if one_mesh:
        faces = look(views[0]).look.faces

        def placed(view: TimedView) -> Tensor:
            return look(view).placed

        unseen = unseen_share(views, placed, faces)
        followed = followed_share(views, placed, faces)
    return MeshEvidence(
        outline=quality.get("iou"),
        worst_part=worst,
        worst_outline=parts.get(worst),
        psnr_inside=quality.get("psnr_inside"),
        unseen=unseen,
        followed=followed,
        crossing=crossing_share([look(views[k]) for k in few]),
        arc=seen_around(views),
    )
