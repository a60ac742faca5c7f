"""A differentiable mesh rasteriser in torch, for CPU and CUDA: hard visibility, and edges smoothed
by analytic coverage.

Colours are differentiable inside triangles; where a silhouette crosses between two pixel centres,
both are blended by how much of them the nearer surface covers, so positions get a gradient from
masks too (the idea of Laine et al. 2020, section 3.5).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

NEAR = 1e-2  # triangles with a corner closer than this are not drawn
GAP = 0.02  # neighbouring pixels are at a silhouette if their depths differ by more than this share
FAR = 1e9


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A mesh in a picture: `points` (V, 3) are x and y in pixels (the first centre at 0.5) and
    depth along the viewing axis.
    """

    points: Tensor
    faces: Tensor  # (F, 3) int64
    width: int
    height: int
    topology: "Topology | None" = None  # found anew in every picture if it is not given


@dataclass(frozen=True)
class Topology:
    """Every edge once, and the faces on its two sides."""

    edges: Tensor  # (E, 2)
    sides: Tensor  # (E, 2); the second is -1 at a border


def find_topology(faces: Tensor) -> Topology:
    """Of faces (F, 3). An edge of more than two faces counts as one of the first and the last."""
    corners = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges, owner = corners.sort(1).values.unique(dim=0, return_inverse=True)
    of_face = torch.arange(len(faces), device=faces.device).repeat(3)
    sides = torch.full((len(edges), 2), -1, device=faces.device)
    first = torch.full((len(edges),), len(faces), device=faces.device).scatter_reduce(
        0, owner, of_face, "amin"
    )
    last = torch.full((len(edges),), -1, device=faces.device).scatter_reduce(
        0, owner, of_face, "amax"
    )
    sides[:, 0], sides[:, 1] = first, torch.where(first == last, -1, last)
    return Topology(edges, sides)


@dataclass(frozen=True)
class Fragments:
    """The P pixels that the mesh covers."""

    pixels: Tensor  # (P,) row * width + column
    faces: Tensor  # (P,) which triangle
    barycentric: Tensor  # (P, 3) in space, not in the picture; differentiable
    depths: Tensor  # (P,)


def project(
    vertices: Tensor,
    faces: Tensor,
    viewmat: Tensor,
    K: Tensor,
    size: tuple[int, int],
    topology: Topology | None = None,
) -> Screen:
    """(V, 3) of the world through a pinhole camera; `viewmat` (4, 4) world to camera in OpenCV
    axes, `size` width and height.
    """
    seen = vertices @ viewmat[:3, :3].T + viewmat[:3, 3]
    depth = seen[:, 2]
    safe = depth.clamp_min(NEAR * 0.1)
    x, y = seen[:, 0] / safe * K[0, 0] + K[0, 2], seen[:, 1] / safe * K[1, 1] + K[1, 2]
    points = torch.stack([x, y, depth], 1)
    return Screen(points=points, faces=faces, width=size[0], height=size[1], topology=topology)


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
    best = nearness.new_zeros(screen.width * screen.height).scatter_reduce(
        0, pixel, nearness, "amax"
    )
    wins = nearness >= best[pixel]
    visible = torch.full((screen.width * screen.height,), -1, device=device)
    visible[pixel[wins]] = face[wins]
    return visible


def fragments(screen: Screen) -> Fragments:
    """What is seen of the mesh; barycentric coordinates and depths are differentiable in the
    points.
    """
    face_of = visible_faces(screen)
    pixels = (face_of >= 0).nonzero()[:, 0]
    faces = face_of[pixels]
    corners = screen.points[screen.faces[faces]]
    flat = (
        _screen_barycentric(corners, pixels % screen.width, pixels // screen.width)
        / corners[..., 2]
    )
    nearness = flat.sum(1, keepdim=True)
    return Fragments(pixels, faces, flat / nearness, 1 / nearness[:, 0])


def interpolate(seen: Fragments, faces: Tensor, attributes: Tensor) -> Tensor:
    """(P, C) of per-vertex attributes (V, C)."""
    interpolated: Tensor = (seen.barycentric[..., None] * attributes[faces[seen.faces]]).sum(1)
    return interpolated


def render_image(seen: Fragments, screen: Screen, colors: Tensor) -> Tensor:
    """(H, W, C + 1): colours (P, C) of the fragments and coverage, on nothing, with smooth
    silhouettes.
    """
    drawn = torch.cat([colors, colors.new_ones(len(colors), 1)], 1)
    image = drawn.new_zeros(screen.width * screen.height, drawn.shape[1]).index_copy(
        0, seen.pixels, drawn
    )
    return _smooth_silhouettes(image, seen, screen).view(screen.height, screen.width, -1)


def depth_image(seen: Fragments, screen: Screen) -> Tensor:
    """(H, W), 0 where nothing is."""
    flat = seen.depths.new_zeros(screen.width * screen.height).index_copy(
        0, seen.pixels, seen.depths
    )
    return flat.view(screen.height, screen.width)


def _doubled_area(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    area: Tensor = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (
        b[:, 1] - a[:, 1]
    )
    return area


def _screen_barycentric(corners: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """(M, 3) of pixel centres in the triangles (M, 3, 3)."""
    a, b, c = corners.unbind(1)
    x, y, area = column + 0.5, row + 0.5, _doubled_area(a, b, c)
    first = ((b[:, 0] - x) * (c[:, 1] - y) - (c[:, 0] - x) * (b[:, 1] - y)) / area
    second = ((c[:, 0] - x) * (a[:, 1] - y) - (a[:, 0] - x) * (c[:, 1] - y)) / area
    return torch.stack([first, second, 1 - first - second], 1)


def _smooth_silhouettes(image: Tensor, seen: Fragments, screen: Screen) -> Tensor:
    """Blends neighbours across silhouettes. Of two pixel centres a unit apart, an edge at distance
    t from the nearer surface's centre leaves that surface t - 1/2 of the other pixel, or the other
    surface 1/2 - t of this one.
    """
    depth_of = torch.full((screen.width * screen.height,), FAR, device=image.device).index_copy(
        0, seen.pixels, seen.depths.detach()
    )
    outline = _outline(screen)
    blended = image
    for axis in (0, 1):
        crossings = _crossings(screen, outline, axis, depth_of)
        difference = image[crossings.front] - image[crossings.back]
        distance = crossings.distance[:, None]
        blended = blended.index_add(0, crossings.back, (distance - 0.5).clamp_min(0) * difference)
        blended = blended.index_add(0, crossings.front, (distance - 0.5).clamp_max(0) * difference)
    return blended


@torch.no_grad()
def _outline(screen: Screen) -> Tensor:
    """(S, 2) vertices of the edges at which the surface turns away or ends."""
    corners = screen.points[screen.faces]
    facing = _doubled_area(corners[:, 0], corners[:, 1], corners[:, 2]) > 0
    drawn = corners[..., 2].amin(1) > NEAR
    topology = screen.topology if screen.topology is not None else find_topology(screen.faces)
    one, other = topology.sides.unbind(1)
    turns = (other < 0) | (facing[one] != facing[other])
    return topology.edges[turns & drawn[one] & drawn[other.clamp_min(0)]]


@dataclass(frozen=True)
class _Crossings:
    """Where the outline passes between two neighbouring pixels."""

    front: Tensor  # (M,) pixel that the nearer surface covers
    back: Tensor  # (M,)
    distance: Tensor  # (M,) from the centre of `front`, 0..1; differentiable


def _crossings(screen: Screen, outline: Tensor, axis: int, depth_of: Tensor) -> _Crossings:
    """Of the outline with rows of pixels (axis 0) or columns (1). Only edges that run rather across
    that way count: else an edge would be counted by rows and by columns. Where several pass between
    the same two pixels, the outermost counts.
    """
    ends = screen.points[outline]  # (S, 2, 3)
    run, rise = (0, 1) if axis == 0 else (1, 0)
    lines = screen.height if axis == 0 else screen.width
    length = screen.width if axis == 0 else screen.height
    with torch.no_grad():
        slope = (ends[:, 1, :2] - ends[:, 0, :2]).abs()
        across = slope[:, rise] >= slope[:, run] if axis == 0 else slope[:, rise] > slope[:, run]
        low, high = ends[..., rise].amin(1), ends[..., rise].amax(1)
        first, last = (
            (low - 0.5).ceil().clamp_min(0),
            (high - 0.5).ceil().clamp_max(lines) - 1,
        )  # a joint belongs to one edge
        count = torch.where(across, (last - first + 1).clamp_min(0).long(), 0)
        edge = torch.repeat_interleave(torch.arange(len(count), device=count.device), count)
        line = (
            first[edge].long()
            + torch.arange(len(edge), device=count.device)
            - (count.cumsum(0) - count)[edge]
        )
    p, q = ends[edge].unbind(1)
    share = (line + 0.5 - p[:, rise]) / (q[:, rise] - p[:, rise])
    at = p[:, run] + share * (q[:, run] - p[:, run])
    depth = 1 / ((1 - share) / p[:, 2] + share / q[:, 2]).detach()
    with torch.no_grad():
        before = (at - 0.5).floor().long()
        inside = (before >= 0) & (before < length - 1)
        before, line = before.clamp(0, length - 2), line.clamp(0, lines - 1)
        a = line * screen.width + before if axis == 0 else before * screen.width + line
        b = a + (1 if axis == 0 else screen.width)
        closer = depth_of[a] < depth_of[b]
        front, back = torch.where(closer, a, b), torch.where(closer, b, a)
        near, far = depth_of[front], depth_of[back]
        kept = inside & (far - near > GAP * near) & (depth < (near + far.clamp_max(2 * near)) / 2)
    from_before = at - 0.5 - before
    distance = torch.where(closer, from_before, 1 - from_before)
    with torch.no_grad():
        furthest = distance.new_zeros(screen.width * screen.height).scatter_reduce(
            0, a[kept], distance[kept], "amax"
        )
        kept = kept & (distance >= furthest[a])
    return _Crossings(front[kept], back[kept], distance[kept])
