"""The child process of a job: starts it, reads its lines without blocking, stops it. No bpy."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from ...backend import protocol
from ...backend.protocol import Event
from .endings import wrong_version

CANCEL_GRACE = 5.0  # seconds from the message to the signal, and from the signal to the kill
STOP_GRACE = 2.0  # the same where Blender itself waits for it, because it quits
LEAVE_GRACE = 30.0  # from the last event to the kill: a driver can hang in its own end
WAITING_EVENTS = 10_000  # more are left in the pipe, where the worker waits to write them
HELLO = json.dumps({"type": "hello", "protocol": protocol.PROTOCOL}).encode() + b"\n"

if sys.platform == "win32":  # no console window, and no share in Blender's Ctrl+C
    FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    FLAGS = 0


class JobProcess:
    """Runs `command` with the job's log as its standard error. `poll` never blocks."""

    def __init__(self, command: list[str], log: Path, cwd: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        with open(log, "ab") as file:
            self._log, self._log_start = log, file.tell()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                cwd=cwd,
                env=environment,
                creationflags=FLAGS,
            )
        self._events: queue.Queue[Event | None] = queue.Queue(WAITING_EVENTS)
        self._ended = self._unread = False
        self._cancel_time = self._final_time = 0.0
        self.final: Event | None = None
        self._say(HELLO)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        is_rest = False  # of a line that is too long for an event
        while part := self._process.stdout.readline(protocol.MAX_LINE + 1):
            is_whole = part.endswith(b"\n")
            event = None if is_rest or not is_whole else protocol.decode(part)
            if event is not None:
                self._keep(event)
            is_rest = not is_whole
        self._keep(None)

    def _keep(self, event: Event | None) -> None:
        while not self._unread:
            with contextlib.suppress(queue.Full):
                self._events.put(event, timeout=0.5)
                return

    def poll(self, limit: int = 2000) -> list[Event]:
        """News since the last call, at most `limit`; also escalates a cancellation that is not
        answered.
        """
        events: list[Event] = []
        while len(events) < limit and not self._ended:
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                break
            if event is None:
                self._ended = True
            elif self.final is None:  # after a last event nothing counts
                events.append(self._judged(event))
        if not self._ended:
            self._escalate()
        return events

    def _judged(self, event: Event) -> Event:
        """The event; a refusal in place of another version's hello, which ends the process."""
        if isinstance(event, protocol.Hello) and event.protocol != protocol.PROTOCOL:
            event = wrong_version(event.protocol)
            self._process.kill()
        if isinstance(event, protocol.LAST_EVENTS):
            self.final, self._final_time = event, time.monotonic()
        return event

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

    def last_words(self, most: int = 8192) -> str:
        """The end of what this process, and no earlier one, left in the log."""
        try:
            with open(self._log, "rb") as file:
                file.seek(max(self._log_start, file.seek(0, 2) - most))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def cancel(self) -> None:
        """Asks; `poll` then presses harder the longer there is no answer."""
        if self._cancel_time:
            return
        self._cancel_time = time.monotonic()
        if not self._say(b'{"type": "cancel"}\n'):
            self._process.terminate()

    def _say(self, line: bytes) -> bool:
        """Whether the process still listens."""
        try:
            assert self._process.stdin
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def _escalate(self) -> None:
        """Presses a process that does not answer, and one that has said all and does not leave."""
        now = time.monotonic()
        waited = now - self._cancel_time if self._cancel_time else 0.0
        stays = now - self._final_time if self.final else 0.0
        if waited > 2 * CANCEL_GRACE or stays > LEAVE_GRACE:
            self._process.kill()
        elif waited > CANCEL_GRACE:
            self._process.terminate()

    def stop(self) -> None:
        """Ends it now: Blender quits or the add-on is switched off. Its checkpoint stays."""
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # the worker then saves a checkpoint and leaves
        self._unread = True
        for harder in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(STOP_GRACE)
            except subprocess.TimeoutExpired:
                harder()
        with contextlib.suppress(subprocess.TimeoutExpired):  # in the hands of the system
            self._process.wait(STOP_GRACE)


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
