"""How a mesh does on its own footage: outlines by part, what is never seen, what goes along, what
crosses.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..footage.point_tracks import partners, surface_at
from ..footage.timed_views import TimedView
from ..optimization.quality import EvalView, mask_iou, render
from ..surfaces.crossings import crossing_faces
from ..surfaces.mesh_rasterizer import fragments, project, visible_faces

Placed = Callable[[TimedView], Tensor]  # the mesh (V, 3) at a moment
PARTS = ("upper", "middle", "lower")
TOGETHER = 8  # tracks that two moments share, to be compared
MOVED = 0.03  # half boxes that a point moves between them, or its way is noise
LEAST = 50  # such points, or nothing is said


@torch.no_grad()
def part_outlines(views: list[EvalView]) -> dict[str, float]:
    """Mask IoU of each third of the object's height in pictures: limbs that lag show there, and
    hide in the whole.
    """
    scores: dict[str, list[float]] = {part: [] for part in PARTS}
    for each in views:
        level, drawn = each.view.levels[0], render(each)[..., 3]
        rows = (level.alpha > 0.5).any(1).nonzero()[:, 0]
        if not len(rows):
            continue
        cuts = np.linspace(int(rows[0]), int(rows[-1]) + 1, len(PARTS) + 1).round().astype(int)
        cuts[0], cuts[-1] = 0, len(drawn)
        for part, low, high in zip(PARTS, cuts, cuts[1:], strict=False):
            known = None if level.known is None else level.known[low:high]
            scores[part].append(mask_iou(drawn[low:high], level.alpha[low:high], known))
    return {part: float(np.mean(values)) for part, values in scores.items() if values}


@torch.no_grad()
def unseen_share(views: list[TimedView], placed: Placed, faces: Tensor) -> float:
    """Of the surface's area, what no picture shows as part of the object."""
    seen = torch.zeros(len(faces), dtype=torch.bool, device=faces.device)
    area = torch.zeros(len(faces), device=faces.device)
    for view in views:
        level, vertices = view.levels[0], placed(view)
        width, height = level.size
        K = level.K * level.K.new_tensor([[2], [2], [1]])  # finer, for small triangles
        screen = project(vertices, faces, view.viewmat, K, (2 * width, 2 * height))
        nearest = visible_faces(screen).view(2 * height, 2 * width)
        inside = (level.alpha > 0.5).repeat_interleave(2, 0).repeat_interleave(2, 1)
        shown = nearest[inside & (nearest >= 0)]
        seen[shown] = True
        a, b, c = vertices[faces].unbind(1)
        area += torch.linalg.cross(b - a, c - a).norm(dim=1)
    return float((area * ~seen).sum() / area.sum().clamp_min(1e-12))


@torch.no_grad()
def followed_share(views: list[TimedView], placed: Placed, faces: Tensor) -> float | None:
    """How far the surface goes along with the points that were followed on it: the slope of its
    ways against theirs, across the view, beyond what the camera moves; 0 for a mesh that stands.
    """
    along, total, count = 0.0, 0.0, 0
    for index, others in enumerate(partners(views, TOGETHER)):
        later = others[others > index]
        if not len(later):
            continue
        here, there = views[index], views[int(later[-1])]
        level, now, then = here.levels[0], placed(here), placed(there)
        seen = fragments(project(now, faces, here.viewmat, level.K, level.size))
        on = surface_at(seen, here, level, there)
        corners = faces[seen.faces[on.at]]
        stood, went = (
            (v[corners] * seen.barycentric[on.at][..., None]).sum(1) @ there.viewmat[:3, :3].T
            + there.viewmat[:3, 3]
            for v in (now, then)
        )
        depth = stood[:, 2:]
        at_rest = stood[:, :2] / depth
        asked, gone = (on.rays - at_rest) * depth, (went[:, :2] / went[:, 2:] - at_rest) * depth
        moves = asked.norm(dim=1) > MOVED
        along += float((asked * gone).sum(1)[moves].sum())
        total += float(asked.square().sum(1)[moves].sum())
        count += int(moves.sum())
    return along / total if count >= LEAST else None


@torch.no_grad()
def crossing_share(views: list[EvalView]) -> float:
    """Of the faces, what passes through others, on average over moments."""
    shares = [
        crossing_faces(each.placed.cpu().double().numpy(), each.look.faces.cpu().numpy()).mean()
        for each in views
    ]
    return float(np.mean(shares))
