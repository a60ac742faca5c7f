"""Depth by likeness, on a room that is known exactly."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from helpers import ray_world

from backend.cameras.depth.capture_depth import DepthConfig, combined
from backend.cameras.depth.likeness import NEVER, Likeness, Posed
from backend.cameras.depth.multiview_depth import DepthMap
from backend.cameras.depth.stereo import StereoConfig, StereoDepth, solve_stereo
from backend.geometry.conventions import to_viewmat

SIZE, FOCAL = (120, 90), 100.0
SURE = 0.06


@dataclass(frozen=True)
class Known:
    """A picture, its neighbours, and what is true of it."""

    view: Posed
    others: list[Posed]
    depth: np.ndarray  # (h, w)


def posed(world: ray_world.World, azimuth: float) -> tuple[Posed, np.ndarray]:
    """A camera on an arc around the room's middle, and its depth."""
    angle = np.radians(azimuth - 90)
    place = np.array([4 * np.cos(angle), 4 * np.sin(angle), 2.1])
    pose = ray_world.look_at(place, np.array([0, 0, 0.8]))
    K = np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1.0]])
    noise = np.random.default_rng(int(10 * azimuth) + 999).normal(0, 0.008, (*SIZE[::-1], 3))
    color = (ray_world.render_image(world, pose, FOCAL, SIZE) + noise).astype(np.float32)
    depth = ray_world.depth(world, pose, FOCAL, SIZE).astype(np.float32)
    return Posed(color=color, K=K, viewmat=to_viewmat(pose)), depth


def known(azimuths: tuple[float, ...] = (-16, -9, -4, 4, 9, 16), plain: bool = False) -> Known:
    world = ray_world.make_room(3, plain)
    view, depth = posed(world, 0)
    return Known(view, [posed(world, a)[0] for a in azimuths], depth)


@pytest.fixture(scope="module")
def room() -> Known:
    return known()


def solved(room: Known, guess: float = 4.0) -> StereoDepth:
    """From a guess that is the same everywhere, but for a few places near and far."""
    start = np.full(room.depth.shape, guess, np.float32)
    start[:9], start[-9:] = room.depth.max(), room.depth.min()
    nothing = np.zeros(0, np.float32)
    return solve_stereo(room.view, room.others, start, nothing, StereoConfig())


def test_depth_is_found_from_a_guess_that_knows_only_how_near_and_far(room: Known) -> None:
    found = solved(room)
    sure = found.sigma < SURE
    wrong = np.abs(found.depth / room.depth - 1)[sure]
    assert sure.mean() > 0.7
    assert np.median(wrong) < 0.008 and np.quantile(wrong, 0.9) < 0.06


def test_what_is_said_of_the_error_is_about_the_error(room: Known) -> None:
    found = solved(room)
    sure = found.sigma < SURE
    ratio = np.abs(found.depth / room.depth - 1)[sure] / found.sigma[sure]
    assert 0.03 < np.median(ratio) < 1.5


def test_blank_walls_are_not_believed() -> None:
    textured, plain = solved(known()), solved(known(plain=True))
    assert (plain.sigma < SURE).mean() < 0.7 * (textured.sigma < SURE).mean()


def test_another_exposure_changes_nothing(room: Known) -> None:
    darker = [
        Posed(color=0.6 * o.color + np.float32(0.05), K=o.K, viewmat=o.viewmat) for o in room.others
    ]
    found = solved(Known(room.view, darker, room.depth))
    wrong = np.abs(found.depth / room.depth - 1)[found.sigma < SURE]
    assert np.median(wrong) < 0.009


def test_one_neighbour_is_enough_for_most_of_the_picture(room: Known) -> None:
    found = solved(Known(room.view, room.others[4:5], room.depth))
    wrong = np.abs(found.depth / room.depth - 1)[found.sigma < SURE]
    assert np.isfinite(found.depth).all() and np.median(wrong) < 0.02


def test_two_neighbours_that_see_a_place_are_enough() -> None:
    """As at the edges of pictures, and beside what stands near: the other six look away."""
    room = known((-16, -10, -6, -3, 3, 6, 10, 16))
    away = np.diag([-1.0, 1, -1, 1])
    others = [o if k in (2, 5) else replace(o, viewmat=away) for k, o in enumerate(room.others)]
    found = solved(Known(room.view, others, room.depth))
    sure = found.sigma < SURE
    assert sure.mean() > 0.4
    assert np.median(np.abs(found.depth / room.depth - 1)[sure]) < 0.01


def test_likeness_is_highest_at_the_truth_and_nowhere_outside(room: Known) -> None:
    likeness = Likeness(room.view, room.others, 5, 3, 1e-5)
    right, wrong = likeness.of(room.depth), likeness.of(room.depth * np.float32(1.1))
    assert np.median(right) > 0.9 and (right > wrong).mean() > 0.85
    assert (likeness.of(np.full_like(room.depth, 1e-3)) == NEVER).all()


def test_half_the_size_looks_the_same_way(room: Known) -> None:
    half = room.view.half()
    assert half.color.shape == (45, 60, 3)
    np.testing.assert_allclose(half.K[:2], room.view.K[:2] / 2)


def test_unsure_places_take_their_surroundings_scale_and_say_so() -> None:
    flow = DepthMap(torch.full((8, 8), 2.0), torch.full((8, 8), torch.inf))
    sigma = torch.full((8, 8), 0.01)
    sigma[2:5, 2:5] = 0.5
    found = combined(flow, DepthMap(torch.full((8, 8), 3.0), sigma), DepthConfig())
    torch.testing.assert_close(found.depth, torch.full((8, 8), 3.0), atol=0.05, rtol=0)
    assert torch.isinf(found.sigma[2:5, 2:5]).all() and (found.sigma < 1).sum() == 64 - 9


def test_without_anything_sure_the_flow_stays() -> None:
    flow = DepthMap(torch.rand(6, 6) + 1, torch.full((6, 6), 0.01))
    found = combined(flow, DepthMap(torch.ones(6, 6), torch.full((6, 6), torch.inf)), DepthConfig())
    torch.testing.assert_close(found.depth, flow.depth)
    assert torch.isinf(found.sigma).all()


@pytest.mark.parametrize("size", [(60, 80), (3, 5)])
@pytest.mark.parametrize("noisy", [False, True])
def test_black_pictures_and_noise_are_never_believed(size: tuple[int, int], noisy: bool) -> None:
    random = np.random.default_rng(0)
    K = np.array([[size[1], 0, size[1] / 2], [0, size[1], size[0] / 2], [0, 0, 1.0]])
    views = []
    for aside in (0.0, -0.2, 0.2):
        viewmat = np.eye(4)
        viewmat[0, 3] = aside
        color = (random.random((*size, 3)) * noisy).astype(np.float32)
        views.append(Posed(color=color, K=K, viewmat=viewmat))
    guess, nothing = np.full(size, 2.0, np.float32), np.zeros(0, np.float32)
    solution = solve_stereo(views[0], views[1:], guess, nothing, StereoConfig())
    assert np.isfinite(solution.depth).all() and (solution.depth > 0).all()
    assert not (solution.sigma < SURE).any()
