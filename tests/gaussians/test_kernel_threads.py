"""The kernels' threads where the system gives fewer than are wanted."""

import subprocess
import sys
from pathlib import Path

import pytest

from backend.gaussians import native_library

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import resource
from backend.gaussians.native_library import load_native
native = load_native().handle
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, resource.RLIM_INFINITY))
native.splat_set_threads(200)  # whose stacks alone are more
native.splat_set_threads(1)
print("alive")
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_fewer_threads_than_wanted_are_no_end() -> None:
    if native_library.load_native() is None:
        pytest.skip("no compiled kernels for this machine")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "alive\n", f"{ran.returncode} {ran.stderr[-300:]}"
