"""Mesh files of which Blender's own importers die: they die in another process, and here it is one
sentence. `tests/drill/hostile_in_blender.py` feeds hundreds.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from helpers import hostile_meshes

pytestmark = pytest.mark.tried
STAGE = """#usda 1.0
(
    endTimeCode = {last}
    startTimeCode = 0
    timeCodesPerSecond = 24
)
def Mesh "m"
{{
    int[] faceVertexCounts = [3]
    int[] faceVertexIndices = [0, 1, 2]
    point3f[] points.timeSamples = {{ 0: [(0,0,0),(1,0,0),(0,1,0)], 1: [(0,0,1),(1,0,1),(0,1,1)] }}
}}
"""


@pytest.fixture
def opened(rooms: Any) -> Any:
    return rooms("scene.meshes.trial")


def acting(monkeypatch: pytest.MonkeyPatch, trial: Any, code: str) -> None:
    """The other process is that program."""
    monkeypatch.setattr(trial, "command", lambda: [sys.executable, "-c", code])


def test_an_alembic_file_that_was_cut_is_one_sentence(
    bpy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blender 4.5 aborts over it."""
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.wm.alembic_export(filepath=str(tmp_path / "c.abc"), as_background_job=False)
    data = (tmp_path / "c.abc").read_bytes()
    (tmp_path / "cut.abc").write_bytes(data[: len(data) // 2])
    before = len(bpy.data.objects)
    with pytest.raises(
        RuntimeError, match=r"^Error: cut\.abc (is damaged|can't be read)[^\n]*\n?$"
    ):
        bpy.ops.splatsmith.import_mesh_cache(filepath=str(tmp_path / "cut.abc"))
    assert len(bpy.data.objects) == before


def test_a_ply_of_one_endless_line_is_one_sentence(bpy: Any, tmp_path: Path) -> None:
    """Blender 4.5 aborts over it, 5.3 says so itself."""
    line = hostile_meshes.ply(indices="0 1 2" + " 7" * 200_000)
    hostile_meshes.write(tmp_path / "s", iter([("a1.ply", hostile_meshes.ply()), ("a2.ply", line)]))
    with pytest.raises(RuntimeError, match=r"a2\.ply (is damaged|can't be read)[^\n]*\n?$"):
        bpy.ops.splatsmith.import_mesh_files(directory=str(tmp_path / "s"), follow=False)
    assert not bpy.data.meshes


@pytest.mark.parametrize(("last", "comes"), [(3, True), (900_000, False)])
def test_more_frames_than_anyone_has_are_one_sentence(
    bpy: Any, tmp_path: Path, last: int, comes: bool
) -> None:
    path = tmp_path / "s.usda"
    path.write_text(STAGE.format(last=last))
    if comes:
        assert bpy.ops.splatsmith.import_mesh_cache(filepath=str(path)) == {"FINISHED"}
        return
    with pytest.raises(RuntimeError, match=r"s\.usda can't be read: it tells of 900,001 frames"):
        bpy.ops.splatsmith.import_mesh_cache(filepath=str(path))


@pytest.mark.parametrize(("code", "said"), [
    ("import os; print('trial of file 1', flush=True); os.abort()", "b.obj is damaged"),
    ("print('trial of file 0', flush=True); import time; time.sleep(60)", "a.obj takes too long"),
    ("print('trial of file 0\\nnoise\\ntrial of file 1')", ""),
    ("import sys; sys.exit(7)", ""),
    ("import os; os.abort()", ""),  # it never began: the files are not to blame
])  # fmt: skip
def test_whatever_becomes_of_the_other_process(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    paths = hostile_meshes.write(tmp_path, iter([("a.obj", b"v"), ("b.obj", b"v")]))
    acting(monkeypatch, opened, code)
    monkeypatch.setattr(opened, "PATIENCE", 1.0)
    if not said:
        opened.check(paths)
        return
    with pytest.raises(opened.InputError, match=said):
        opened.check(paths)


def test_where_nothing_can_be_started_files_are_read_all_the_same(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "command", lambda: [str(tmp_path / "no-python")])
    opened.check(hostile_meshes.write(tmp_path, iter([("a.obj", b"v")])))
