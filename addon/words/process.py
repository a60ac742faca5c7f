"""The warm process that answers prompts and clicks, as the add-on sees it: started when first
asked, never waited for. No bpy here.
"""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ...backend.formats.click_lines import Click, Clicked, decode_clicked, encode_click
from ...backend.formats.words_lines import (
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    Question,
    Scores,
    decode_scores,
    encode_words,
)
from ...backend.protocol import InputError, SetupError

if sys.platform == "win32":
    NO_WINDOW = subprocess.CREATE_NO_WINDOW
else:
    NO_WINDOW = 0
AnswerT = TypeVar("AnswerT", Scores, Clicked)
IDLE = 600  # seconds without a question after which it ends by itself


class WordsProcess:
    """One process; `ask` and `poll` never block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[Scores] = queue.SimpleQueue()
        self._clicked: queue.SimpleQueue[Clicked] = queue.SimpleQueue()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def ask(self, python: str, root: Path, question: Question) -> None:
        """Sends a question, starting the process where there is none. SetupError where it can't be
        started, InputError for a prompt that is too long.
        """
        line = encode_words(question)
        if len(line) > LONGEST_QUESTION:
            raise InputError("The prompt is too long.", "Ask for fewer things at once.")
        self._send(python, root, line)

    def click(self, python: str, root: Path, click: Click) -> None:
        """Sends a click, as `ask` does a question."""
        self._send(python, root, encode_click(click))

    def _send(self, python: str, root: Path, line: bytes) -> None:
        for fresh in (False, True):
            if not self.alive:
                self._start(python, root)
            try:
                assert self._process is not None and self._process.stdin is not None
                self._process.stdin.write(line)
                self._process.stdin.flush()
                return
            except OSError as error:  # it fell idle just now
                self.stop()
                if fresh:
                    raise SetupError(
                        "The process that knows words ended at once.",
                        "Set computing up again in step 0.",
                    ) from error

    def _start(self, python: str, root: Path) -> None:
        command = [python, "-E", "-s", "-X", "utf8", "-m", "backend", "words", "--idle", str(IDLE)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=root,
                env=environment,
                creationflags=NO_WINDOW,
            )
        except OSError as error:
            raise SetupError(
                f"The compute environment could not be started: {error.strerror}.",
                "Set it up again in step 0.",
            ) from error
        self._process = process
        threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        is_rest = False  # of a line that is too long for an answer
        while line := process.stdout.readline(LONGEST_ANSWER + 1):
            is_whole = line.endswith(b"\n")
            told = b"" if is_rest or not is_whole else line
            if (scores := decode_scores(told)) is not None:
                self._answers.put(scores)
            elif (clicked := decode_clicked(told)) is not None:
                self._clicked.put(clicked)
            is_rest = not is_whole

    def poll(self) -> Scores | None:
        """The next answer, if one has come."""
        try:
            return self._answers.get_nowait()
        except queue.Empty:
            return None

    def poll_clicked(self) -> Clicked | None:
        """The next answer to a click, if one has come."""
        try:
            return self._clicked.get_nowait()
        except queue.Empty:
            return None

    def wait(self, number: int, seconds: float) -> Scores | None:
        """The answer to a question: for Blender without a window. None when the time is over, or
        the process.
        """
        return self._wait(self.poll, number, seconds)

    def wait_clicked(self, number: int, seconds: float) -> Clicked | None:
        """The answer to a click, as `wait` does."""
        return self._wait(self.poll_clicked, number, seconds)

    def _wait(
        self, poll: Callable[[], AnswerT | None], number: int, seconds: float
    ) -> AnswerT | None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            alive, answer = self.alive, poll()
            if answer is not None and answer.id == number:
                return answer
            if answer is None and not alive:
                return None
            time.sleep(0.005)
        return None

    def stop(self) -> None:
        """Ends it now."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
