"""The mesh rasteriser against the depth buffer in numpy and against finite differences."""

import numpy as np
import pytest
import torch
from helpers import turning_blob

from backend.dynamic_mesh.surfaces.mesh_rasterizer import (
    Screen,
    depth_image,
    fragments,
    interpolate,
    project,
    render_image,
)
from backend.geometry.conventions import to_viewmat
from backend.geometry.triangles import nearest_triangles

SIZE = 64


def ball() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    vertices, faces = turning_blob.ball()
    K = torch.tensor([[70.0, 0, 32], [0, 70, 32], [0, 0, 1]])
    viewmat = torch.tensor(to_viewmat(turning_blob.camera(0.4))).float()
    return torch.tensor(vertices).float(), torch.tensor(faces), viewmat, K


def test_sees_what_the_depth_buffer_sees() -> None:
    vertices, faces, viewmat, K = ball()
    screen = project(vertices, faces, viewmat, K, (SIZE, SIZE))
    seen = fragments(screen)
    points = screen.points.double().numpy()
    truth = nearest_triangles(points[faces][..., :2], 1 / points[faces][..., 2], (SIZE, SIZE))
    order = np.argsort(truth.pixels)
    np.testing.assert_array_equal(seen.pixels.numpy(), truth.pixels[order])
    assert (seen.faces.numpy() == truth.triangles[order]).mean() > 0.999
    np.testing.assert_allclose(seen.depths.numpy(), 1 / truth.nearness[order], rtol=1e-4)


def test_interpolates_in_space_not_in_the_picture() -> None:
    vertices, faces, viewmat, K = ball()
    screen = project(vertices, faces, viewmat, K, (SIZE, SIZE))
    seen = fragments(screen)
    places = interpolate(seen, faces, vertices) @ viewmat[:3, :3].T + viewmat[:3, 3]
    x, y = places[:, 0] / places[:, 2] * 70 + 32, places[:, 1] / places[:, 2] * 70 + 32
    assert (x - (seen.pixels % SIZE + 0.5)).abs().max() < 1e-3
    assert (y - (seen.pixels // SIZE + 0.5)).abs().max() < 1e-3
    np.testing.assert_allclose(places[:, 2].numpy(), seen.depths.numpy(), rtol=1e-4)


def covered(vertices: torch.Tensor) -> torch.Tensor:
    _, faces, viewmat, K = ball()
    screen = project(vertices, faces, viewmat, K, (SIZE, SIZE))
    seen = fragments(screen)
    return render_image(seen, screen, torch.ones(len(seen.pixels), 3))[..., 3].sum()


def test_coverage_is_the_area() -> None:
    vertices = ball()[0]
    fine, faces, viewmat, K = ball()
    large = project(
        fine, faces, viewmat, K * torch.tensor([[8.0], [8.0], [1.0]]), (SIZE * 8, SIZE * 8)
    )
    area = len(fragments(large).pixels) / 64
    assert abs(float(covered(vertices)) / area - 1) < 0.01


@pytest.mark.parametrize("kind", ["scale", "across", "up"])
def test_silhouettes_have_the_gradient_of_finite_differences(kind: str) -> None:
    vertices, *_ = ball()
    faces = ball()[1]
    viewmat, K = ball()[2:]
    weight = torch.linspace(0, 1, SIZE)[None] + torch.linspace(0, 2, SIZE)[:, None]

    def loss(amount: torch.Tensor) -> torch.Tensor:
        moved = (
            vertices * (1 + amount)
            if kind == "scale"
            else vertices + amount * viewmat[0 if kind == "across" else 1, :3]
        )
        screen = project(moved, faces, viewmat, K, (SIZE, SIZE))
        seen = fragments(screen)
        return (render_image(seen, screen, torch.ones(len(seen.pixels), 1))[..., 1] * weight).sum()

    reach, count = (
        0.045,
        9,
    )  # a pixel or so to each side: the mean gradient on the way is the difference of its ends
    gradients = []
    for start in torch.linspace(-reach, reach, 2 * count + 1)[1::2]:
        amount = start.clone().requires_grad_(True)
        loss(amount).backward()
        assert amount.grad is not None
        gradients.append(float(amount.grad))
    numeric = float(loss(torch.tensor(reach)) - loss(torch.tensor(-reach))) / (2 * reach)
    assert abs(np.mean(gradients) / numeric - 1) < 0.05


def test_nothing_in_view_is_an_empty_picture() -> None:
    vertices, faces, viewmat, K = ball()
    behind = viewmat.clone()
    behind[2, 3] -= 50
    screen = project(vertices, faces, behind, K, (SIZE, SIZE))
    seen = fragments(screen)
    assert len(seen.pixels) == 0
    assert render_image(seen, screen, torch.zeros(0, 3)).abs().max() == 0
    assert depth_image(seen, screen).max() == 0


def test_degenerate_triangles_are_not_drawn() -> None:
    points = torch.tensor([[1.0, 1, 1], [1, 1, 1], [30, 30, 1], [float("nan"), 3, 1]])
    seen = fragments(
        Screen(points=points, faces=torch.tensor([[0, 1, 2], [0, 0, 0]]), width=SIZE, height=SIZE)
    )
    assert len(seen.pixels) == 0
