"""A differentiable mesh rasteriser in torch, for CPU and CUDA: hard visibility, and edges smoothed by analytic coverage.

Colours are differentiable inside triangles; where a silhouette crosses between two pixel centres, both are blended by how much of them
the nearer surface covers, so positions get a gradient from masks too (the idea of Laine et al. 2020, section 3.5).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

NEAR = 1e-2  # triangles with a corner closer than this are not drawn
GAP = 0.02  # neighbouring pixels are at a silhouette if their depths differ by more than this share
FAR = 1e9


@dataclass(frozen=True)
class Screen:
    """A mesh in a picture: `points` (V, 3) are x and y in pixels (the first centre at 0.5) and depth along the viewing axis."""

    points: Tensor
    faces: Tensor  # (F, 3) int64
    width: int
    height: int


@dataclass(frozen=True)
class Fragments:
    """The P pixels that the mesh covers."""

    pixels: Tensor  # (P,) row * width + column
    faces: Tensor  # (P,) which triangle
    barycentric: Tensor  # (P, 3) in space, not in the picture; differentiable
    depths: Tensor  # (P,)


def project(vertices: Tensor, faces: Tensor, viewmat: Tensor, K: Tensor, size: tuple[int, int]) -> Screen:
    """(V, 3) of the world through a pinhole camera; `viewmat` (4, 4) world to camera in OpenCV axes, `size` width and height."""
    seen = vertices @ viewmat[:3, :3].T + viewmat[:3, 3]
    depth = seen[:, 2]
    safe = depth.clamp_min(NEAR * 0.1)
    x, y = seen[:, 0] / safe * K[0, 0] + K[0, 2], seen[:, 1] / safe * K[1, 1] + K[1, 2]
    return Screen(torch.stack([x, y, depth], 1), faces, *size)


@torch.no_grad()
def visible_faces(screen: Screen) -> Tensor:
    """(H * W,) the nearest triangle in every pixel, -1 where there is none."""
    corners, device = screen.points[screen.faces], screen.points.device
    low = (corners[..., :2].amin(1) - 0.5).ceil().clamp_min(0)
    limit = torch.tensor([screen.width - 1.0, screen.height - 1.0], device=device)
    high = torch.minimum((corners[..., :2].amax(1) - 0.5).floor(), limit)
    span = (high - low + 1).clamp_min(0).long()
    area = _doubled_area(corners[:, 0], corners[:, 1], corners[:, 2])
    drawn = (corners[..., 2].amin(1) > NEAR) & (area.abs() > 1e-9)
    count = torch.where(drawn, span[:, 0] * span[:, 1], 0)
    face = torch.repeat_interleave(torch.arange(len(count), device=device), count)
    place = torch.arange(len(face), device=device) - (count.cumsum(0) - count)[face]
    across = span[face, 0]
    column, row = low[face, 0].long() + place % across, low[face, 1].long() + place // across
    weights = _screen_barycentric(corners[face], column, row)
    nearness = (weights / corners[face][..., 2]).sum(1)
    inside = (weights >= 0).all(1)
    pixel, face, nearness = (row * screen.width + column)[inside], face[inside], nearness[inside]
    best = nearness.new_zeros(screen.width * screen.height).scatter_reduce(0, pixel, nearness, "amax")
    wins = nearness >= best[pixel]
    found = torch.full((screen.width * screen.height,), -1, device=device)
    found[pixel[wins]] = face[wins]
    return found


def fragments(screen: Screen) -> Fragments:
    """What is seen of the mesh; barycentric coordinates and depths are differentiable in the points."""
    face_of = visible_faces(screen)
    pixels = (face_of >= 0).nonzero()[:, 0]
    faces = face_of[pixels]
    corners = screen.points[screen.faces[faces]]
    flat = _screen_barycentric(corners, pixels % screen.width, pixels // screen.width) / corners[..., 2]
    nearness = flat.sum(1, keepdim=True)
    return Fragments(pixels, faces, flat / nearness, 1 / nearness[:, 0])


def interpolate(seen: Fragments, faces: Tensor, attributes: Tensor) -> Tensor:
    """(P, C) of per-vertex attributes (V, C)."""
    found: Tensor = (seen.barycentric[..., None] * attributes[faces[seen.faces]]).sum(1)
    return found


def picture(seen: Fragments, screen: Screen, colors: Tensor) -> Tensor:
    """(H, W, C + 1): colours (P, C) of the fragments and coverage, on nothing, with smooth silhouettes."""
    drawn = torch.cat([colors, colors.new_ones(len(colors), 1)], 1)
    image = drawn.new_zeros(screen.width * screen.height, drawn.shape[1]).index_copy(0, seen.pixels, drawn)
    return _smooth_silhouettes(image, seen, screen).view(screen.height, screen.width, -1)


def depth_picture(seen: Fragments, screen: Screen) -> Tensor:
    """(H, W), 0 where nothing is."""
    flat = seen.depths.new_zeros(screen.width * screen.height).index_copy(0, seen.pixels, seen.depths)
    return flat.view(screen.height, screen.width)


def _doubled_area(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    area: Tensor = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    return area


def _screen_barycentric(corners: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """(M, 3) of pixel centres in the triangles (M, 3, 3)."""
    a, b, c = corners.unbind(1)
    x, y, area = column + 0.5, row + 0.5, _doubled_area(a, b, c)
    first = ((b[:, 0] - x) * (c[:, 1] - y) - (c[:, 0] - x) * (b[:, 1] - y)) / area
    second = ((c[:, 0] - x) * (a[:, 1] - y) - (a[:, 0] - x) * (c[:, 1] - y)) / area
    return torch.stack([first, second, 1 - first - second], 1)


def _smooth_silhouettes(image: Tensor, seen: Fragments, screen: Screen) -> Tensor:
    """Blends neighbours across silhouettes. Of two pixel centres a unit apart, an edge at distance t from the nearer surface's centre
    leaves that surface t - 1/2 of the other pixel, or the other surface 1/2 - t of this one.
    """
    count, device = screen.width * screen.height, image.device
    face_of = torch.full((count,), -1, device=device).index_copy(0, seen.pixels, seen.faces)
    depth_of = torch.full((count,), FAR, device=device).index_copy(0, seen.pixels, seen.depths.detach())
    grid = torch.arange(count, device=device).view(screen.height, screen.width)
    blended = image
    for axis, (one, other) in enumerate(((grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:]))):
        a, b = one.reshape(-1), other.reshape(-1)
        edge = (face_of[a] != face_of[b]) & ((depth_of[a] - depth_of[b]).abs() > GAP * torch.minimum(depth_of[a], depth_of[b]))
        a, b = a[edge], b[edge]
        closer = depth_of[a] < depth_of[b]
        front, back = torch.where(closer, a, b), torch.where(closer, b, a)
        distance = _crossing(screen, screen.faces[face_of[front]], front, back, axis)
        crossed = distance <= 1
        front, back, distance = front[crossed], back[crossed], distance[crossed, None]
        difference = image[front] - image[back]
        blended = blended.index_add(0, back, (distance - 0.5).clamp_min(0) * difference)
        blended = blended.index_add(0, front, (distance - 0.5).clamp_max(0) * difference)
    return blended


def _crossing(screen: Screen, triangles: Tensor, front: Tensor, back: Tensor, axis: int) -> Tensor:
    """(M,) how far from the centre of `front` to that of `back` the first edge of the front triangle lies; 9 where none does.
    Only edges that run rather across that way count: else an edge would be counted by rows and by columns.
    """
    corners = screen.points[triangles][..., :2]
    start = torch.stack([front % screen.width, front // screen.width], 1) + 0.5
    way = torch.stack([back % screen.width, back // screen.width], 1) + 0.5 - start
    edges = corners.roll(-1, 1) - corners  # (M, 3, 2)
    reach = corners - start[:, None]
    cross = way[:, None, 0] * edges[..., 1] - way[:, None, 1] * edges[..., 0]
    cross = torch.where(cross.abs() < 1e-8, torch.full_like(cross, 1e-8), cross)
    distance = (reach[..., 0] * edges[..., 1] - reach[..., 1] * edges[..., 0]) / cross
    along = ((reach[..., 0] * way[:, None, 1] - reach[..., 1] * way[:, None, 0]) / cross).detach()
    steep = edges.detach().abs()
    across = steep[..., 1] >= steep[..., 0] if axis == 0 else steep[..., 0] > steep[..., 1]
    valid = (distance.detach() > 0) & (distance.detach() <= 1) & (along >= -0.01) & (along <= 1.01) & across
    return torch.where(valid, distance, torch.full_like(distance, 9.0)).amin(1)
