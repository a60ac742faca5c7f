"""Finds and loads the compiled kernels: the best library for this processor out of the
`splatsmith_kernels` package.
"""

import ctypes
import functools
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

ABI = 5
SUFFIXES = (".so", ".dll", ".dylib")
LEVELS = {0: "sse", 2: "avx2", 3: "avx512"}


@dataclass(frozen=True)
class NativeLibrary:
    """A loaded library and the instruction set that it was built for."""

    handle: ctypes.CDLL
    variant: str


def _libraries() -> dict[str, Path]:
    spec = importlib.util.find_spec("splatsmith_kernels")
    if spec is None or not spec.submodule_search_locations:
        return {}
    folder = Path(spec.submodule_search_locations[0])
    return {p.stem.removeprefix("kernels_"): p for p in folder.iterdir() if p.suffix in SUFFIXES}


def _load(path: Path) -> ctypes.CDLL | None:
    """None where the file does not load here or speaks another version of the interface."""
    try:
        handle = ctypes.CDLL(str(path))
        handle.splat_abi.restype = ctypes.c_int32
        return handle if handle.splat_abi() == ABI else None
    except (OSError, AttributeError):
        return None


@functools.cache
def load_native(variant: str | None = None) -> NativeLibrary | None:
    """The library for this processor, or the named `variant`; None where there is none.

    The environment variable SPLATSMITH_KERNELS names a variant too ("none": use the pure-torch
    rasteriser).
    """
    wanted = variant or os.environ.get("SPLATSMITH_KERNELS")
    libraries = _libraries()
    if wanted:
        names = [wanted]
    elif "neon" in libraries:
        names = ["neon"]
    else:
        base = _load(libraries["sse"]) if "sse" in libraries else None
        level = int(base.splat_cpu_level()) if base else 0
        names = [LEVELS[step] for step in sorted(LEVELS, reverse=True) if step <= level]
    for name in names:
        handle = _load(libraries[name]) if name in libraries else None
        if handle is not None:
            return NativeLibrary(handle, name)
    return None
