"""Which device computes, said out loud. The only place in the backend that names one."""

import contextlib
import ctypes
import os
import sys

from ..protocol import Device, SetupError
from .gsplat_probe import why_not_gsplat

# What libraries read when they are loaded. One thread inside an operation of numpy, scipy and
# torch: products and sums that are split among threads round otherwise on another number of cores,
# and gradients of indexed rows otherwise each time (measured: numpy's matmul, dot and solve,
# torch's sum and solve). Cores are used by whole items whose results are taken in order (depth
# maps), by our kernels, whose blocks are the same on any number of threads, by OpenCV, whose
# threads share rows and points, by COLMAP's search for features, and, a fixed number at a time, by
# large networks (threads.py), which no library may lower where it finds fewer cores. Idle threads
# sleep, or they would take the core from the others.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
NO_FEWER = {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE"}
# torch's matrix-vector and dot products (MKL) otherwise round by where their rows lie in memory,
# which is up to chance where they came from a file
ANYWHERE = {"MKL_CBWR": "AUTO"}
SLEEP = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}


def tune_process() -> None:
    """Before numpy and torch are imported: equal results on any number of cores, and freed memory
    stays with the process, which otherwise costs a multiple in the small operations of training
    (measured: 85 -> 8 ms in the optimiser).
    """
    os.environ.update(ONE_THREAD | NO_FEWER | ANYWHERE)
    for name, value in SLEEP.items():
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
