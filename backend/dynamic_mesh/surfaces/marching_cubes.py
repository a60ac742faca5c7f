"""Marching cubes (Lorensen and Cline 1987) in torch, for CPU and CUDA: vertices are differentiable
in the field and in the level.

The table of triangles is worked out from one rule instead of typed in: on a face of a cube with two
opposite corners inside, these are kept apart. The rule sees the corners only, so both cubes of a
face agree and closed surfaces have no holes.
"""

import functools
from itertools import product

import torch
from torch import Tensor

Edge = tuple[int, int]  # corners, the smaller first; corner 4 x + 2 y + z is at (x, y, z)

EDGES: list[Edge] = [(a, a | bit) for bit in (4, 2, 1) for a in range(8) if not a & bit]
_CORNERS = [(a >> 2 & 1, a >> 1 & 1, a & 1) for a, _ in EDGES]  # where each begins
_AXES = [(4, 2, 1).index(b - a) for a, b in EDGES]


def _faces() -> list[list[int]]:
    """The corners of the cube's six faces, counter-clockwise from outside."""
    rings = []
    for axis, side in product(range(3), range(2)):
        one, two, fixed = (
            (4, 2, 1)[(axis + 1) % 3],
            (4, 2, 1)[(axis + 2) % 3],
            (4, 2, 1)[axis] * side,
        )
        ring = [fixed, fixed | one, fixed | one | two, fixed | two]
        rings.append(ring if side else ring[::-1])
    return rings


def _loops(inside: list[bool]) -> list[list[int]]:
    """Closed ways over the crossed edges of one cube, counter-clockwise from outside the solid."""
    after: dict[int, int] = {}
    for ring in _faces():
        for at in range(4):
            if (
                inside[ring[at]] and not inside[ring[at - 1]]
            ):  # a run of inside corners begins here; where does it end?
                end = next(k for k in range(1, 4) if not inside[ring[(at + k) % 4]])
                entry, leave = (
                    (ring[at - 1], ring[at]),
                    (ring[(at + end - 1) % 4], ring[(at + end) % 4]),
                )
                after[_number(*entry)] = _number(*leave)
    loops = []
    while after:
        loop = [next(iter(after))]
        while (following := after.pop(loop[-1])) != loop[0]:
            loop.append(following)
        loops.append(loop)
    return loops


def _number(a: int, b: int) -> int:
    return EDGES.index((min(a, b), max(a, b)))


def _fan(loop: list[int]) -> list[tuple[int, int, int]]:
    """Triangles of a loop. Diagonals within a face of the cube are shunned: the neighbour could
    draw the same.
    """

    def in_a_face(a: int, b: int) -> bool:
        return any({*EDGES[a], *EDGES[b]} <= set(ring) for ring in _faces())

    turned = [loop[k:] + loop[:k] for k in range(len(loop))]
    best = min(turned, key=lambda way: sum(in_a_face(way[0], other) for other in way[2:-1]))
    return [(best[0], best[k], best[k + 1]) for k in range(1, len(best) - 1)]


@functools.cache
def _triangles(device: str) -> tuple[Tensor, Tensor]:
    """(256, T, 3) numbers of edges for each set of corners that are inside, bit k for corner k; and
    (256,) how many triangles count.
    """
    rows = [
        [t for loop in _loops([bool(case >> k & 1) for k in range(8)]) for t in _fan(loop)]
        for case in range(256)
    ]
    table = torch.zeros(256, max(map(len, rows)), 3, dtype=torch.long)
    for case, row in enumerate(rows):
        table[case, : len(row)] = torch.tensor(row, dtype=torch.long).reshape(-1, 3)
    return table.to(device), torch.tensor([len(row) for row in rows]).to(device)


@torch.no_grad()
def _crossed(field: Tensor, level: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
    """(V,) numbers of the cells at the lower and (V,) at the upper ends of the crossed edges, and
    faces (F, 3) between them.
    """
    last, steps = len(field) - 1, torch.tensor(field.stride(), device=field.device)
    inside, code = (
        (field > level).to(torch.uint8),
        torch.zeros(last, last, last, dtype=torch.uint8, device=field.device),
    )
    for corner, (x, y, z) in enumerate(product(range(2), repeat=3)):
        code |= inside[x : last + x, y : last + y, z : last + z] << corner
    cells = ((code > 0) & (code < 255)).nonzero()
    table, counts = _triangles(str(field.device))
    case = code[cells.unbind(1)].long()
    drawn = torch.arange(table.shape[1], device=field.device) < counts[case][:, None]
    corners, axes = (torch.tensor(values, device=field.device) for values in (_CORNERS, _AXES))
    edges = table[case]
    begin = (cells * steps).sum(1)[:, None, None] + (corners * steps).sum(1)[edges]
    crossed, faces = (begin * 3 + axes[edges])[drawn].unique(return_inverse=True)
    return crossed // 3, crossed // 3 + steps[crossed % 3], faces


def marching_cubes(field: Tensor, level: Tensor | float) -> tuple[Tensor, Tensor]:
    """Vertices (V, 3), in units of cells, and faces (F, 3) of where a field (R, R, R) crosses a
    level, counter-clockwise from where it is below. Both are empty where it nowhere does.
    """
    field = field.contiguous()
    begin, end, faces = _crossed(field, level)
    a, b = (field.reshape(-1)[at] - level for at in (begin, end))
    share = (a / torch.where((a - b).abs() > 1e-12, a - b, 1e-12)).clamp(0, 1)[:, None]
    low, high = (
        torch.stack([at // len(field) ** 2, at // len(field) % len(field), at % len(field)], 1)
        for at in (begin, end)
    )
    return low + share * (high - low), faces
