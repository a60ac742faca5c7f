"""Motion of nodes and waves: what it carries, and how it is carried over."""

import numpy as np
import torch
from helpers import turning_blob

from backend.dynamic_mesh.deformation.motion import (
    MotionConfig,
    NodeMotion,
    basis,
    frequency_count,
    node_transforms,
    rigidity,
    skinned,
    transferred,
)
from backend.dynamic_mesh.deformation.nodes import build, from_points
from backend.dynamic_mesh.surfaces.surface import Surface
from backend.dynamic_mesh.tracked.inner_links import linked
from backend.formats import mesh_sequence
from backend.formats.mesh_sequence import Nodes


def surface() -> Surface:
    vertices, faces = turning_blob.ball()
    return Surface(vertices.astype(np.float32), faces)


def moving(nodes: int, seed: int = 0) -> NodeMotion:
    motion = NodeMotion.still(nodes, 7)
    generator = torch.Generator().manual_seed(seed)
    for tensor in (
        motion.rotations,
        motion.translations,
        motion.global_rotation,
        motion.global_translation,
    ):
        tensor.data = torch.randn(tensor.shape, generator=generator) * 0.05
    return motion


def test_nodes_at_rest_move_nothing_and_a_turn_of_the_whole_turns_all() -> None:
    ball = surface()
    graph, vertices = build(ball, 20), torch.from_numpy(ball.vertices)
    motion = NodeMotion.still(20, 7)
    assert (skinned(vertices, graph, motion.at(0.3)) - vertices).abs().max() < 1e-5
    motion.global_rotation.data[0, 2] = torch.pi / 2
    turned = torch.stack([-vertices[:, 1], vertices[:, 0], vertices[:, 2]], 1)
    assert (skinned(vertices, graph, motion.at(0.7)) - turned).abs().max() < 1e-4
    assert float(rigidity(graph, motion.at(0.7)).detach()) < 1e-8


def test_bones_say_the_same_as_the_skin() -> None:
    ball = surface()
    graph, vertices = build(ball, 20), torch.from_numpy(ball.vertices)
    pose = moving(20).at(0.4)
    matrices, shifts = (t.detach().numpy() for t in node_transforms(graph, pose))
    transforms = np.concatenate([matrices, shifts[..., None]], -1)[None]
    nodes = Nodes(
        graph.rest.numpy(), transforms, graph.skin.numpy().astype(np.int32), graph.weights.numpy()
    )
    assert (
        np.abs(
            mesh_sequence.skinned(ball.vertices, nodes)[0]
            - skinned(vertices, graph, pose).detach().numpy()
        ).max()
        < 1e-5
    )


def test_ways_along_the_surface_keep_close_parts_apart() -> None:
    """Two parallel sheets that touch at one end only: a node of one must not move the other's far
    end.
    """
    line, wide = np.linspace(0, 4, 41), np.linspace(0, 0.3, 4)
    x, y = np.meshgrid(np.concatenate([line, line[::-1]]), wide, indexing="ij")
    z = np.repeat(np.concatenate([np.zeros(41), np.full(41, 0.2)]), 4).reshape(82, 4)
    i, j = np.meshgrid(np.arange(81), np.arange(3), indexing="ij")
    a = (i * 4 + j).ravel()
    faces = np.concatenate([np.stack([a, a + 4, a + 5], 1), np.stack([a, a + 5, a + 1], 1)])
    sheets = Surface(np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32), faces)
    graph = build(sheets, 24)
    below = sheets.vertices[:, 2] < 0.1
    far = below & (sheets.vertices[:, 0] < 3)
    hung_on = graph.rest[graph.skin[torch.from_numpy(far)], 2]
    assert float((graph.weights[torch.from_numpy(far)] * (hung_on > 0.1)).max()) < 1e-3


def test_inner_links_lead_through_the_inside_and_never_from_leg_to_leg() -> None:
    vertices, faces = turning_blob.ball()
    ball = Surface(
        (vertices / np.linalg.norm(vertices, axis=1, keepdims=True)).astype(np.float32), faces
    )
    graph = build(ball, 40)
    through = linked(graph, ball)
    added = through.stiffness[:, 6:] > 0
    lengths = (through.rest[through.neighbors[:, 6:]] - through.rest[:, None]).norm(dim=-1)
    assert added.any(1).all()  # a ball has another side everywhere
    assert (
        0.95 < float(lengths[added].min()) < float(lengths[added].max()) <= 2
    )  # of radius 1: at 60 degrees to the skin at least
    legs = Surface(
        np.concatenate([ball.vertices, ball.vertices + np.array([2.2, 0, 0], np.float32)]),
        np.concatenate([ball.faces, ball.faces + len(ball.vertices)]),
    )
    both = linked(build(legs, 60), legs)
    tied = both.stiffness[:, 6:] > 0
    left = both.rest[:, 0] < 1.1
    assert tied.any() and (left[both.neighbors[:, 6:]] == left[:, None])[tied].all()
    still = NodeMotion.still(40, 7)
    still.global_rotation.data[0, 2] = still.rotations.data[:, 0, 0] = (
        1.0  # every node turns where it is: nothing is where others expect it
    )
    assert float(rigidity(through, still.at(0.0)).detach()) > 1.5 * float(
        rigidity(graph, still.at(0.0)).detach()
    )


def test_nodes_that_lie_on_an_open_sheet_get_none() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 20), indexing="ij")
    i, j = np.meshgrid(np.arange(19), np.arange(19), indexing="ij")
    a = (i * 20 + j).ravel()
    flat = Surface(
        np.stack([x, y, 0 * x], -1).reshape(-1, 3).astype(np.float32),
        np.concatenate([np.stack([a, a + 20, a + 21], 1), np.stack([a, a + 21, a + 1], 1)]),
    )
    assert not (linked(build(flat, 30), flat).stiffness[:, 6:] > 0).any()


def test_other_nodes_carry_the_same_motion_over() -> None:
    ball = surface()
    vertices = torch.from_numpy(ball.vertices)
    old, new = from_points(vertices, 30), build(ball, 25)
    motion = moving(30, 1)
    motion.rotations.data.zero_()
    motion.translations.data[:] = motion.translations.data[
        :1
    ]  # all alike: then what lies between nodes is certain
    other = transferred(old, vertices, motion, new)
    for time in (0.0, 0.31, 1.0):
        before, after = (
            skinned(vertices, old, motion.at(time)),
            skinned(vertices, new, other.at(time)),
        )
        assert (before - after).abs().max() < 1e-4


def test_many_waves_are_carried_over_without_large_ones_against_each_other() -> None:
    ball = surface()
    vertices = torch.from_numpy(ball.vertices)
    old, new, motion = from_points(vertices, 30), build(ball, 25), NodeMotion.still(30, 29)
    generator = torch.Generator().manual_seed(0)
    for tensor in (motion.rotations, motion.translations):
        tensor.data = (
            0.1 * torch.randn(tensor.shape, generator=generator) / torch.arange(1, 30)[:, None]
        )
    other = transferred(old, vertices, motion, new)
    assert other.translations.abs().max() < 2
    nearest = torch.cdist(new.rest, vertices).argmin(1)
    for time in (0.0, 0.31, 1.0):
        wanted, pose = skinned(vertices, old, motion.at(time))[nearest], other.at(time)
        assert (new.rest + pose.translations - wanted).abs().max() < 4e-2


def test_longer_clips_get_more_waves_and_short_ones_no_more_than_half_their_moments() -> None:
    counts = [
        frequency_count(MotionConfig(), [k / n for k in range(n)], torch.zeros(n, 2))
        for n in (2, 4, 12, 50, 200, 5000)
    ]
    assert counts == [2, 2, 6, 20, 40, 64]


def test_what_moves_quickly_gets_the_waves_that_follow_it() -> None:
    times = torch.linspace(0, 1, 100)
    slow, quick = (
        torch.stack([0.1 * torch.sin(turns * 2 * torch.pi * times), torch.zeros(100)], 1)
        for turns in (3, 10)
    )
    assert frequency_count(MotionConfig(), times.tolist(), slow) == 28
    assert 36 <= frequency_count(MotionConfig(), times.tolist(), quick) <= 42, (
        "ten turns are forty half waves"
    )
    trembling = 0.1 * torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    assert frequency_count(MotionConfig(), times.tolist(), trembling) == 28, "no wave follows that"
    assert frequency_count(MotionConfig(), times.tolist(), quick + 0.2 * trembling) > 35, (
        "nor does it hide the way"
    )


def test_quick_waves_are_low_and_in_a_long_clip_what_is_as_quick_in_seconds_less_so() -> None:
    times = tuple(torch.linspace(0, 1, 401).tolist())
    short, long = (basis(times, frequencies, "cpu").abs().amax(0) for frequencies in (20, 40))
    assert torch.allclose(short[2::2], 1 / torch.arange(1, 10), atol=1e-3)
    assert (long[:5] > 0.99).all() and (long[6:20:2] > 1.9 * short[6::2]).all()


def test_carrying_over_gives_the_same_bits_wherever_arrays_lie() -> None:
    """A last bit grows into another mesh by the end of a fit; LAPACK's depends on the alignment of
    memory.
    """
    ball = surface()
    vertices = torch.from_numpy(ball.vertices)
    old, new, motion = from_points(vertices, 30), build(ball, 25), moving(30, 1)
    kept, found = [], set()
    for size in range(40):
        kept.append(torch.empty(1000 + 37 * size))  # moves what comes next
        found.add(
            transferred(old, vertices.clone(), motion, new).translations.detach().numpy().tobytes()
        )
    assert len(found) == 1
