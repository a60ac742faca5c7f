"""Poisson surfaces and anchoring against shapes that are known."""

import numpy as np
import torch

from backend.dynamic_mesh.surfaces.anchoring import AnchorConfig, anchor, anchor_loss, centroids
from backend.dynamic_mesh.surfaces.poisson import (
    PoissonConfig,
    indicator,
    isosurface,
    poisson_surface,
)

CONFIG = PoissonConfig(48, 1.0)


def sphere(count: int = 3000, radius: float = 0.6) -> tuple[torch.Tensor, torch.Tensor]:
    normals = torch.nn.functional.normalize(
        torch.randn(count, 3, generator=torch.Generator().manual_seed(0)), dim=1
    )
    return normals * radius, normals


def test_points_with_normals_enclose_a_solid() -> None:
    points, normals = sphere()
    field = indicator(points, normals, CONFIG)
    assert field[24, 24, 24] > 0.4 and field[0, 0, 0] < -0.4
    found = poisson_surface(points, normals, CONFIG)
    assert found is not None
    assert np.abs(np.linalg.norm(found.vertices, axis=1) - 0.6).max() < 0.03
    a, b, c = (found.vertices[found.faces[:, i]] for i in range(3))
    assert (
        np.einsum("fi,fi->f", np.cross(b - a, c - a), a) > 0
    ).mean() > 0.99  # faces look outwards


def test_the_surface_has_a_derivative_in_points_normals_and_level() -> None:
    """Against finite differences: the mean radius of the surface, when all points go outwards."""

    def radius(scale: float, level: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        points, normals = sphere()
        grown = (points * scale).requires_grad_(True)
        cut = torch.tensor(level, requires_grad=True)
        found = isosurface(indicator(grown, normals, CONFIG), cut, CONFIG)
        assert found is not None
        return found[0].norm(dim=1).mean(), grown, cut

    mean, points, cut = radius(1.0, 0.02)
    mean.backward()
    assert points.grad is not None and cut.grad is not None
    along = float((points.grad * points.detach()).sum())
    step = float(radius(1.02, 0.02)[0].detach() - radius(0.98, 0.02)[0].detach()) / 0.04
    assert abs(along - step) < 0.1 * abs(step)
    by_level = float(radius(1.0, 0.04)[0].detach() - radius(1.0, 0.0)[0].detach()) / 0.04
    assert abs(float(cut.grad) - by_level) < 0.15 * abs(by_level)


def test_nothing_encloses_nothing() -> None:
    assert isosurface(torch.zeros(16, 16, 16), 0.0, CONFIG) is None


def patch() -> tuple[torch.Tensor, torch.Tensor]:
    """Four squares in a row, two triangles each."""
    x, y = torch.meshgrid(torch.arange(5.0), torch.arange(2.0), indexing="ij")
    vertices = torch.stack([x, y, torch.zeros_like(x)], -1).reshape(-1, 3)
    a = torch.arange(4) * 2
    return vertices, torch.cat(
        [torch.stack([a, a + 2, a + 3], 1), torch.stack([a, a + 3, a + 1], 1)]
    )


def test_anchoring_leaves_one_gaussian_a_face() -> None:
    vertices, faces = patch()
    middle = centroids(vertices, faces)
    crowd = torch.cat(
        [middle[:6], middle[:1] + 0.01, middle[:1] - 0.01, torch.tensor([[9.0, 9.0, 9.0]])]
    )
    generator = torch.Generator().manual_seed(0)
    plan = anchor(crowd, vertices, faces, AnchorConfig(radius=0.5), generator)
    assert not plan.kept[8]  # far from every face
    assert len(plan.merged) == 1 and set(plan.merged[0].tolist()) <= {0, 6, 7}
    assert plan.kept.sum() == 7
    assert plan.births.tolist() == [6, 7]
    bounded = anchor(crowd, vertices, faces, AnchorConfig(radius=0.5, most=1), generator)
    assert len(bounded.births) == 1
    alone = float(anchor_loss(middle + torch.tensor([0.0, 0.0, 0.1]), vertices, faces))
    assert abs(alone - 0.01) < 1e-6
