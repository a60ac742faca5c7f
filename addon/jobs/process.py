"""The child process of a job: starts it, reads its lines without blocking, stops it. No bpy."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from ...backend import protocol
from ...backend.protocol import Event

CANCEL_GRACE = 5.0  # seconds from the message to the signal, and from the signal to the kill

if sys.platform == "win32":  # no console window, and no share in Blender's Ctrl+C
    FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    FLAGS = 0


class JobProcess:
    """Runs `command` with the job's log as its standard error. `poll` never blocks."""

    def __init__(self, command: list[str], log: Path, cwd: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        with open(log, "ab") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                cwd=cwd,
                env=environment,
                creationflags=FLAGS,
            )
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._ended = False
        self._cancel_time = 0.0
        self.final: Event | None = None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        while line := self._process.stdout.readline(protocol.MAX_LINE + 1):
            self._lines.put(line)
        self._lines.put(None)

    def poll(self, limit: int = 500) -> list[Event]:
        """News since the last call, at most `limit`; also escalates a cancellation that is not
        answered.
        """
        events: list[Event] = []
        while len(events) < limit:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                break
            if line is None:
                self._ended = True
                break
            event = protocol.decode(line)
            if event is not None:
                events.append(event)
                if isinstance(event, protocol.LAST_EVENTS):
                    self.final = event
        if self._cancel_time and not self._ended:
            self._escalate()
        return events

    @property
    def ended(self) -> bool:
        """The stream is over and the process is gone."""
        return self._ended and self._process.poll() is not None

    @property
    def crashed(self) -> bool:
        """It ended without saying how."""
        return self.ended and self.final is None

    @property
    def status(self) -> int | None:
        """How the process ended, as the system says it; None while it runs."""
        return self._process.returncode

    def cancel(self) -> None:
        """Asks; `poll` then presses harder the longer there is no answer."""
        if self._cancel_time:
            return
        self._cancel_time = time.monotonic()
        try:
            assert self._process.stdin
            self._process.stdin.write(b'{"type": "cancel"}\n')
            self._process.stdin.flush()
        except OSError:
            self._process.terminate()

    def _escalate(self) -> None:
        waited = time.monotonic() - self._cancel_time
        if waited > 2 * CANCEL_GRACE:
            self._process.kill()
        elif waited > CANCEL_GRACE:
            self._process.terminate()

    def stop(self) -> None:
        """Ends it now: Blender quits or the add-on is switched off. Its checkpoint stays."""
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # the worker then saves a checkpoint and leaves
        for harder in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(2.0)
            except subprocess.TimeoutExpired:
                harder()
        self._process.wait()


def backend_command(python: str, root: Path, verb: str, job: Path) -> tuple[list[str], Path]:
    """How a job is started: isolated from the user's Python settings, from the extension's own
    folder.
    """
    return [
        python,
        "-E",
        "-s",
        "-X",
        "utf8",
        "-m",
        "backend",
        verb,
        "--events",
        "--job",
        str(job),
    ], root
