"""The shapes of a template that lies on a head, carried over to the head's own vertices:
deformation transfer (Sumner and Popović 2004, sections 4 and 5) with every triangle's gradient
turned and stretched as the template was.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from ...geometry.arrays import Doubles, Flags, Floats, Ints
from .closest import SurfaceIndex, SurfacePlaces, triangle_normals, vertex_normals
from .gradients import GradientOperator, gradient_operator, local_maps
from .template import Template

Progress = Callable[[float], None]
STRETCH = (0.3, 3.0)  # of a movement
SOFT = 1e-6  # keeps the system definite


@dataclass(frozen=True, kw_only=True)
class TransferConfig:
    """Lengths in eye distances. Constants were chosen on the heads of seeds 100 and up of
    tests/benchmarks.
    """

    near: float = 0.08  # a vertex that is no further from the template moves as it does
    far: float = 0.3  # and one that is further than this rests
    facing: float = 0.2  # cosine between the normals of what is a counterpart, at least
    anchored: float = (
        20.0  # weight of where the template has moved to, against that of its gradients
    )


@dataclass(frozen=True)
class Carried:
    """On V vertices of a head."""

    shapes: Floats  # (K, V, 3)
    share: Doubles  # (V,) how much each moves with the template: 0 rests, 1 wholly


def carry_over(
    template: Template,
    fitted: Doubles,
    vertices: Doubles,
    triangles: Ints,
    config: TransferConfig = TransferConfig(),
    progress: Progress = lambda _share: None,
) -> Carried:
    """Shapes for a head's skin (V, 3) with triangles (T, 3), on which the template's skin lies as
    `fitted` (S, 3); everything in eye distances.
    """
    surface, operator = (
        SurfaceIndex(fitted, template.triangles),
        gradient_operator(vertices, triangles),
    )
    normals = vertex_normals(vertices, triangles)
    share = 1 - _step(surface.nearest(vertices, normals).distances, config.near, config.far)
    faces, _ = triangle_normals(vertices, triangles)
    # by the middles of triangles, which are of one lip or lid, where a rim's vertices are of both
    middles = surface.nearest(vertices[triangles].mean(1), faces)
    told = share[triangles].min(1)
    goals = _goals(template, fitted, middles, told)
    trust = told * _facing(middles, faces, config)
    shapes = _solved(operator, goals, trust, share > 0, config, progress)
    return Carried(shapes, share)


@dataclass(frozen=True, kw_only=True)
class _Goals:
    """What each of T triangles of a head should do, by K shapes."""

    template: Template
    maps: Doubles  # (S, 3, 3) of the template's triangles
    corner_maps: Doubles  # (V, 3, 3) of its vertices
    places: SurfacePlaces  # (T,) on the template
    share: Doubles  # (T,)

    def each(self) -> Iterator[tuple[Doubles, Doubles]]:
        """Of each shape the movement (T, 3) of the middles, and its gradient (T, 3, 3)."""
        rest = gradient_operator(self.template.vertices, self.template.triangles)
        corners, inverse = self.template.triangles[self.places.triangles], np.linalg.inv(self.maps)
        for shape in self.template.shapes:
            turned = self.maps @ rest.of(shape) @ inverse
            moved = np.einsum("vab,vb->va", self.corner_maps, shape)
            middle = (self.places.weights[:, :, None] * moved[corners]).sum(1)
            gradient = turned[self.places.triangles] * self.share[:, None, None]
            yield middle * self.share[:, None], gradient


def _goals(template: Template, fitted: Doubles, places: SurfacePlaces, share: Doubles) -> _Goals:
    maps = _movement_maps(template, fitted)
    return _Goals(
        template=template,
        maps=maps,
        corner_maps=_at_vertices(maps, template.triangles, len(fitted)),
        places=places,
        share=share,
    )


def _solved(
    operator: GradientOperator,
    goals: _Goals,
    trust: Doubles,
    free: Flags,
    config: TransferConfig,
    progress: Progress,
) -> Floats:
    """(K, V, 3) movements whose gradients and middles of triangles are nearest to the goals; what
    isn't free rests.
    """
    pull, triangles = config.anchored * trust * operator.areas, operator.triangles
    rows, columns = np.repeat(triangles, 3, axis=1).ravel(), np.tile(triangles, (1, 3)).ravel()
    middles = sparse.csc_matrix((np.repeat(pull / 9, 9), (rows, columns)), (operator.count,) * 2)
    chosen = np.flatnonzero(free)
    system = operator.laplacian() + middles + SOFT * sparse.eye(operator.count)
    factors = splu(system.tocsc()[chosen][:, chosen].tocsc())
    shapes = np.zeros((len(goals.template.shapes), operator.count, 3), np.float32)
    for number, (middle, gradient) in enumerate(goals.each()):
        right = operator.divergence(gradient * np.minimum(1, 0.05 + trust)[:, None, None])
        for axis in range(3):
            share = np.repeat(pull / 3 * middle[:, axis], 3)
            right[:, axis] += np.bincount(triangles.ravel(), share, operator.count)
        shapes[number, chosen] = factors.solve(right[chosen])
        progress((number + 1) / len(shapes))
    return shapes


def _movement_maps(template: Template, fitted: Doubles) -> Doubles:
    """(T, 3, 3) what a movement of each of the template's triangles becomes: it is turned and
    stretched as the template was, so that larger eyes still close.
    """
    maps = local_maps(template.vertices, fitted, template.triangles)
    left, sizes, right = np.linalg.svd(maps)
    left[np.linalg.det(left @ right) < 0, :, 2] *= -1
    sizes = np.clip(sizes, *STRETCH)  # a crumpled triangle knows no better
    return np.asarray((left * sizes[:, None]) @ right)


def _at_vertices(maps: Doubles, triangles: Ints, count: int) -> Doubles:
    """(V, 3, 3) means over the triangles around."""
    total, times = np.zeros((count, 3, 3)), np.zeros(count)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], maps)
        np.add.at(times, triangles[:, corner], 1)
    return total / np.maximum(times, 1)[:, None, None]


def _facing(places: SurfacePlaces, normals: Doubles, config: TransferConfig) -> Doubles:
    """(Q,) 1 where a place faces as its counterpart does."""
    return _step((places.normals * normals).sum(1), config.facing, config.facing + 0.4)


def _step(values: Doubles, low: float, high: float) -> Doubles:
    """0 up to `low`, 1 from `high` on, smoothly between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
