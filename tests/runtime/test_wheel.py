"""The backend as a package: `splatsmith` from pip, without a checkout and without Blender."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from helpers.places import ROOT

pytestmark = pytest.mark.process


def unpacked(folder: Path) -> Path:
    """What pip would put into site-packages; no network, for nothing else is installed."""
    package = folder / "site" / "splatsmith"
    for path in sorted((ROOT / "backend").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            place = package / path.relative_to(ROOT / "backend")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return package.parent


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "splatsmith", *arguments],
        capture_output=True,
        text=True,
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(site)},
        timeout=600,
    )


def test_it_works_under_its_own_name(tmp_path: Path) -> None:
    site = unpacked(tmp_path)
    done = run(site, "head", "--input", "small", "--output", str(tmp_path / "head"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "head" / "head.npz").is_file()
    told = run(site, "splats", "--help")
    assert "splatsmith splats --input" in told.stdout and "python -m backend" not in told.stdout


def test_its_child_process_is_its_own(tmp_path: Path) -> None:
    """COLMAP's process is started by the package's name: a checkout's would not be found."""
    from helpers import clips

    site = unpacked(tmp_path)
    clips.write_capture(tmp_path / "capture", 6, (96, 72), 80.0)
    done = run(
        site,
        *("cameras", "--input", str(tmp_path / "capture"), "--output", str(tmp_path / "out")),
        *("--preset", "fast", "--no-depth"),
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert (tmp_path / "out" / "transforms.json").is_file()


def test_pip_builds_it(tmp_path: Path) -> None:
    """Needs the build backend from the registry: skipped where there is none."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir"]
    done = subprocess.run(
        [*command, str(tmp_path), str(ROOT)], capture_output=True, text=True, timeout=600
    )
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip("hatchling can't be had here")
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("splatsmith-*.whl"))).namelist()
    assert "splatsmith/talking_head/speech/viseme_encoder.safetensors" in names
    assert "splatsmith/gaussians/native/splat_kernels.cpp" in names
    assert not any(name.startswith(("addon/", "backend/", "tests/")) for name in names)
