"""The add-on, loaded once into the `bpy` module that runs the tests; its compute process is the
backend's environment.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SIZES = [120, 50, 20]  # splats of the objects, of two hundred; the last ten are of none
ROOT = Path(__file__).resolve().parents[2]
STATUS = pytest.StashKey[int]()
COMPUTE = Path(
    os.environ.get(
        "SPLATSMITH_COMPUTE",
        ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"),
    )
)
pytest.importorskip("bpy", reason="these tests run under Blender's Python: make test")


def pytest_itemcollected(item: pytest.Item) -> None:
    """The add-on computes in a process of its own, and so do the captures that are drawn for it."""
    item.add_marker("process")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """What `pytest_unconfigure` ends with."""
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the process at once: where there is a software driver, threads of 4.5's drawing wait for
    each other for ever when the interpreter goes. xdist ends its workers itself.
    """
    if config.getoption("numprocesses", None) is None and not hasattr(config, "workerinput"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash.get(STATUS, 1))


@pytest.fixture(scope="session")
def blender(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """bpy with the add-on enabled and no compute environment yet."""
    sys.path.insert(0, str(ROOT))
    from demo.blender import load_addon

    return load_addon(user_folder=tmp_path_factory.mktemp("blender"))


@pytest.fixture
def bpy(blender: Any, tmp_path: Path) -> Any:
    """An empty file, results going into the test's folder, computing ready."""
    from demo.blender import MODULE

    for collection in list(blender.data.collections):
        blender.data.collections.remove(collection)
    for kind in (
        "objects",
        "meshes",
        "pointclouds",
        "cameras",
        "node_groups",  # they hold the materials
        "materials",
        "images",
        "movieclips",
    ):
        for block in list(getattr(blender.data, kind)):
            getattr(blender.data, kind).remove(block)
    blender.data.batch_remove(list(blender.data.shape_keys))  # of nobody: no file could be saved
    blender.context.scene.render.fps, blender.context.scene.render.fps_base = 24, 1.0
    blender.context.scene.cursor.location = (0, 0, 0)  # where new objects go
    preferences = blender.context.preferences.addons[MODULE].preferences
    preferences.results, preferences.python = str(tmp_path / "results"), str(COMPUTE)
    if not blender.ops.splatsmith.train_splats.poll() and "ready" not in _line():
        blender.ops.splatsmith.compute_check()
    return blender


@pytest.fixture(autouse=True)
def untried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mesh files are not read in another Blender first, which takes a second: what is tried, the
    tests that are marked so say.
    """
    if "bpy" in request.fixturenames and "tried" not in request.keywords:
        request.getfixturevalue("bpy")
        monkeypatch.setattr(room("scene.meshes.trial"), "check", lambda paths: None)


def _line() -> str:
    return room("compute.state").current().line


def room(name: str) -> Any:
    """A module of the loaded add-on."""
    from demo.blender import MODULE

    return sys.modules[f"{MODULE}.addon.{name}"]


@pytest.fixture
def rooms() -> Any:
    return room


@pytest.fixture(scope="session")
def capture_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small capture that the backend's helpers draw, made in the backend's environment, which has
    Pillow.
    """
    import subprocess

    folder = tmp_path_factory.mktemp("capture")
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]\n"
    code += (
        f"from pathlib import Path; from helpers import clips; "
        f"clips.write_capture(Path({str(folder)!r}) / 'c', 10)\n"
    )
    subprocess.run([str(COMPUTE), "-c", code], check=True)
    yield folder / "c"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def splat_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred random splats around the origin, their colours following the view."""
    return _write_splats(tmp_path_factory.mktemp("splats") / "random.ply", 16)


@pytest.fixture(scope="session")
def plain_splat_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, each of one colour from everywhere."""
    return _write_splats(tmp_path_factory.mktemp("splats") / "plain.ply", 1)


def _write_splats(path: Path, coefficients: int) -> Path:
    import numpy as np

    sys.path.insert(0, str(ROOT))
    from backend.formats import splat_ply

    g, f = np.random.default_rng(0), np.float32
    quats = g.normal(size=(200, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    means, scales = g.uniform(-1, 1, (200, 3)).astype(f), g.normal(-2.2, 0.4, (200, 3)).astype(f)
    opacities, sh = (
        g.normal(1, 1, 200).astype(f),
        g.normal(0, 0.4, (200, 16, 3)).astype(f)[:, :coefficients],
    )
    arrays = splat_ply.SplatArrays(
        means=means, quats=quats.astype(f), log_scales=scales, opacity_logits=opacities, sh=sh
    )
    splat_ply.write(path, arrays)
    return path


def segmentation(splat_file: Path, folder: Path) -> Path:
    """What `segment` leaves for that file."""
    import numpy as np

    from backend.formats import splat_ply

    folder.mkdir()
    arrays = splat_ply.read(splat_file)
    arrays.extra["object_id"] = np.repeat([0, 1, 2, 65535], [*SIZES, 10]).astype(np.uint16)
    splat_ply.write(folder / "splats.ply", arrays)
    records = [
        {
            "id": i,
            "name": f"Object {i + 1}",
            "splats": n,
            "score": 0.9,
            "color": [0.1 * i, 0.5, 0.5],
        }
        for i, n in enumerate(SIZES)
    ]
    (folder / "objects.json").write_text(json.dumps(records))
    return folder


@pytest.fixture
def cloud(bpy: Any, rooms: Any, splat_file: Path, tmp_path: Path) -> Any:
    assert bpy.ops.splatsmith.import_splats(filepath=str(splat_file)) == {"FINISHED"}
    found = rooms("scene.splats.splats").chosen(bpy.context)
    assert (
        rooms("scene.objects.objects").attach(
            found, segmentation(splat_file, tmp_path / "segmented")
        )
        == 3
    )
    return found


@pytest.fixture
def sequence_file(tmp_path: Path) -> Path:
    from backend.formats import mesh_sequence

    from .waves import waving

    (tmp_path / "wave").mkdir()
    mesh_sequence.write(tmp_path / "wave" / "mesh.npz", waving())
    return tmp_path / "wave" / "mesh.npz"


@pytest.fixture
def wave(bpy: Any, sequence_file: Path) -> Any:
    assert bpy.ops.splatsmith.import_mesh(filepath=str(sequence_file)) == {"FINISHED"}
    return bpy.context.object
