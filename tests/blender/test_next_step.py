"""The panel whose turn it is, from an empty file to splats."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import COMPUTE


@pytest.fixture
def step(bpy: Any, rooms: Any) -> Any:
    """What is next, in a scene with nothing chosen, while no job is on the list."""
    settings = bpy.context.scene.splatsmith
    for name in ("video", "photos", "solved", "capture"):
        setattr(settings, name, "")
    settings.source, settings.clip = "VIDEO", None
    rooms("jobs.manager").manager.jobs.clear()
    return lambda: rooms("ui.next_step").next_step(bpy.context)


def test_one_step_after_the_other(bpy: Any, step: Any, splat_file: Path) -> None:
    settings = bpy.context.scene.splatsmith
    assert step() == ("source", "Choose a video")
    settings.source = "CLIP"
    assert step() == ("source", "Choose a clip")
    settings.source, settings.photos = "PHOTOS", "photos"
    assert step() == ("cameras", "Press Solve Cameras")
    settings.capture = "capture"
    assert step() == ("splats", "Press Train Splats")
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    assert step() is None


def test_a_capture_needs_no_footage(bpy: Any, step: Any) -> None:
    bpy.context.scene.splatsmith.capture = "capture"
    assert step() == ("splats", "Press Train Splats")


def test_computing_comes_first(bpy: Any, step: Any, rooms: Any, tmp_path: Path) -> None:
    from demo.blender import MODULE

    preferences, panel = (
        bpy.context.preferences.addons[MODULE].preferences,
        rooms("ui.compute_panel"),
    )
    preferences.python = str(tmp_path / "gone")
    assert step() == ("compute", "Choose another Python")
    panel.open_where_needed()
    assert panel.SPLATSMITH_PT_compute.bl_options == set()
    preferences.python = ""
    assert step() == ("compute", "Press Set Up Computing")
    (tmp_path / "python").symlink_to(COMPUTE)
    preferences.python = str(tmp_path / "python")
    assert step() == ("compute", "Press Check Computing")
    preferences.python = str(COMPUTE)
    assert step()[0] == "source"
    panel.open_where_needed()
    assert panel.SPLATSMITH_PT_compute.bl_options == {"DEFAULT_CLOSED"}


def test_nothing_is_said_while_a_job_runs(step: Any, rooms: Any) -> None:
    from types import SimpleNamespace

    jobs = rooms("jobs.manager").manager.jobs
    jobs.append(SimpleNamespace(active=True))
    assert step() is None
    jobs.clear()
