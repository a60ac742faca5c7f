"""No flag of the command line in the window: the same error names the field."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Give one with --tracker.", "Give one with Tracker."),
        ("--max-splats 5 is too few.", "Max Splats 5 is too few."),
        ("Use fewer pictures (--frames, --max-side).", "Use fewer pictures (Frames)."),
        ("Give one shot without cuts (--start, --end).", "Give one shot without cuts."),
        ("Hold out fewer (--holdout 8), or none (0).", "Hold out fewer, or none (0)."),
        ("Name it with --sound-model.", "Name it with sound model."),
        ("A well-known--and long--dash", "A well-known--and long--dash"),
    ],
)
def test_flags_become_fields(blender: Any, rooms: Any, said: str, shown: str) -> None:
    assert rooms("jobs.flags").in_window(said) == shown


def test_fields_are_called_so_in_the_panels(blender: Any, rooms: Any) -> None:
    texts = "".join(path.read_text() for path in (ROOT / "addon/properties").glob("*.py"))
    texts += (ROOT / "addon/ui/animated_mesh_panel.py").read_text()
    for name in rooms("jobs.flags").FIELDS.values():
        assert re.search(rf'(name|text)="{re.escape(name)}[" ]', texts), name


def test_errors_of_jobs_come_without_flags(blender: Any, rooms: Any, tmp_path: Path) -> None:
    protocol = rooms("jobs.process").protocol
    job = rooms("jobs.manager").JobRecord(
        request=None, folder=tmp_path, command=[], cwd=tmp_path, file_token=0
    )
    job.take(protocol.Failure("CODE", "--steps 0 is too few.", "Choose more (--steps)."))
    assert (job.error, job.advice) == ("Steps 0 is too few.", "Choose more (Steps).")
