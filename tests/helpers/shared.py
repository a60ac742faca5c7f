"""What is made once a test run and read by every worker of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.protocol import BusyError
from backend.runtime import lock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` has filled: by whichever worker came first, while the others wait."""
    base = factory.getbasetemp()
    root = base.parent if base.name.startswith("popen-") else base  # xdist's workers: popen-gw0 …
    folder, half = root / name, root / f"{name}.half"
    while not folder.exists():
        try:
            with lock.hold(root / f"{name}.lock"):
                if not folder.exists():
                    shutil.rmtree(half, ignore_errors=True)
                    half.mkdir()
                    make(half)
                    half.rename(folder)
        except BusyError:  # it looks for a third of a second
            continue
    return folder
