"""Which device computes, said out loud. The only place in the backend that names one."""

import contextlib
import ctypes
import os
import sys

from ..protocol import Device, SetupError
from .gsplat_probe import why_not_gsplat


def tune_process() -> None:
    """Before torch is imported: idle threads sleep, and freed memory stays with the process.

    Both cost a multiple in the small operations of training (measured: 85 -> 8 ms in the
    optimiser).
    """
    for name, value in (
        ("OMP_WAIT_POLICY", "PASSIVE"),
        ("GOMP_SPINCOUNT", "0"),
        ("KMP_BLOCKTIME", "0"),
    ):
        os.environ.setdefault(name, value)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            libc = ctypes.CDLL(None)
            libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
            libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD


def core_count() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_device(wish: Device) -> tuple[str, str]:
    """The torch device's name and a sentence about it. "auto" takes CUDA only where gsplat really
    draws there.
    """
    if wish != "cpu":
        why = why_not_gsplat()
        if why is None:
            import torch

            return "cuda", f"CUDA ({torch.cuda.get_device_name(0)}, gsplat)"
        if wish == "cuda":
            raise SetupError(
                f"CUDA can't be used: {why}.",
                "Choose the device auto or cpu, or run `doctor` to see what is missing.",
            )
        if "torch sees no CUDA" not in why:
            return "cpu", f"the CPU, {core_count()} cores ({why})"
    return "cpu", f"the CPU, {core_count()} cores"
