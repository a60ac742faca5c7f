"""Events to their ends: how long a line may be, what JSON's numbers may stand for, defaults."""

import errno
import io
import json

import pytest

from backend import protocol
from backend.runtime.reporter import TerminalReporter
from backend.verbs import VERBS

LONGEST = 64 * 1024


@pytest.mark.parametrize(("length", "is_read"), [(LONGEST, True), (LONGEST + 1, False)])
def test_a_line_has_at_most_64_kib(length: int, is_read: bool) -> None:
    frame = json.dumps({"type": "preview", "path": ""})
    line = json.dumps({"type": "preview", "path": "x" * (length - len(frame))}).encode()
    assert len(line) == length
    assert (protocol.decode(line) is not None) == is_read


def test_a_whole_number_is_a_number_too() -> None:
    line = b'{"type": "progress", "step": 1, "total": 2, "eta": 3, "metrics": {"loss": 1}}'
    assert protocol.decode(line) == protocol.Progress(1, 2, 3, {"loss": 1})


@pytest.mark.parametrize(
    "part",
    ['"eta": true', '"eta": "3"', '"metrics": {"a": 1, "b": []}', '"metrics": {"a": true}'],
)
def test_what_is_no_number_spoils_the_line(part: str) -> None:
    line = f'{{"type": "progress", "step": 1, "total": 2, {part}}}'
    assert protocol.decode(line.encode()) is None


def test_lines_are_ascii_whatever_they_say() -> None:
    assert protocol.encode(protocol.Warn("A", "“é漢字”")).isascii()


def test_what_is_left_out_is_unknown_and_not_resumable() -> None:
    assert protocol.Progress(1, 2).eta == -1.0
    assert protocol.decode(b'{"type": "cancelled"}') == protocol.Cancelled(False)


def test_what_fetches_the_packages_of_computing_does_without_them() -> None:
    assert not VERBS["setup"].computes
    assert VERBS["splats"].computes


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "progress", "step": %s, "total": 2}' % ("9" * 30),
        '{"type": "progress", "step": 1, "total": 2, "eta": %s}' % ("9" * 400),
        '{"type": "progress", "step": 1, "total": 2, "eta": NaN}',
        '{"type": "progress", "step": 1, "total": 2, "eta": -Infinity}',
        '{"type": "progress", "step": 1, "total": 2, "metrics": {"loss": 1e999}}',
        '{"type": "preview", "path": "a\\u0000b"}',
        '{"type": "warning", "code": "A", "text": "\\ud800"}',
        '{"type": "hello", "protocol": %s}' % ("9" * 30),
    ],
)
def test_what_a_reader_would_stumble_over_spoils_the_line(line: str) -> None:
    """An error in Blender's timer would end the timer, and all jobs with it."""
    assert protocol.decode(line.encode()) is None


def test_a_path_that_is_no_utf_8_is_a_path() -> None:
    event = protocol.Preview("caf\udce9.png")
    assert protocol.decode(protocol.encode(event)) == event


@pytest.mark.parametrize("character", ["x", "é", "漢", "😀"])
def test_the_last_event_arrives_however_long_its_texts_are(character: str) -> None:
    what = character * 100_000
    event = protocol.decode(protocol.encode(protocol.Failure("INPUT", what, what)))
    assert isinstance(event, protocol.Failure)
    assert event.what.startswith(character * 1000) and event.what.endswith("…")


def test_a_closed_terminal_is_no_failure_of_the_job() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

    reporter = TerminalReporter(Closed())
    for event in (protocol.Stage("a", 1, 1), protocol.Progress(1, 2), protocol.Cancelled(True)):
        reporter.send(event)


def test_metrics_that_no_reader_takes_are_left_out() -> None:
    event = protocol.Result("m", "s", {"a": 1.0, "b": 10.0**300, "c": float("inf")})
    assert protocol.decode(protocol.encode(event)) == protocol.Result("m", "s", {"a": 1.0})
