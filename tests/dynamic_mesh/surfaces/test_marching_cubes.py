"""Surfaces of fields: closed whatever the field, exact where it is linear, and wound outwards."""

import pytest
import torch

from backend.dynamic_mesh.surfaces.marching_cubes import marching_cubes


def volume(vertices: torch.Tensor, faces: torch.Tensor) -> float:
    a, b, c = vertices[faces].unbind(1)
    return float((a * torch.linalg.cross(b, c)).sum() / 6)


def sides(faces: torch.Tensor) -> torch.Tensor:
    """(3 F, 2) the faces' edges in the direction in which they run."""
    return torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_a_closed_surface(seed: int) -> None:
    """All 256 cases and all pairs of neighbours occur in noise. Every side of a face runs once, and
    once the other way.
    """
    field = torch.full((26, 26, 26), -1.0)
    field[1:-1, 1:-1, 1:-1] = torch.randn(24, 24, 24, generator=torch.Generator().manual_seed(seed))
    vertices, faces = marching_cubes(field, 0.0)
    runs = sides(faces)
    assert (faces[:, 0] != faces[:, 1]).all() and (faces[:, 1] != faces[:, 2]).all()
    forth, back = (
        (runs @ torch.tensor([len(vertices), 1])).sort().values,
        (runs.flip(1) @ torch.tensor([len(vertices), 1])).sort().values,
    )
    assert (forth[1:] != forth[:-1]).all()
    assert torch.equal(forth, back)


def test_every_vertex_is_where_the_field_crosses_the_level() -> None:
    field = torch.randn(12, 12, 12, generator=torch.Generator().manual_seed(0))
    vertices, _ = marching_cubes(field, 0.25)
    low, high = vertices.floor().long(), vertices.ceil().long()
    assert ((high - low).sum(1) <= 1).all()  # on an edge of the grid
    a, b = field[low.unbind(1)], field[high.unbind(1)]
    share = (vertices - low).sum(1)
    assert torch.allclose(a + share * (b - a), torch.tensor(0.25), atol=1e-5)


def test_a_ball_has_its_volume_and_looks_outwards() -> None:
    axis = torch.arange(40.0) - 19.5
    distance = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).norm(dim=0)
    vertices, faces = marching_cubes(-distance, -12.3)
    middle = vertices - 19.5
    assert (middle.norm(dim=1) - 12.3).abs().max() < 0.03
    assert abs(volume(middle, faces) / (4 / 3 * torch.pi * 12.3**3) - 1) < 0.01


def test_nothing_is_crossed_by_nothing() -> None:
    vertices, faces = marching_cubes(torch.zeros(5, 5, 5), 0.5)
    assert vertices.shape == (0, 3) and faces.shape == (0, 3)
