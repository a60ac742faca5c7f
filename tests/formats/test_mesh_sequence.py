"""Moving meshes on disk, and how nodes carry their vertices."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.archives import change, label, with_value

from backend.formats import mesh_sequence
from backend.formats.mesh_sequence import MeshSequence, Nodes, skinned
from backend.protocol import InputError

T, V, N = 2, 4, 3
RANDOM = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


FACES = np.array([[0, 1, 2], [1, 2, 3]], np.int32)
SKIN = np.array([[0, 1], [1, 2], [2, 0], [0, 2]], np.int32)
NODES = Nodes(floats(N, 3), floats(T, N, 3, 4), SKIN, np.full((V, 2), 0.5, np.float32))
COLORS = (np.arange(12).reshape(4, 3) / 11).astype(np.float32)
SEQUENCE = MeshSequence(
    rest=floats(V, 3),
    faces=FACES,
    positions=floats(T, V, 3),
    seconds=np.array([0, 0.04]),
    colors=COLORS,
    uvs=floats(2, 3, 2),
    nodes=NODES,
)


EMPTY = {
    "rest": floats(0, 3), "positions": floats(T, 0, 3), "colors": np.zeros((0, 3)),
    "faces": FACES[:0], "uvs": floats(0, 3, 2), "node_skin": SKIN[:0],
    "node_weights": NODES.weights[:0],
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    mesh_sequence.write(tmp_path / "mesh.npz", SEQUENCE)
    return tmp_path / "mesh.npz"


def test_sequences_come_back(file: Path) -> None:
    found = mesh_sequence.read(file)
    for name in ("rest", "faces", "positions", "seconds", "uvs"):
        np.testing.assert_array_equal(getattr(found, name), getattr(SEQUENCE, name))
        assert getattr(found, name).dtype == getattr(SEQUENCE, name).dtype
    np.testing.assert_allclose(found.colors, COLORS, atol=0.5 / 255 + 1e-7)
    assert found.nodes is not None
    for name, values in vars(NODES).items():
        np.testing.assert_array_equal(getattr(found.nodes, name), values)
        assert getattr(found.nodes, name).dtype == values.dtype


def test_textures_and_nodes_may_be_missing_and_colours_are_held_in_bounds(tmp_path: Path) -> None:
    glaring = MeshSequence(
        rest=SEQUENCE.rest,
        faces=FACES[:0],
        positions=SEQUENCE.positions,
        seconds=SEQUENCE.seconds,
        colors=COLORS * 4 - 1,
    )
    mesh_sequence.write(tmp_path / "a.npz", glaring)
    found = mesh_sequence.read(tmp_path / "a.npz")
    assert found.uvs is None and found.nodes is None and len(found.faces) == 0
    np.testing.assert_allclose(found.colors, (COLORS * 4 - 1).clip(0, 1), atol=0.5 / 255 + 1e-7)


@pytest.mark.parametrize("wrong", [
    {"rest": SEQUENCE.rest[:, :2]}, {"rest": SEQUENCE.rest[:3]}, {"rest": SEQUENCE.rest.ravel()},
    {"faces": FACES[0]}, {"faces": np.zeros((2, 4), np.int32)},
    {"faces": with_value(FACES, (1, 2), 4)}, {"faces": with_value(FACES, (0, 0), -1)},
    {"positions": SEQUENCE.positions[:1]}, {"positions": SEQUENCE.positions[..., :2]},
    {"seconds": np.zeros(3)}, {"colors": np.zeros((4, 4), np.uint8)},
    {"colors": np.zeros((3, 3), np.uint8)}, {"uvs": SEQUENCE.uvs[:1]}, {"uvs": floats(2, 3, 3)},
    {"node_rest": NODES.rest[:2]}, {"node_rest": floats(N, 2)},
    {"node_transforms": NODES.transforms[:1]}, {"node_transforms": NODES.transforms[..., :3]},
    {"node_skin": SKIN[:, :1]}, {"node_skin": SKIN[:3], "node_weights": NODES.weights[:3]},
    {"node_skin": with_value(SKIN, (0, 0), -1)}, {"node_skin": with_value(SKIN, (3, 1), N)},
    {"node_weights": with_value(NODES.weights, (0, 0), np.nan)},
    {"node_transforms": with_value(NODES.transforms, (1, 2, 2, 3), np.inf)},
    {"seconds": np.zeros(0), "positions": floats(0, V, 3), "node_transforms": floats(0, N, 3, 4)},
    EMPTY,
], ids=label)  # fmt: skip
def test_parts_that_do_not_fit(wrong: dict[str, Any], file: Path) -> None:
    change(file, **wrong)
    with pytest.raises(InputError, match=r"do not fit together|numbers that are none"):
        mesh_sequence.read(file)


@pytest.mark.parametrize("name", ["rest", "positions", "seconds"])
def test_numbers_that_are_none(name: str, file: Path) -> None:
    values = getattr(SEQUENCE, name)
    change(file, **{name: with_value(values, (-1,) * values.ndim, np.nan)})
    with pytest.raises(InputError, match="numbers that are none"):
        mesh_sequence.read(file)


@pytest.mark.parametrize(
    "name",
    [
        "rest",
        "faces",
        "positions",
        "seconds",
        "colors",
        "node_skin",
        "node_transforms",
        "node_weights",
    ],
)
def test_parts_that_are_missing_or_objects(name: str, file: Path) -> None:
    with np.load(file) as data:
        disguised = data[name].astype(object)
    for changed in (None, disguised):
        change_to = {name: changed}
        mesh_sequence.write(file, SEQUENCE)
        change(file, **change_to)
        with pytest.raises(InputError, match="mesh sequence"):
            mesh_sequence.read(file)


def test_damaged_archives(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for cut in (0, 2, len(data) // 2):
        file.write_bytes(data[:cut])
        with pytest.raises(InputError, match="mesh sequence"):
            mesh_sequence.read(file)


def test_a_mesh_may_be_one_vertex_on_one_node(tmp_path: Path) -> None:
    nodes = Nodes(
        floats(1, 3), floats(1, 1, 3, 4), np.zeros((1, 1), np.int32), np.ones((1, 1), np.float32)
    )
    sequence = MeshSequence(
        rest=floats(1, 3),
        faces=FACES[:0],
        positions=floats(1, 1, 3),
        seconds=np.zeros(1),
        colors=COLORS[:1],
        uvs=None,
        nodes=nodes,
    )
    mesh_sequence.write(tmp_path / "a.npz", sequence)
    assert mesh_sequence.read(tmp_path / "a.npz").positions.shape == (1, 1, 3)


def test_objects_are_never_written(tmp_path: Path) -> None:
    sequence = MeshSequence(
        rest=SEQUENCE.rest,
        faces=FACES,
        positions=SEQUENCE.positions,
        seconds=SEQUENCE.seconds.astype(object),
        colors=COLORS,
    )
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        mesh_sequence.write(tmp_path / "a.npz", sequence)


def test_most_places(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_sequence, "MOST", T * V)
    assert len(mesh_sequence.read(file).positions) == T
    monkeypatch.setattr(mesh_sequence, "MOST", T * V - 1)
    with pytest.raises(InputError):
        mesh_sequence.read(file)


def test_nodes_carry_vertices_by_their_weights() -> None:
    """One node doubles, one moves up by 6; a vertex of a third and two thirds goes in between."""
    double, move = np.eye(3, 4, dtype=np.float32) * 2, np.eye(3, 4, dtype=np.float32)
    move[1, 3] = 6
    turn = np.array([[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]], np.float32)  # x to y
    transforms = np.stack([np.stack([double, move]), np.stack([turn, turn])])
    weights = np.array([[1, 0], [1 / 3, 2 / 3]], np.float32)
    nodes = Nodes(
        np.zeros((2, 3), np.float32), transforms, np.array([[0, 1], [0, 1]], np.int32), weights
    )
    found = skinned(np.array([[1, 2, 3], [3, 0, 0]], np.float32), nodes)
    np.testing.assert_allclose(found[0], [[2, 4, 6], [4, 4, 0]], rtol=1e-6)
    np.testing.assert_allclose(found[1], [[-2, 1, 3], [0, 3, 0]], atol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("seconds", [[0.0, 0.0], [1.0, 0.5], [2.0, -1.0]])
def test_times_that_do_not_rise(seconds: list[float], file: Path) -> None:
    change(file, seconds=np.array(seconds))
    with pytest.raises(InputError, match="times do not rise"):
        mesh_sequence.read(file)
