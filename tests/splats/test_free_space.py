"""What stands before known surfaces fades, and nothing else."""

import torch
from helpers.small_training import small_model, small_views

from backend.geometry.conventions import from_viewmat
from backend.splats.free_space import FreeSpaceConfig, fade_in_free_space, in_free_space
from backend.splats.known_depth import KnownDepth

CONFIG = FreeSpaceConfig(views=2)


def walls(count: int, depth: float = 4.0) -> list[KnownDepth]:
    """So many views before a wall at this distance."""
    return [KnownDepth(view, torch.full((16, 24), depth)) for view in small_views(4).full[:count]]


def ahead(distance: float) -> torch.Tensor:
    """(1, 3) a point that all cameras of small_views see, so far before the second."""
    view = small_views(4).full[1]
    camera = torch.from_numpy(from_viewmat(view.viewmat.double().numpy())).float()
    return (camera[:3, 3] - distance * camera[:3, 2])[None]


def test_before_at_and_behind() -> None:
    points = torch.cat([ahead(d) for d in (3.6, 3.7, 4.0, 4.5)])
    assert in_free_space(walls(3), points, CONFIG).tolist() == [True, False, False, False]


def test_one_view_is_not_enough() -> None:
    assert not in_free_space(walls(1), ahead(3.0), CONFIG).any()
    assert in_free_space(walls(2), ahead(3.0), CONFIG).all()


def test_most_of_those_that_know_must_agree() -> None:
    point = ahead(3.0)
    assert in_free_space(walls(2) + walls(1, 3.0), point, CONFIG).all()
    assert not in_free_space(walls(2) + walls(2, 3.0), point, CONFIG).any(), "two of four"
    assert in_free_space(walls(2) + walls(2, 0.0), point, CONFIG).all(), "not known: no voice"


def test_opacity_is_lowered_and_nothing_is_moved() -> None:
    model = small_model()
    with torch.no_grad():
        model.means[0], model.means[1:] = ahead(3.0)[0], ahead(4.0)
    before = {name: values.detach().clone() for name, values in model.named().items()}
    fade_in_free_space(model, walls(3), CONFIG)
    for name, values in model.named().items():
        change = values.detach() - before[name]
        if name == "opacity_logits":
            torch.testing.assert_close(change[0], torch.tensor(-0.7))
            change = change[1:]
        assert not change.any()
    fade_in_free_space(model, [], CONFIG)
    torch.testing.assert_close(model.opacity_logits[0], before["opacity_logits"][0] - 0.7)
