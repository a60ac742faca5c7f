"""A template's surface laid onto another head: non-rigid ICP with a thin plate's stiffness (Allen
et al. 2003; Amberg et al. 2007), point to plane, so that the template may slide until it bends
least.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg, splu

from ...geometry.arrays import Doubles, Flags, Ints
from .closest import SurfaceIndex, on_border, vertex_normals
from .gradients import gradient_operator
from .template import Template

MOST_ROUNDS = 60  # of conjugate gradients in a step
Progress = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class TemplateFitConfig:
    """Lengths in eye distances. Constants were chosen on the heads of seeds 100 and up of
    tests/benchmarks.
    """

    stiffness: tuple[float, float] = (3e-1, 1e-4)  # from the first step to the last
    steps: int = 14
    reach: tuple[float, float] = (0.7, 0.15)  # what is further away is no counterpart
    facing: float = 0.5  # cosine between the normals of counterparts, at least
    slide: float = 0.02  # share of the distance along the surface that counts
    landmarks: float = 3.0  # weight of one, against that of an area of one square eye distance


def fit_template(
    template: Template,
    target: SurfaceIndex,
    landmarks: tuple[Ints, Doubles],
    config: TemplateFitConfig = TemplateFitConfig(),
    progress: Progress = lambda _share: None,
) -> Doubles:
    """(V, 3) the template's vertices on the target. `landmarks`: vertices (L,) of the template, and
    where these are on the target (L, 3); both surfaces are aligned already.
    """
    start, count = template.vertices, len(template.vertices)
    operator = gradient_operator(start, template.triangles)
    masses = np.maximum(operator.masses(), 1e-9)
    laplacian = operator.laplacian()
    plate = (laplacian @ sparse.diags(1 / masses) @ laplacian).tocsc()
    pinned = np.zeros(count)
    pinned[landmarks[0]] = config.landmarks
    goal = np.zeros((count, 3))
    goal[landmarks[0]] = landmarks[1] - start[landmarks[0]]
    moved = np.zeros((count, 3))
    open_ = on_border(target.triangles, len(target.vertices))
    for step in range(config.steps):
        share = step / max(config.steps - 1, 1)
        stiffness, reach = (
            first * (last / first) ** share for first, last in (config.stiffness, config.reach)
        )
        weights, planes, points = _counterparts(
            template, start + moved, target, open_, reach, config
        )
        weights = weights * masses * (step > 0 or not len(landmarks[0]))
        blocks = weights[:, None, None] * planes + pinned[:, None, None] * np.eye(3)
        right = weights[:, None] * np.einsum("vab,vb->va", planes, points - start)
        right += pinned[:, None] * goal
        moved = _solved(stiffness * plate, blocks, right, moved)
        progress((step + 1) / config.steps)
    return start + moved


def _solved(plate: sparse.csc_matrix, blocks: Doubles, right: Doubles, first: Doubles) -> Doubles:
    """(V, 3) x of (plate on each axis + blocks (V, 3, 3)) x = right: by conjugate gradients, with
    the axes apart as preconditioner, which takes a factorisation 27 times as small.
    """
    count = len(right)
    pulls = np.einsum("vaa->v", blocks) / 3 + 1e-9
    factors = splu((plate + sparse.diags(pulls)).tocsc())

    def times(x: Doubles) -> Doubles:
        rows = x.reshape(-1, 3)
        return np.asarray(
            plate @ rows + np.einsum("vab,vb->va", blocks, rows) + 1e-9 * rows
        ).ravel()

    size = (3 * count, 3 * count)
    system = LinearOperator(size, times, dtype=float)
    near = LinearOperator(size, lambda x: factors.solve(x.reshape(-1, 3)).ravel(), dtype=float)
    solution, _ = cg(system, right.ravel(), first.ravel(), rtol=1e-4, maxiter=MOST_ROUNDS, M=near)
    return np.asarray(solution).reshape(-1, 3)


def _counterparts(
    template: Template,
    now: Doubles,
    target: SurfaceIndex,
    open_: Flags,
    reach: float,
    config: TemplateFitConfig,
) -> tuple[Doubles, Doubles, Doubles]:
    """Of every vertex a weight (V,), the projector (V, 3, 3) onto what counts of the distance, and
    the place (V, 3).
    """
    normals = vertex_normals(now, template.triangles)
    places = target.nearest(now, normals)
    facing = (places.normals * normals).sum(1)
    good = template.outside & (places.distances < reach) & (facing > config.facing)
    good &= ~open_[target.triangles[places.triangles]].any(1)
    weights = good * facing * np.exp(-2 * (places.distances / reach) ** 2)
    n = places.normals
    planes = (1 - config.slide) * n[:, :, None] * n[:, None] + config.slide * np.eye(3)
    return weights, planes, places.points
