"""Tests over a mutant, in a fork of a process that has the large libraries in memory already."""

import gc
import importlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

import pytest

LIBRARIES = (
    "numpy",
    "torch",
    "torch._dynamo",  # an optimiser's first one fetches it, 900 modules
    "scipy.spatial",
    "PIL.Image",
    "cv2",
    "OpenEXR",
    "hypothesis.strategies",
)
BROKEN = 99  # the exit of a mutant that can't even be imported
MEMORY = 16 * 2**30
QUIET = (
    "-x",
    "-q",
    "--disable-plugin-autoload",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:unraisableexception",
)


class _Finder:
    """Finds one module in memory, before anyone looks for it on the disk."""

    def __init__(self, name: str, file: Path, code: CodeType) -> None:
        self.name, self.file = name, file

        class Loader(SourceFileLoader):
            def get_code(self, fullname: str) -> CodeType:
                return code

        self.loader = Loader(name, str(file))

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return (
            spec_from_file_location(name, self.file, loader=self.loader)
            if name == self.name
            else None
        )


def prepare() -> None:
    """What every fork would have to do otherwise. Random examples are the same every time."""
    for name in LIBRARIES:
        importlib.import_module(name)
    import torch
    from hypothesis import settings

    torch.set_num_threads(1)
    settings.register_profile("mutation", derandomize=True, database=None)
    settings.load_profile("mutation")
    gc.freeze()


def _test(
    module: str, file: Path, code: CodeType, tests: list[str], folder: Path, seconds: int
) -> NoReturn:
    status = 1
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(10 * seconds)  # what waits for ever uses no CPU time
        sys.meta_path.insert(0, _Finder(module, file, code))  # type: ignore[arg-type]
        try:
            importlib.import_module(module)
        except Exception:
            os._exit(BROKEN)
        status = int(
            pytest.main([*QUIET, f"--basetemp={folder}", "-c", "tests/pytest.ini", *tests])
        )
    finally:
        os._exit(status)


def judge(
    file: Path, codes: list[CodeType], tests: list[str], folder: Path, seconds: int, jobs: int
) -> Iterator[tuple[int, int, float]]:
    """Number, exit status (0: nobody noticed) and CPU seconds of each; `jobs` at a time."""
    module, waiting = ".".join(file.with_suffix("").parts), list(enumerate(codes))
    running: dict[int, Any] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            number, code = waiting.pop(0)
            pid = os.fork()
            if not pid:
                _test(module, file, code, tests, folder / f"{file.stem}-{number}", seconds)
            running[pid] = number
        pid, status, used = os.wait4(-1, 0)
        yield running.pop(pid), os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
