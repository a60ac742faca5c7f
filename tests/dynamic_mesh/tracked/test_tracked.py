"""The tracked mesh: its parts against what they should compute, and the whole verb on a clip that
is drawn here.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import turning_blob
from helpers.command_line import backend, refusal
from PIL import Image

from backend.dynamic_mesh.deformation.motion import (
    Motion,
    MotionConfig,
    basis,
    frequency_count,
    node_transforms,
    rigidity,
    skinned,
    transferred,
)
from backend.dynamic_mesh.deformation.nodes import build, from_points
from backend.dynamic_mesh.surfaces.preconditioned import smooth_vertices, umbrella
from backend.dynamic_mesh.surfaces.surface import Surface, decimate, largest_parts, level_set
from backend.dynamic_mesh.texture.unwrap import fill_gaps, texels, unwrap
from backend.dynamic_mesh.tracked.inner_links import linked
from backend.formats import mesh_sequence
from backend.formats.mesh_sequence import Nodes
from tests.benchmarks import mesh_metrics as metrics


def surface() -> Surface:
    vertices, faces = turning_blob.ball()
    return Surface(vertices.astype(np.float32), faces)


def moving(nodes: int, seed: int = 0) -> Motion:
    motion = Motion.still(nodes, 7)
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
    motion = Motion.still(20, 7)
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
        np.concatenate([ball.vertices, ball.vertices + np.float32([2.2, 0, 0])]),
        np.concatenate([ball.faces, ball.faces + len(ball.vertices)]),
    )
    both = linked(build(legs, 60), legs)
    tied = both.stiffness[:, 6:] > 0
    left = both.rest[:, 0] < 1.1
    assert tied.any() and (left[both.neighbors[:, 6:]] == left[:, None])[tied].all()
    still = Motion.still(40, 7)
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
    old, new, motion = from_points(vertices, 30), build(ball, 25), Motion.still(30, 29)
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


def test_smooth_coordinates_give_back_their_vertices_and_spread_a_pull() -> None:
    ball = surface()
    shape = smooth_vertices(ball, 15.0)
    assert (shape.vertices() - torch.from_numpy(ball.vertices)).abs().max() < 1e-4
    shape.vertices()[400].sum().backward()
    assert shape.u.grad is not None
    assert (shape.u.grad.abs() > 1e-4).any(1).sum() > 20


def test_umbrella_is_zero_on_a_flat_even_grid() -> None:
    line = np.arange(7, dtype=np.float32)
    x, y = np.meshgrid(line, line, indexing="ij")
    a = (np.arange(6)[:, None] * 7 + np.arange(6)).ravel()
    faces = np.concatenate([np.stack([a, a + 7, a + 8], 1), np.stack([a, a + 8, a + 1], 1)])
    flat = Surface(np.stack([x, y, 0 * x], -1).reshape(-1, 3), faces)
    inside = ((x > 0) & (x < 6) & (y > 0) & (y < 6)).ravel()
    assert umbrella(flat)(torch.from_numpy(flat.vertices))[inside].abs().max() < 1e-5


def test_level_sets_are_where_the_field_says_and_face_outwards() -> None:
    line = (np.arange(40) + 0.5) / 40 * 2 - 1
    x, y, z = np.meshgrid(line, line, line, indexing="ij")
    found = level_set(0.6 - np.sqrt(x**2 + y**2 + z**2), 0.0, -1, 1)
    assert found is not None
    assert np.abs(np.linalg.norm(found.vertices, axis=1) - 0.6).max() < 0.01
    a, b, c = (found.vertices[found.faces[:, i]] for i in range(3))
    assert (np.einsum("fi,fi->f", np.cross(b - a, c - a), a) > 0).all()
    small = decimate(found, 300)
    assert (
        len(small.faces) <= 300
        and np.abs(np.linalg.norm(small.vertices, axis=1) - 0.6).max() < 0.05
    )
    folded = Surface(
        small.vertices, np.concatenate([small.faces, small.faces[:1, ::-1], [[3, 3, 4]]])
    )
    assert (
        len(decimate(folded, 1000).faces) == len(small.faces) - 1
    )  # neither side of the fold, nor the line
    crumbs = Surface(
        np.concatenate([found.vertices, found.vertices[:3] + 5]),
        np.concatenate([found.faces, [[0, 1, 2]] * np.array(1) + len(found.vertices)]),
    )
    assert len(largest_parts(crumbs).vertices) == len(found.vertices)


def test_maps_do_not_overlap_and_gaps_are_filled() -> None:
    ball = surface()
    flat = texels(unwrap(ball), 128)
    assert len(flat.where) > 0.4 * 128 * 128
    assert len(flat.where.unique()) == len(flat.where)
    texture, painted = np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), bool)
    texture[2, 2], painted[2, 2] = 0.7, True
    assert (fill_gaps(texture, painted) == np.float32(0.7)).all()


def test_measures_know_exact_cases() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(200, 3))
    assert metrics.chamfer_squared(points, points) == 0
    assert metrics.earth_movers(points, random.permutation(points)) == pytest.approx(0, abs=1e-12)
    assert metrics.chamfer_squared(points, points * 0 + [100.0, 0, 0]) == pytest.approx(
        (((points - [100, 0, 0]) ** 2).sum(1).mean() + ((points - [100, 0, 0]) ** 2).sum(1).min())
        / 2
    )
    way = np.linspace(0, 1, 5)[:, None, None] * np.array([1.0, 0, 0])
    still = np.repeat(points[None], 5, 0)
    assert metrics.trajectory_error(still, points + way) == pytest.approx((0.5, 0.5))
    assert metrics.trajectory_error(points + way, points + way)[0] == pytest.approx(0)
    ball = surface()
    sampled = metrics.sample_surface(ball.vertices, ball.faces, 3000, random)
    assert metrics.chamfer(sampled, ball.vertices) < 0.05


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """The verb's result on the bending ball, and the truth."""
    folder = tmp_path_factory.mktemp("mesh")
    truth = turning_blob.write(folder / "clip", frames=24, size=80)
    done = backend(
        "mesh",
        "--input",
        folder / "clip",
        "--output",
        folder / "mesh",
        "--preset",
        "fast",
        "--steps",
        "1600",
        "--faces",
        "1500",
    )
    assert done.returncode == 0, done.stderr
    return folder / "mesh", truth


@pytest.mark.process
def test_a_bending_ball_is_found_again(made: tuple[Path, np.ndarray]) -> None:
    folder, truth = made
    sequence = mesh_sequence.read(folder / "mesh.npz")
    assert sequence.positions.shape == (24, len(sequence.rest), 3)
    size = np.ptp(truth, axis=(0, 1)).max()
    error = np.mean([metrics.chamfer(a, b) for a, b in zip(sequence.positions, truth, strict=True)])
    assert error < 0.04 * size
    moved, still = metrics.trajectory_error(sequence.positions, truth)
    assert moved < 0.95 * still  # better than a mesh that does not move
    assert sequence.nodes is not None
    assert (
        np.abs(mesh_sequence.skinned(sequence.rest, sequence.nodes) - sequence.positions).max()
        < 1e-4 * size
    )
    assert Image.open(folder / "texture.png").size == (256, 256)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["metrics"]["iou"] > 0.9 and manifest["metrics"]["psnr"] > 22
    assert (
        manifest["masks"] == "alpha"
        and (folder / "heldout.png").is_file()
        and (folder / "object.png").is_file()
    )


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("no_time", "no time"),
        ("one", "only one picture"),
        ("no_mask", "Nothing says where the object is"),
        ("empty_masks", "fewer than two pictures"),
        ("missing_mask", "no mask for"),
        ("one_moment", "one moment"),
    ],
)
def test_bad_input_gets_one_sentence(tmp_path: Path, harm: str, sentence: str) -> None:
    clip = tmp_path / "clip"
    turning_blob.write(
        clip,
        frames=6,
        size=48,
        alpha=harm not in ("no_mask", "empty_masks", "missing_mask"),
        time=harm != "no_time",
    )
    options = []
    data = json.loads((clip / "transforms.json").read_text())
    if harm == "one":
        data["frames"] = data["frames"][:1]
    if harm == "one_moment":
        data["frames"] = [{**f, "time": 0.5} for f in data["frames"]]
    (clip / "transforms.json").write_text(json.dumps(data))
    if harm in ("empty_masks", "missing_mask"):
        (tmp_path / "masks").mkdir()
        for k in range(6 if harm == "empty_masks" else 0):
            Image.new("L", (48, 48)).save(tmp_path / "masks" / f"{k:03d}.png")
        options = ["--masks", tmp_path / "masks"]
    assert (
        sentence in refusal("mesh", "--input", clip, "--output", tmp_path / "mesh", *options).what
    )
    assert not (tmp_path / "mesh" / "mesh.npz").exists()


@pytest.mark.process
def test_a_damaged_sequence_is_refused(made: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    from backend.protocol import InputError

    whole = (made[0] / "mesh.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    shutil.copy(made[0] / "mesh.npz", tmp_path / "nan.npz")
    with np.load(tmp_path / "nan.npz") as data:
        arrays = dict(data)
    np.savez(tmp_path / "nan.npz", **{**arrays, "positions": arrays["positions"] * np.nan})
    np.savez(tmp_path / "faces.npz", **{**arrays, "faces": arrays["faces"] + 10**6})
    for name in ("cut", "nan", "faces", "missing"):
        with pytest.raises(InputError):
            mesh_sequence.read(tmp_path / f"{name}.npz")
