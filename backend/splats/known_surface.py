"""Points of confirmed surfaces, with normals, and how well the picture they are of shows them."""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .known_depth import KnownDepth, color_at, points_of
from .novel_cameras import place_of
from .views import TrainingView

BENT = 0.01  # of the depth, from a plane through the neighbours: where it is more, two things meet


@dataclass(frozen=True, kw_only=True)
class SurfacePoints:
    """N points."""

    means: Tensor  # (N, 3)
    normals: Tensor  # (N, 3) towards the picture's camera
    density: Tensor  # (N,) pixels of the picture an area
    colors: Tensor  # (N, 3) 0..255
    picture: Tensor  # (N,) index of the view

    def take(self, rows: Tensor) -> "SurfacePoints":
        """Some of them."""
        return SurfacePoints(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def known_surface(
    views: list[TrainingView], known: list[KnownDepth], most: int, gains: Tensor
) -> SurfacePoints:
    """What the depth maps show, at most so many points of each, without the outlines of things;
    colours as if all pictures, with their `gains` (V, 3), were exposed alike.
    """
    index = {id(view): i for i, view in enumerate(views)}
    parts = [_surface_of(one, index[id(one.view)], most) for one in known]
    surface = SurfacePoints(
        **{f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(SurfacePoints)}
    )
    return replace(surface, colors=(surface.colors / gains[surface.picture]).clamp(max=255))


def _surface_of(one: KnownDepth, index: int, most: int) -> SurfacePoints:
    points = points_of(one.view, one.depth).reshape(*one.depth.shape, 3)
    middle = points[1:-1, 1:-1]
    normals = torch.linalg.cross(
        points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
    )
    area = normals.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    towards = (normals * (place_of(one.view.viewmat) - middle)).sum(-1, keepdim=True).sign()
    flat = _is_flat(one.depth)
    colors, counts = color_at(one.view, middle[flat])
    surface = SurfacePoints(
        means=middle[flat],
        normals=(normals * towards / area)[flat],
        density=1 / area[..., 0][flat],
        colors=colors,
        picture=torch.full((int(flat.sum()),), index),
    )
    kept = counts.nonzero()[:, 0]
    return surface.take(kept[:: max(1, -(-len(kept) // most))])


def _is_flat(depth: Tensor) -> Tensor:
    """(h - 2, w - 2) the depth is known around, and of one surface: planes are straight in 1/z."""
    inverse = torch.where(depth > 0, 1 / depth, torch.nan)
    middle = inverse[1:-1, 1:-1]
    across = (inverse[1:-1, 2:] + inverse[1:-1, :-2]) / 2
    down = (inverse[2:, 1:-1] + inverse[:-2, 1:-1]) / 2
    bent = torch.maximum((across - middle).abs(), (down - middle).abs())  # NaN where unknown
    return bent < BENT * middle
