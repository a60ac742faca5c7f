"""The lines of `python -m backend words`: questions and clicks in, answers out. What answers is
loaded here, so that a package that can't be is an answer too.
"""

import importlib
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable

from ..formats.click_lines import Click, Clicked, decode_click, encode_click
from ..formats.words_lines import Question, Scores, decode_question, encode_words, refusal
from ..protocol import PROTOCOL
from ..runtime.explain import explain
from ..runtime.stdin_lines import lines_of_stdin

log = logging.getLogger(__name__)
Answer = Callable[[Question], Scores]
ClickAnswer = Callable[[Click], Clicked]


def serve(idle_seconds: float) -> int:
    """Answers the lines of standard input on standard output until they end, or stop coming for so
    long.
    """
    out = os.dup(1)
    os.set_inheritable(out, False)
    sys.stdout.flush()
    os.dup2(2, 1)  # what libraries print must not lie between the answers
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def listen() -> None:
        for line in lines_of_stdin():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=listen, daemon=True).start()
    answer, clicked, asked = load_answer(), _LateClicks(), time.monotonic()
    while True:
        try:
            line = lines.get(timeout=max(0.0, asked + idle_seconds - time.monotonic()))
        except queue.Empty:
            return 0
        if line is None:
            return 0
        question, click = decode_question(line), decode_click(line)
        data = b""
        if question is not None:
            data = encode_words(_answered(question, answer))
        elif click is not None:
            data = encode_click(clicked(click))
        if data:
            asked = time.monotonic()
        while data:
            data = data[os.write(out, data) :]


def _answered(question: Question, answer: Answer) -> Scores:
    is_ours = question.protocol == PROTOCOL
    return answer(question) if is_ours else refusal(question.id, question.protocol)


class _LateClicks:
    """Answers clicks, by what is loaded when the first comes."""

    def __init__(self) -> None:
        self._answer: ClickAnswer | None = None

    def __call__(self, click: Click) -> Clicked:
        self._answer = self._answer or load_clicks()
        return self._answer(click)


def load_clicks(module: str = f"{__package__}.click_service") -> ClickAnswer:
    """What answers clicks; where its packages can't be loaded, each is answered with that."""
    try:
        service: ClickAnswer = importlib.import_module(module).ClickService().answer
    except (Exception, SystemExit) as error:
        known = explain(error)
        log.error("clicks can't be answered", exc_info=error)
        return lambda click: Clicked(id=click.id, error=known.what, advice=known.advice)
    return service


def load_answer(module: str = f"{__package__}.words_service") -> Answer:
    """What answers questions; where its packages can't be loaded, each is answered with that."""
    try:
        service: Answer = importlib.import_module(module).WordsService().answer
    except (Exception, SystemExit) as error:
        known = explain(error)
        log.error("the words can't be answered", exc_info=error)
        return lambda question: Scores(id=question.id, error=known.what, advice=known.advice)
    return service
