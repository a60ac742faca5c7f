"""The backend as a user starts it."""

import os
import subprocess
import sys
from pathlib import Path

from helpers.places import ROOT


def backend(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m backend …` to its end."""
    command = [sys.executable, "-m", "backend", *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        env={**os.environ, **environment},
    )


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """Starts it with pipes, as Blender does."""
    command = [sys.executable, "-m", "backend", *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
