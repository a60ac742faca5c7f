"""The tracked mesh: parts of its surface against what they should compute, and the whole verb on a
clip that is drawn here.
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

from backend.dynamic_mesh.surfaces.preconditioned import smooth_vertices, umbrella
from backend.dynamic_mesh.surfaces.surface import Surface, decimate, largest_parts, level_set
from backend.dynamic_mesh.texture.unwrap import fill_gaps, texels, unwrap
from backend.formats import mesh_sequence
from tests.benchmarks import mesh_metrics as metrics


def surface() -> Surface:
    vertices, faces = turning_blob.ball()
    return Surface(vertices.astype(np.float32), faces)


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
        np.concatenate([found.faces, np.array([[0, 1, 2]]) + len(found.vertices)]),
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


def test_a_limb_that_was_not_found_counts_as_far_as_it_moves() -> None:
    body = np.random.default_rng(0).uniform([-1, -1, 2], [1, 1, 4], (60, 3))
    foot = np.array([[0.0, 0, -1], [0.1, 0, -1]])
    truth = np.repeat(np.concatenate([body, foot])[None], 5, 0)
    truth[:, 60:, 0] += np.linspace(0, 2, 5)[:, None]
    bands = metrics.height_bands(truth[0])
    assert (bands[60:] == 0).all() and (bands[:60] > 0).all()
    found, wanted = metrics.ways_of(truth[:, :60], truth)
    error = np.linalg.norm(found - wanted, axis=2).mean(0)
    assert error[60:] == pytest.approx([1.0, 1.0]) and error[:60].max() == 0
    assert metrics.trajectory_error(truth[:, :60], truth)[0] == 0, "which the mean does not see"
    assert metrics.speed(found, wanted) == 0
    assert metrics.speed(0.5 * wanted, wanted) == pytest.approx(0.5)


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
    options: list[str | Path] = []
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
