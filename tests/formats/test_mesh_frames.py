"""Meshes with a topology of their own in every frame, on disk."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.archives import change, label, with_value

from backend.formats import mesh_frames
from backend.formats.mesh_frames import MeshFrame, MeshFrames
from backend.protocol import InputError

RANDOM = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def frame(count: int, faces: list[list[int]]) -> MeshFrame:
    colors, ids = (
        RANDOM.random((count, 3)).astype(np.float32),
        RANDOM.integers(0, 9, count).astype(np.int32),
    )
    return MeshFrame(floats(count, 3), np.array(faces, np.int32).reshape(-1, 3), colors, ids)


FRAMES = [frame(4, [[0, 1, 2], [1, 2, 3]]), frame(3, []), frame(5, [[0, 1, 4]])]
SECONDS, CANONICAL = np.array([0, 0.5, 1]), floats(3, 3)
SEQUENCE = MeshFrames(
    frames=FRAMES,
    seconds=SECONDS,
    canonical=CANONICAL,
    canonical_faces=np.array([[0, 1, 2]], np.int32),
    canonical_tracks=floats(3, 3, 3),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    mesh_frames.write(tmp_path / "f.npz", SEQUENCE)
    return tmp_path / "f.npz"


def test_sequences_come_back(file: Path) -> None:
    found = mesh_frames.read(file)
    for name in ("seconds", "canonical", "canonical_faces", "canonical_tracks"):
        np.testing.assert_array_equal(getattr(found, name), getattr(SEQUENCE, name))
        assert getattr(found, name).dtype == getattr(SEQUENCE, name).dtype
    for a, b in zip(found.frames, FRAMES, strict=True):
        for name in ("vertices", "faces", "ids"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
            assert getattr(a, name).dtype == getattr(b, name).dtype
        np.testing.assert_allclose(a.colors, b.colors, atol=0.5 / 255 + 1e-7)


def test_colours_are_held_in_bounds(tmp_path: Path) -> None:
    glaring = MeshFrame(
        floats(3, 3),
        FRAMES[1].faces,
        np.array([[-1, 0, 0.5], [1, 2, 300], [0, 0, 0]], np.float32),
        FRAMES[1].ids,
    )
    mesh_frames.write(
        tmp_path / "f.npz",
        MeshFrames(
            frames=[glaring],
            seconds=np.zeros(1),
            canonical=CANONICAL,
            canonical_faces=SEQUENCE.canonical_faces,
            canonical_tracks=floats(1, 3, 3),
        ),
    )
    found = mesh_frames.read(tmp_path / "f.npz").frames[0].colors
    expected = np.array([[0, 0, 0.5], [1, 1, 1], [0, 0, 0]])
    np.testing.assert_allclose(found.astype(np.float64), expected, atol=0.5 / 255 + 1e-7)


def test_share_of_frames_with_the_first_ones_faces() -> None:
    a, b = frame(4, [[0, 1, 2]]), frame(4, [[1, 2, 3]])
    for frames, share in (([a, a], 1), ([a, b, b, a], 0.5), ([a], 1), ([a, b, b, b], 0.25)):
        assert (
            MeshFrames(
                frames=frames,
                seconds=np.zeros(len(frames)),
                canonical=CANONICAL,
                canonical_faces=SEQUENCE.canonical_faces,
                canonical_tracks=floats(1, 3, 3),
            ).one_topology
            == share
        )


with_vertices = np.concatenate([f.vertices for f in FRAMES])
with_faces = np.concatenate([f.faces for f in FRAMES])
WRONG: list[dict[str, Any]] = [
    {"seconds": SECONDS[:2]}, {"seconds": SECONDS[None]}, {"vertex_counts": np.array([4, 3, 4])},
    {"vertex_counts": np.array([4, 8])},
    {"vertex_counts": np.array([4, 8, 0]), "face_counts": np.array([2, 1, 0])},
    {"vertex_counts": np.array([[4, 3, 5]])}, {"vertex_counts": np.array([12, 0, 0])},
    {"vertex_counts": np.array([8, -1, 5])}, {"face_counts": np.array([2, 0, 2])},
    {"face_counts": np.array([4, -2, 1])}, {"face_counts": np.array([[2, 0, 1]])},
    {"face_counts": np.array([3, 0])}, {"vertices": with_vertices[:-1]},
    {"vertices": with_vertices[:, :2]}, {"faces": with_faces[:-1]}, {"faces": with_faces[:, :2]},
    {"ids": np.zeros(11, np.int32)}, {"colors": np.zeros((11, 3), np.uint8)},
    {"colors": np.zeros((12, 4), np.uint8)}, {"canonical": CANONICAL[:, :2]},
    {"canonical": CANONICAL[:2]}, {"canonical_faces": np.zeros((1, 4), np.int32)},
    {"canonical_tracks": SEQUENCE.canonical_tracks[:2]},
    {"canonical_tracks": SEQUENCE.canonical_tracks[..., :2]},
    {"faces": with_value(with_faces, (0, 0), -1)}, {"faces": with_value(with_faces, (1, 2), 4)},
    {"faces": with_value(with_faces, (2, 2), 5)}, {"canonical_faces": np.array([[0, 1, 3]])},
    {"canonical_faces": np.array([[0, 1, -1]])},
    {"seconds": SECONDS[:0], "vertex_counts": np.zeros(0, int), "face_counts": np.zeros(0, int),
     "vertices": with_vertices[:0], "faces": with_faces[:0], "ids": np.zeros(0),
     "colors": np.zeros((0, 3)), "canonical_tracks": SEQUENCE.canonical_tracks[:0]},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=label)
def test_parts_that_do_not_fit(wrong: dict[str, Any], file: Path) -> None:
    change(file, **wrong)
    with pytest.raises(InputError, match=r"do not fit together|of another type"):
        mesh_frames.read(file)


@pytest.mark.parametrize("name", ["vertices", "seconds", "canonical", "canonical_tracks"])
def test_numbers_that_are_none(name: str, file: Path) -> None:
    with np.load(file) as data:
        values = data[name]
    change(file, **{name: with_value(values, (-1,) * values.ndim, np.inf)})
    with pytest.raises(InputError, match="numbers that are none"):
        mesh_frames.read(file)


def test_parts_that_are_missing_objects_and_damaged_archives(file: Path) -> None:
    with np.load(file) as data:
        parts = {name: data[name] for name in data.files if name != "allow_pickle"}
    for name, values in parts.items():
        for changed in (None, values.astype(object)):
            mesh_frames.write(file, SEQUENCE)
            change(file, **{name: changed})
            with pytest.raises(InputError, match="or it is damaged"):
                mesh_frames.read(file)
    mesh_frames.write(file, SEQUENCE)
    whole = file.read_bytes()
    for cut in (0, 2, len(whole) // 2):
        file.write_bytes(whole[:cut])
        with pytest.raises(InputError, match="or it is damaged"):
            mesh_frames.read(file)


def test_a_frame_may_be_one_vertex(tmp_path: Path) -> None:
    mesh_frames.write(
        tmp_path / "f.npz",
        MeshFrames(
            frames=[frame(1, [])],
            seconds=np.zeros(1),
            canonical=CANONICAL,
            canonical_faces=SEQUENCE.canonical_faces,
            canonical_tracks=floats(1, 3, 3),
        ),
    )
    assert len(mesh_frames.read(tmp_path / "f.npz").frames[0].vertices) == 1


def test_objects_are_never_written(tmp_path: Path) -> None:
    objects = MeshFrames(
        frames=FRAMES,
        seconds=SECONDS.astype(object),
        canonical=CANONICAL,
        canonical_faces=SEQUENCE.canonical_faces,
        canonical_tracks=SEQUENCE.canonical_tracks,
    )
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        mesh_frames.write(tmp_path / "f.npz", objects)


def test_most_vertices(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_frames, "MOST", 12)
    assert len(mesh_frames.read(file).frames) == 3
    monkeypatch.setattr(mesh_frames, "MOST", 11)
    with pytest.raises(InputError):
        mesh_frames.read(file)


@pytest.mark.parametrize("seconds", [[0.0, 0.0, 1.0], [0.0, 2.0, 1.0]])
def test_times_that_do_not_rise(seconds: list[float], file: Path) -> None:
    change(file, seconds=np.array(seconds))
    with pytest.raises(InputError, match="times do not rise"):
        mesh_frames.read(file)
