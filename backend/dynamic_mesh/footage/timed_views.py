"""The footage as the fit sees it: pictures of the object alone, cut out around it, with camera and
time, in a unit box.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class PyramidLevel:
    """A picture of the object at one size; `K` belongs to this size and cut."""

    color: Tensor  # (H, W, 3) 0..1, black where the object is not
    alpha: Tensor  # (H, W) how much of a pixel is the object
    K: Tensor  # (3, 3)
    # (H, W) along the viewing axis in units of the box; 0 where unknown
    depth: Tensor | None = None
    # (H, W) of bool: where it can be told whether a pixel is the object; None for everywhere
    known: Tensor | None = None
    # left, top, right, bottom: whether the photograph ends there, and not the object's part of it
    ends: tuple[bool, bool, bool, bool] = (False, False, False, False)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.alpha.shape[1], self.alpha.shape[0]

    def to(self, device: str) -> "PyramidLevel":
        """The same on another device."""
        depth, known = (None if v is None else v.to(device) for v in (self.depth, self.known))
        color, alpha, K = (v.to(device) for v in (self.color, self.alpha, self.K))
        return PyramidLevel(color=color, alpha=alpha, K=K, depth=depth, known=known, ends=self.ends)


@dataclass(frozen=True)
class TrackObservations:
    """What is seen of the tracks at one moment."""

    ids: Tensor  # (P,) ascending
    rays: Tensor  # (P, 2) x / z and y / z of the camera

    def to(self, device: str) -> "TrackObservations":
        """The same on another device."""
        return TrackObservations(self.ids.to(device), self.rays.to(device))


SEEN_STANDING, SEEN_AROUND = (
    13.0,
    90.0,
)  # degrees around the object; some stillness is believed always, against trembling
# degrees around the object from one picture to the next: more, and cameras are not on one smooth
# way
JUMP = 20.0
HIGHEST = 0.87  # sine of the height above which a camera looks down rather than from a side
KNOWN = 0.99  # share of a larger pixel
NOTHING = TrackObservations(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 2))


@dataclass(frozen=True, kw_only=True)
class TimedView:
    """One picture of the object. `levels` go from full size to a quarter."""

    name: str
    time: float  # 0 at the first picture, 1 at the last
    viewmat: Tensor  # (4, 4) unit box to camera, OpenCV axes
    levels: list[PyramidLevel]
    tracks: TrackObservations = NOTHING

    def to(self, device: str) -> "TimedView":
        """The same on another device."""
        return TimedView(
            name=self.name,
            time=self.time,
            viewmat=self.viewmat.to(device),
            levels=[level.to(device) for level in self.levels],
            tracks=self.tracks.to(device),
        )


def static_prior(views: list[TimedView]) -> float:
    """Up to 1: how much the whole object is believed to stand still. Where the camera went around
    it, a turn of the object can be mistaken for that of the camera; where the camera stood, a turn
    is the object's.
    """
    return min(1.0, max(SEEN_STANDING, view_arc(views)) / SEEN_AROUND)


def view_arc(views: list[TimedView]) -> float:
    """Degrees between the two most different directions from which the object was seen."""
    directions = _directions(views)
    return float(torch.rad2deg(torch.arccos((directions @ directions.T).clamp(-1, 1))).max())


def seen_around(views: list[TimedView]) -> float:
    """Degrees around the object from which it was seen, up to 360: what the cameras leave out is
    the widest gap between them, around the axis to which they keep their height. From above alone
    nothing is seen around: then it is the angle between the two most different directions.
    """
    directions = _directions(views).double()
    axis = torch.linalg.svd(directions - directions.mean(0), full_matrices=False)[2][-1]
    height = directions @ axis
    ring = directions[height.abs() < HIGHEST]
    if len(ring) < 2:
        return view_arc(views)
    side = torch.linalg.svd(axis[None])[2][1:]  # two directions across the axis
    flat = ring @ side.T
    angles = torch.rad2deg(torch.atan2(flat[:, 1], flat[:, 0])).sort().values
    gaps = torch.diff(angles, append=angles[:1] + 360)
    step = gaps.median() if len(gaps) > 2 else gaps.new_zeros(())
    # a full turn ends a step before it began
    around = 360 - float((gaps.max() - step).clamp_min(0))
    return max(view_arc(views), min(around, 360.0)) if around > 180 else view_arc(views)


def _directions(views: list[TimedView]) -> Tensor:
    """(T, 3) from the middle of the box to the cameras."""
    return torch.stack(
        [
            torch.nn.functional.normalize(-m.viewmat[:3, :3].T @ m.viewmat[:3, 3], dim=0)
            for m in views
        ]
    )


def silhouette_trajectory(views: list[TimedView]) -> Tensor:
    """(T, 2) of the middles of the silhouettes from the middle of the box, across the view, in half
    sides of the box. All 0 where the camera is not one on a smooth way, for there it is the view
    that moves them.
    """
    directions = _directions(views)
    turns = torch.rad2deg(torch.arccos((directions[1:] * directions[:-1]).sum(1).clamp(-1, 1)))
    if len({view.time for view in views}) < len(views) or turns.max() > JUMP:
        return torch.zeros(len(views), 2)
    offsets = []
    for view in views:
        level, middle = view.levels[0], view.viewmat[:3, 3]
        pixel = torch.stack(
            [
                _mean_place(level.alpha.sum(0)),
                _mean_place(level.alpha.sum(1)),
                level.alpha.new_ones(()),
            ]
        )
        ray = torch.linalg.solve(level.K, pixel)
        offsets.append((ray * middle[2] - middle)[:2])
    return torch.stack(offsets).cpu()


def _mean_place(shares: Tensor) -> Tensor:
    """The mean of pixel centres along one axis, each counting by its share (N,)."""
    return (
        shares * (torch.arange(len(shares), device=shares.device) + 0.5)
    ).sum() / shares.sum().clamp_min(1e-9)


def halve(values: Tensor) -> Tensor:
    """(H, W, C) averaged over squares of four pixels; an odd last row or column is dropped."""
    height, width = values.shape[0] // 2 * 2, values.shape[1] // 2 * 2
    pooled = torch.nn.functional.avg_pool2d(values[:height, :width].permute(2, 0, 1)[None], 2)
    return pooled[0].permute(1, 2, 0).contiguous()


def pyramid(full: PyramidLevel, count: int = 3) -> list[PyramidLevel]:
    """Full size, half, quarter. Depth is averaged where it is known."""
    levels = [full]
    for _ in range(count - 1):
        last = levels[-1]
        K = last.K.clone()
        K[:2] *= 0.5
        depth = None
        if last.depth is not None:
            known = (last.depth > 0).float()
            both = halve(torch.stack([last.depth * known, known], -1))
            depth = torch.where(both[..., 1] > 0.99, both[..., 0] / both[..., 1].clamp_min(1e-6), 0)
        told = last.known
        if told is not None:
            told = halve(told.float()[..., None])[..., 0] > KNOWN
        merged = halve(torch.cat([last.color, last.alpha[..., None]], -1))
        levels.append(
            PyramidLevel(
                color=merged[..., :3],
                alpha=merged[..., 3],
                K=K,
                depth=depth,
                known=told,
                ends=last.ends,
            )
        )
    return levels
