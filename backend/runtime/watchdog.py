"""Ends a worker that can't end itself, with whatever it started: `python watchdog.py WORKER PARENT
GRACE group|alone`, a process of its own that shares nothing with it but standard input.

A worker whose parent is gone hears of it in a thread (cancel.py), and neither that thread nor a
signal handler runs while native code holds Python's lock, or while the process is stopped. This
one waits without computing, gives the worker GRACE seconds to write its checkpoint, and kills. It
also clears up behind a worker that was killed itself.
"""

import os
import sys
import time

TICK = 0.5  # seconds; on Linux it is woken by the deaths themselves

if sys.platform == "win32":
    import ctypes
    import msvcrt
    import subprocess
    from ctypes import wintypes

    _BROKEN_PIPE, _TIMEOUT, _SYNCHRONIZE = 109, 0x102, 0x100000

    def watch(worker: int, _parent: int, grace: float, _has_group: bool) -> None:
        """The worker's children die with it by their pipes; with it killed from here, by its tree.

        The parent's process tells nothing: a virtual environment's python.exe stands in between.
        """
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = wintypes.HANDLE(kernel.OpenProcess(_SYNCHRONIZE, False, worker))
        pipe = wintypes.HANDLE(msvcrt.get_osfhandle(0))
        while kernel.WaitForSingleObject(handle, round(TICK * 1000)) == _TIMEOUT:
            open_still = kernel.PeekNamedPipe(pipe, None, 0, None, None, None)
            if not open_still and ctypes.get_last_error() == _BROKEN_PIPE:
                break
        if kernel.WaitForSingleObject(handle, round(grace * 1000)) == _TIMEOUT:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(worker)], check=False)
else:
    import contextlib
    import select
    import signal

    def watch(worker: int, parent: int, grace: float, has_group: bool) -> None:
        """Both are watched by the system's own means; POSIX alone is asked every half second.

        This process is in a session of its own: what is sent to the worker's group is not for it,
        such as the hangup that a stopped group gets when its parent dies.
        """
        with contextlib.suppress(ProcessLookupError):
            _wait_for_an_end(worker, parent)
            end = time.monotonic() + grace
            while _lives(worker) and time.monotonic() < end:
                time.sleep(0.02)
            if has_group:
                os.killpg(worker, signal.SIGKILL)
            elif _lives(worker):
                os.kill(worker, signal.SIGKILL)

    def _lives(worker: int) -> bool:
        """This process is its child for as long as it lives."""
        return os.getppid() == worker

    def _wait_for_an_end(worker: int, parent: int) -> None:
        """Until the worker is gone, its parent is, or the other end of standard input."""
        poll = select.poll()
        poll.register(0, 0)  # of a pipe that is asked for nothing, its end alone is told
        if sys.platform == "linux":
            for pid in (worker, parent):
                with contextlib.suppress(OSError):  # gone already, or an old kernel
                    poll.register(os.pidfd_open(pid), select.POLLIN)
        ends = select.POLLHUP | select.POLLIN | select.POLLERR
        while _lives(worker) and not any(what & ends for _, what in poll.poll(TICK * 1000)):
            pass


if __name__ == "__main__":
    watch(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "group")
