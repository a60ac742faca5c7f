"""Interpreters on this machine that an environment can be made from. No bpy here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = (
    ("3.11",) if sys.platform == "linux" else ("3.11", "3.12", "3.13")
)  # torch's CPU build is locked so, wheels/README.md
_TEST = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


def version_of(python: str) -> str:
    """ "3.11", or empty where the interpreter does not run or can't make environments."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", _TEST],
            capture_output=True,
            text=True,
            timeout=20,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _candidates() -> list[str]:
    paths = [shutil.which(f"python{v}") or "" for v in VERSIONS] + [
        shutil.which("python3") or "",
        shutil.which("python") or "",
    ]
    home = Path.home()
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", home)) / "Programs" / "Python"
        paths += [str(base / f"Python{v.replace('.', '')}" / "python.exe") for v in VERSIONS]
    else:
        paths += [
            str(p)
            for v in VERSIONS
            for p in sorted((home / ".pyenv" / "versions").glob(f"{v}.*/bin/python"))
        ]
        paths += [
            f"{prefix}/python{v}"
            for prefix in ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin")
            for v in VERSIONS
        ]
    return [*dict.fromkeys(p for p in paths if p and Path(p).exists()), sys.executable]


def find_base() -> str:
    """The best interpreter to build on: 3.11 first, Blender's own last; empty without any."""
    usable: dict[str, str] = {}
    for python in _candidates():
        version = version_of(python)
        if version in VERSIONS:
            usable.setdefault(version, python)
        if version == VERSIONS[0]:
            break
    return next((usable[v] for v in VERSIONS if v in usable), "")


def has_nvidia() -> bool:
    """An NVIDIA driver is at work."""
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia/version").exists()
