"""How a job is told to stop: a message or the end of the parent's pipe, Ctrl+C or a termination
signal.
"""

import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from ..protocol import PROTOCOL, JobCancelled, SetupError, SplatsmithError
from .parent import GRACE
from .stdin_lines import lines_of_stdin


class CancelToken:
    """Set from any thread; work asks `check()` often. `on_cancel` calls end child processes at
    once.
    """

    def __init__(self) -> None:
        # Plain values and no threading.Event: a signal handler that interrupts another one in the
        # middle of `set` would wait forever for the Event's lock.
        self._is_set = False
        self._reason: SplatsmithError | None = None
        self._callbacks: list[Callable[[], object]] = []

    def set(self, reason: SplatsmithError | None = None) -> None:
        """Asks the work to stop; may be called from any thread, from signal handlers, and again.

        reason: an error that the job is to end with, where it is not the user's wish.
        """
        self._reason = self._reason or reason
        self._is_set = True
        for callback in list(self._callbacks):
            callback()

    def check(self) -> None:
        """Raises JobCancelled, or the reason, once the token is set."""
        if self._is_set:
            raise self._reason or JobCancelled("Cancelled.")

    @property
    def is_set(self) -> bool:
        """Whether somebody wants the work to stop."""
        return self._is_set

    @property
    def reason(self) -> SplatsmithError | None:
        """The error that the job is to end with; None where the user stopped it."""
        return self._reason

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Calls back when the token is set (at once if it is); returns a function that takes the
        wish back.
        """
        self._callbacks.append(callback)
        if self.is_set:
            callback()
        return lambda: self._callbacks.remove(callback)


def stop_on_signals(token: CancelToken, has_human: bool) -> None:
    """Ctrl+C, termination and a closed terminal cancel, however often they come.

    has_human: whether somebody sits at a terminal, whose second Ctrl+C ends the process at once.
    Not once the parent is gone: its death brings several signals, and a checkpoint is still to be
    written. A program that wants more than to ask has `kill`.
    """
    parent = os.getppid()

    def handle(number: int, _frame: object) -> None:
        insists = token.is_set and number != getattr(signal, "SIGHUP", None)
        if insists and has_human and os.getppid() == parent:
            os._exit(128 + number)
        token.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
            continue  # started by nohup: a closed terminal is nothing to it
        signal.signal(number, handle)


def hear(token: CancelToken, line: bytes) -> None:
    """Takes one line of the parent; whatever is no message is passed over."""
    message = _message(line)
    if message.get("type") == "cancel":
        token.set()
    elif message.get("type") == "hello" and message.get("protocol") != PROTOCOL:
        token.set(
            SetupError(
                f"The program that started this job speaks another version of the protocol "
                f"({str(message.get('protocol'))[:20]}) than the compute process ({PROTOCOL}).",
                "Restart Blender; if it stays so, install the extension anew.",
            )
        )


def _message(line: bytes) -> dict[str, Any]:
    """Empty for anything that is not an object."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError, MemoryError):
        return {}
    return message if isinstance(message, dict) else {}


def stop_with_parent(token: CancelToken) -> None:
    """Listens on standard input: a cancel message sets the token, end-of-file means the parent
    died.

    Then the children are ended through the token and, checkpoint or not, this process leaves within
    GRACE seconds.
    """

    def listen() -> None:
        for line in lines_of_stdin():
            hear(token, line)
        token.set()
        threading.Event().wait(GRACE)
        os._exit(70)

    threading.Thread(target=listen, daemon=True).start()
