"""Meshes that have nothing in common but their shape become one that moves."""

import json
from pathlib import Path

import numpy as np
from helpers import turning_blob
from helpers.command_line import refusal, run

from backend.dynamic_mesh.deformation.registration import welded
from backend.formats import mesh_frames, mesh_sequence
from backend.formats.mesh_frames import MeshFrame, MeshFrames
from tests.benchmarks import mesh_metrics as metrics


def frames(count: int = 6) -> tuple[MeshFrames, np.ndarray]:
    """The bending ball, cut into other triangles in every frame; and what its vertices, as in the
    first, truly do.
    """
    found, first = [], turning_blob.ball(24, 36)[0]
    for k in range(count):
        rest, faces = turning_blob.ball(24 + k % 3, 36 - k % 4)
        vertices = turning_blob.bent(rest, k / 20).astype(np.float32)
        found.append(
            MeshFrame(
                vertices,
                faces.astype(np.int32),
                turning_blob.paint(rest).astype(np.float32),
                np.zeros(len(rest), np.int32),
            )
        )
    truth = np.stack([turning_blob.bent(first, k / 20) for k in range(count)])
    tracks = np.repeat(found[0].vertices[None], count, 0)
    return MeshFrames(
        frames=found,
        seconds=np.arange(count) / 24,
        canonical=found[0].vertices,
        canonical_faces=found[0].faces,
        canonical_tracks=tracks,
    ), truth


def test_the_first_mesh_follows_the_others(tmp_path: Path) -> None:
    sequence, truth = frames()
    assert sequence.one_topology < 0.5
    mesh_frames.write(tmp_path / mesh_frames.NAME, sequence)
    done = run(
        "register",
        "--input",
        tmp_path / mesh_frames.NAME,
        "--output",
        tmp_path / "one",
        "--faces",
        "1200",
    )
    assert done.returncode == 0, done.stderr
    found = mesh_sequence.read(tmp_path / "one" / mesh_sequence.NAME)
    assert found.positions.shape[0] == 6 and len(found.faces) <= 1200
    size = np.ptp(truth, axis=(0, 1)).max()
    random = np.random.default_rng(0)
    for placed, frame in zip(found.positions, sequence.frames, strict=True):
        here, there = (
            metrics.sample_surface(v, f, 4000, random)
            for v, f in ((placed, found.faces), (frame.vertices, frame.faces))
        )
        assert (
            metrics.chamfer(here, there) < 0.013 * size
        )  # 0.01 is how far apart samples of one surface lie
    moved, still = metrics.trajectory_error(found.positions, truth)
    assert moved < 0.45 * still
    assert (
        json.loads((tmp_path / "one" / "manifest.json").read_text())["metrics"]["distance"] < 0.01
    )


def test_a_mesh_with_both_sides_is_one_surface() -> None:
    vertices, faces = (turning_blob.ball(8, 12)[0].astype(np.float32), turning_blob.ball(8, 12)[1])
    apart = (
        np.concatenate([vertices, vertices]),
        np.concatenate([faces, faces[:, ::-1] + len(vertices)]),
    )
    joined = welded(*apart)
    alone = welded(vertices, faces)
    assert len(joined[0]) == len(alone[0]) and np.array_equal(
        np.sort(joined[1], 1), np.sort(alone[1], 1)
    )


def test_frames_are_written_and_read_whole_or_refused(tmp_path: Path) -> None:
    sequence, _ = frames(3)
    path = tmp_path / mesh_frames.NAME
    mesh_frames.write(path, sequence)
    again = mesh_frames.read(path)
    for a, b in zip(sequence.frames, again.frames, strict=True):
        assert (
            np.array_equal(a.vertices, b.vertices)
            and np.array_equal(a.faces, b.faces)
            and np.array_equal(a.ids, b.ids)
        )
        assert np.abs(a.colors - b.colors).max() < 0.003
    with np.load(path) as data:
        arrays = dict(data)
    for name, harm in {
        "cut": {"vertices": arrays["vertices"][:-1]},
        "faces": {"faces": arrays["faces"] + 10**6},
        "nan": {"canonical": arrays["canonical"] * np.nan},
        "counts": {"vertex_counts": arrays["vertex_counts"][:-1]},
    }.items():
        np.savez(tmp_path / f"{name}.npz", **{**arrays, **harm})
        failure = refusal(
            "register", "--input", tmp_path / f"{name}.npz", "--output", tmp_path / name
        )
        assert "no usable sequence" in failure.what or "it is damaged" in failure.what
