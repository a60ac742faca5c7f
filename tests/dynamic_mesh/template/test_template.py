"""The template of an animated mesh, from Gaussians whose solid is known."""

from math import log, tau

import numpy as np
import pytest
import torch

from backend.dynamic_mesh.deformation.motion import NodeMotion
from backend.dynamic_mesh.deformation.nodes import from_points
from backend.dynamic_mesh.template.canonical_gaussians import CanonicalConfig, CanonicalGaussians
from backend.dynamic_mesh.template.solid import to_surface
from backend.protocol import InputError

THICK, SIZE = 0.01, 0.03  # of the disc, and of its Gaussians
MIDDLE = 0.1  # radius


def _disc(opacity: float, within: float | None = None, count: int = 1500) -> CanonicalGaussians:
    """Gaussians of one opacity; of another one in the middle, if it is given."""
    generator = torch.Generator().manual_seed(1)
    radius, angle = (
        0.7 * torch.rand(count, generator=generator).sqrt(),
        tau * torch.rand(count, generator=generator),
    )
    means = torch.stack(
        [
            radius * angle.cos(),
            radius * angle.sin(),
            THICK * torch.randn(count, generator=generator),
        ],
        1,
    )
    opacities = torch.full((count,), opacity)
    if within is not None:
        opacities[radius < MIDDLE] = within
    return _gaussians(means, SIZE, opacities)


def _gaussians(means: torch.Tensor, size: float, opacities: torch.Tensor) -> CanonicalGaussians:
    sizes = torch.full((len(means),), log(size))
    return CanonicalGaussians(
        means=means,
        log_scales=sizes,
        opacity_logits=opacities.logit(),
        colors=torch.zeros_like(means),
        graph=from_points(means, 20),
        motion=NodeMotion.still(20, 3),
    )


@pytest.mark.parametrize("opacity", [0.36, 0.5, 0.7, 0.95])
def test_a_thin_disc_has_no_holes_and_no_thorns(opacity: float) -> None:
    found = to_surface(_disc(opacity), CanonicalConfig())
    assert (
        len(found.vertices) - len(found.edges) + len(found.faces) == 2
    )  # a sphere's Euler characteristic: every hole takes two
    assert np.abs(found.vertices[:, 2]).max() < 3.5 * SIZE
    assert 0.66 < np.linalg.norm(found.vertices[:, :2], axis=1).max() < 0.7 + 3 * SIZE


@pytest.mark.parametrize(("within", "holes"), [(0.08, 0), (0.02, 1)])
def test_what_is_faint_between_opaque_parts_is_whole_and_what_is_empty_stays_a_hole(
    within: float, holes: int
) -> None:
    found = to_surface(_disc(0.8, within), CanonicalConfig())
    assert len(found.vertices) - len(found.edges) + len(found.faces) == 2 - 2 * holes


def test_two_legs_close_together_are_not_melted_into_one() -> None:
    generator = torch.Generator().manual_seed(1)
    angle, radius = (
        tau * torch.rand(6000, generator=generator),
        0.12 * torch.rand(6000, generator=generator).sqrt(),
    )
    height, side = torch.rand(6000, generator=generator) - 0.5, torch.arange(6000) % 2 * 2 - 1
    means = torch.stack([radius * angle.cos() + 0.16 * side, radius * angle.sin(), height], 1)
    found = to_surface(_gaussians(means, 0.0148, torch.full((6000,), 0.8)), CanonicalConfig())
    assert len(found.vertices) - len(found.edges) + len(found.faces) == 4  # two spheres


def test_gaussians_that_all_have_faded_are_no_object() -> None:
    with pytest.raises(InputError, match="do not agree on any solid object"):
        to_surface(_disc(0.01), CanonicalConfig())
