"""On a CUDA device the same comes out as on the processor."""

import pytest
import torch
from helpers import turning_blob

from backend.dynamic_mesh.surfaces import anchoring
from backend.dynamic_mesh.surfaces.marching_cubes import marching_cubes
from backend.dynamic_mesh.surfaces.mesh_rasterizer import (
    fragments,
    interpolate,
    project,
    render_image,
)
from backend.dynamic_mesh.surfaces.poisson import PoissonConfig, indicator
from backend.geometry.conventions import to_viewmat

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_surfaces() -> None:
    normals = torch.nn.functional.normalize(noise(3000, 3), dim=1)
    config = PoissonConfig(48, 1.0)
    here, there = (
        indicator(0.6 * normals, normals, config),
        indicator(0.6 * normals.cuda(), normals.cuda(), config),
    )
    assert torch.allclose(here, there.cpu(), atol=1e-4)
    (vertices, faces), (others, same) = (
        marching_cubes(here, 0.01),
        marching_cubes(here.cuda(), torch.tensor(0.01, device="cuda")),
    )
    assert torch.equal(faces, same.cpu()) and torch.allclose(vertices, others.cpu(), atol=1e-4)


def test_pictures_and_what_they_teach() -> None:
    vertices, faces = (torch.tensor(values) for values in turning_blob.ball())
    K, colors = torch.tensor([[70.0, 0, 32], [0, 70, 32], [0, 0, 1]]), noise(len(vertices), 3)
    found = []
    for device in ("cpu", "cuda"):
        places = vertices.float().to(device).requires_grad_(True)
        triangles, viewmat = (
            faces.to(device),
            torch.tensor(to_viewmat(turning_blob.camera(0.4))).float().to(device),
        )
        screen = project(places, triangles, viewmat, K.to(device), (64, 64))
        seen = fragments(screen)
        drawn = render_image(seen, screen, interpolate(seen, triangles, colors.to(device)))
        (drawn.cpu() * noise(*drawn.shape)).sum().backward()
        assert places.grad is not None
        found.append((drawn.detach().cpu(), places.grad.cpu()))
    (image, grad), (other, same) = found
    assert (
        (image - other).abs().amax(-1) > 1e-3
    ).float().mean() < 2e-3  # a pixel on an edge may fall to either face
    assert (grad - same).norm() < 0.02 * grad.norm()


def test_nearest_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchoring, "AT_ONCE", 70_000)
    places, targets = noise(1000, 3), noise(700, 3)
    (away, index), (same, others) = (
        anchoring.nearest(places, targets),
        anchoring.nearest(places.cuda(), targets.cuda()),
    )
    assert (
        torch.allclose(away.float(), same.cpu(), atol=1e-3)
        and (index == others.cpu()).float().mean() > 0.99
    )
