"""COLMAP's process for tests that need it hundreds of times: forked from one that has loaded it
already, which is nine tenths of the work of a small capture.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest

from .places import ROOT

PROCESS = "backend.cameras.colmap.process"
CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")
SERVE = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]!r}; "
SERVE += "from helpers.ready_colmap import serve; serve(int(sys.argv[1]))"


def serve(descriptor: int) -> None:
    """Forks for every message on the socket, until that is closed: {arguments} and the two ends
    that shall be standard input and output. Answers with the process, and with its status.
    """
    process = importlib.import_module(PROCESS)
    with socket.socket(fileno=descriptor) as asked:
        while True:
            message, ends, _, _ = socket.recv_fds(asked, 1 << 16, 2)
            if not message:
                return
            pid = os.fork()
            if pid == 0:
                asked.close()
                os.dup2(ends[0], 0)
                os.dup2(ends[1], 1)
                sys.argv = [PROCESS, *json.loads(message)]
                try:
                    status = process.main()
                    sys.stdout.flush()
                finally:
                    os._exit(locals().get("status", 1))
            for end in ends:
                os.close(end)
            asked.send(str(pid).encode())
            asked.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


class Forked:
    """What `subprocess.Popen` is to COLMAP's runner."""

    def __init__(self, asked: socket.socket, arguments: Sequence[str]) -> None:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self.stdin: BinaryIO = os.fdopen(ours_in, "wb", 0)
        self.stdout: BinaryIO = os.fdopen(ours_out, "rb")
        self.returncode: int | None = None
        self.asked = asked
        socket.send_fds(asked, [json.dumps(list(arguments)).encode()], [theirs_in, theirs_out])
        os.close(theirs_in)
        os.close(theirs_out)
        self.pid = int(asked.recv(64))

    def wait(self) -> int:
        """Until it is over; its status."""
        if self.returncode is None:
            self.returncode = int(self.asked.recv(64))
        return self.returncode

    def kill(self) -> None:
        """At once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_error: object) -> None:
        self.stdin.close()
        self.wait()
        self.stdout.close()


@contextlib.contextmanager
def ready() -> Iterator[Any]:
    """What takes the place of the runner's `subprocess`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-X", "utf8", "-c", SERVE, str(theirs.fileno())]
    with ours, subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT) as server:
        theirs.close()

        def start(command: Sequence[str], **_given: Any) -> Forked:
            return Forked(ours, command[command.index(PROCESS) + 1 :])

        try:
            yield SimpleNamespace(Popen=start, PIPE=subprocess.PIPE)
        finally:
            server.kill()


def patched(patch: pytest.MonkeyPatch, stand_in: Any) -> None:
    """The runner starts COLMAP so from now on."""
    runner = importlib.import_module("backend.cameras.colmap.runner")
    patch.setattr(runner, "subprocess", stand_in)
