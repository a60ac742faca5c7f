"""Runs of the backend as a user starts it, and figures from their manifests."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.table import ROOT


def backend(verb: str, source: Path, output: Path, *options: str) -> dict[str, Any] | str:
    """The manifest of a finished run; the error's sentence of a failed one."""
    shutil.rmtree(output, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "backend",
        verb,
        "--input",
        str(source),
        "--output",
        str(output),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    manifest: dict[str, Any] = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def cost(manifest: dict[str, Any]) -> tuple[float, float]:
    """CPU seconds and peak megabytes."""
    return manifest["timings"]["cpu_seconds"], manifest["timings"]["peak_megabytes"]
