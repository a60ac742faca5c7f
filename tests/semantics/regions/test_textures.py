"""Texture is no boundary."""

import numpy as np

from backend.semantics.regions.textures import without_pattern


def test_a_pattern_parts_nothing_and_a_poster_does() -> None:
    random = np.random.default_rng(0)
    paper = random.uniform(0.4, 0.6, 200)
    bare = np.concatenate([np.full(180, 0.02), np.full(20, 0.8)])
    planes = np.repeat([0, 1, -1], 200)
    found = without_pattern(np.concatenate([paper, bare, paper]), np.ones(600), planes, 75.0)
    assert found[:200].max() < 0.15 and (found[380:400] > 0.7).all()
    np.testing.assert_array_equal(found[400:], paper)


def test_a_pattern_is_told_by_the_length_of_its_edges() -> None:
    """Ninety short strong edges and ten long weak ones: most of the plane has weak ones."""
    color = np.repeat([0.9, 0.1], [90, 10])
    planes = np.zeros(100, np.int64)
    by_number = without_pattern(color, np.ones(100), planes, 75.0)
    by_length = without_pattern(color, np.repeat([0.1, 10.0], [90, 10]), planes, 75.0)
    assert by_number[:90].max() == 0 and by_length[:90].min() > 0.8 and by_length[90:].max() == 0
