"""How a job is told to stop: a message or the end of the parent's pipe, Ctrl+C or a termination
signal.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator

from ..protocol import JobCancelled


class CancelToken:
    """Set from any thread; work asks `check()` often. `on_cancel` calls end child processes at
    once.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._callbacks: list[Callable[[], object]] = []

    def set(self) -> None:
        """Asks the work to stop; may be called from any thread, and again."""
        self._event.set()
        for callback in list(self._callbacks):
            callback()

    def check(self) -> None:
        """Raises JobCancelled once the token is set."""
        if self._event.is_set():
            raise JobCancelled("Cancelled.")

    @property
    def is_set(self) -> bool:
        """Whether somebody wants the work to stop."""
        return self._event.is_set()

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Calls back when the token is set (at once if it is); returns a function that takes the
        wish back.
        """
        self._callbacks.append(callback)
        if self.is_set:
            callback()
        return lambda: self._callbacks.remove(callback)


def stop_on_signals(token: CancelToken) -> None:
    """Ctrl+C and termination cancel; a second signal ends the process at once.

    Not a signal after the pipe closed: a dying parent causes both, and a checkpoint is still to be
    written.
    """
    received = 0

    def handle(number: int, _frame: object) -> None:
        nonlocal received
        received += 1
        if received > 1:
            os._exit(128 + number)
        token.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handle)


def lines_of_stdin() -> Iterator[bytes]:
    """Lines until end-of-file, read without Python's buffer: a thread that waits in it would abort
    the exit.
    """
    pending = b""
    while chunk := os.read(0, 4096):
        *lines, pending = (pending + chunk).split(b"\n")
        yield from lines
        pending = pending[-4096:]


def _listen(token: CancelToken, on_end: Callable[[], None]) -> None:
    for line in lines_of_stdin():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("type") == "cancel":
            token.set()
    on_end()


def stop_with_parent(token: CancelToken) -> None:
    """Listens on standard input: a cancel message sets the token, end-of-file means the parent
    died.

    Then the children are ended through the token and, checkpoint or not, this process leaves within
    two seconds.
    """

    def parent_died() -> None:
        token.set()
        threading.Event().wait(2.0)
        os._exit(70)

    threading.Thread(target=_listen, args=(token, parent_died), daemon=True).start()
