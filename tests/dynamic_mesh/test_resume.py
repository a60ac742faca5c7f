"""A fit that is stopped goes on where it was, and ends where it would have ended."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import turning_blob
from helpers.command_line import backend
from helpers.places import ROOT

from backend.formats import mesh_sequence


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_stopped_fit_goes_on(tmp_path: Path) -> None:
    turning_blob.write(tmp_path / "clip", frames=12, size=56)
    options: list[str | Path] = [
        "--input",
        tmp_path / "clip",
        "--preset",
        "fast",
        "--steps",
        "120",
        "--faces",
        "600",
    ]
    whole = backend("mesh", *options, "--output", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    command = [
        sys.executable,
        "-u",
        "-m",
        "backend",
        "mesh",
        *map(str, options),
        "--output",
        str(tmp_path / "stopped"),
    ]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Following the motion" in line:
                process.send_signal(signal.SIGINT)
                break
        process.stderr.read()
    assert not (tmp_path / "stopped" / "mesh.npz").exists()
    again = backend("mesh", *options, "--output", tmp_path / "stopped")
    assert again.returncode == 0, again.stderr
    assert json.loads((tmp_path / "stopped" / "manifest.json").read_text())["timings"]["resumed"]
    one, other = (mesh_sequence.read(tmp_path / name / "mesh.npz") for name in ("whole", "stopped"))
    assert np.array_equal(one.faces, other.faces)
    assert np.array_equal(one.positions, other.positions)
