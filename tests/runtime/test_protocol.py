"""The boundary's own words: requests and events survive the trip, anything else is refused quietly
or in one sentence.
"""

import dataclasses
import json

import pytest
from hypothesis import given, settings, strategies as st

from backend import protocol
from backend.cameras.cameras_verb import CamerasOptions
from backend.protocol import InputError, Request
from backend.splats.splats_verb import SplatsOptions
from backend.verbs import VERBS, read_request

EVENTS = [
    protocol.Hello(1, 7, "0.1.0", "the CPU, 2 cores"),
    protocol.Stage("Training", 2, 3),
    protocol.Progress(5, 10, 3.5, {"psnr": 25.0}),
    protocol.Preview("previews/000001.png"),
    protocol.Warn("PARTIAL", "Only 3 of 9 “pictures”"),
    protocol.Result("manifest.json", "done", {"psnr": 1.0}),
    protocol.Failure("INPUT", "no", "do"),
    protocol.Cancelled(True),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.type)
def test_events_survive_the_pipe(event: protocol.Event) -> None:
    line = protocol.encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert protocol.decode(line) == event


def test_numbers_that_json_lacks_do_not_break_the_stream() -> None:
    event = protocol.decode(
        protocol.encode(protocol.Progress(1, 2, metrics={"psnr": float("nan"), "loss": 0.5}))
    )
    assert isinstance(event, protocol.Progress)
    assert event.metrics == {"loss": 0.5}


@settings(deadline=None)  # other tests run beside it
@given(st.binary(max_size=300))
def test_noise_is_ignored(noise: bytes) -> None:
    assert protocol.decode(noise) is None


@pytest.mark.parametrize(
    "line",
    [
        b"[1]",
        b'"x"',
        b'{"type": "nope"}',
        b'{"type": "stage", "bad": 1}',
        b"x" * 100_000,
        b"[" * 50_000,
        b'{"type": "progress", "step": "x", "total": 1}',
        b'{"type": "progress", "step": 1, "total": 1, "metrics": {"psnr": []}}',
    ],
)
def test_wrong_lines_are_ignored(line: bytes) -> None:
    assert protocol.decode(line) is None


def test_request_survives_the_folder() -> None:
    request = Request(
        verb="splats",
        input="a/b c/é漢字",
        options=SplatsOptions(steps=7),
        preset="best",
        device="cpu",
        seed=3,
        title="title",
        context={"k": 1},
    )
    assert read_request(request.to_json()) == request


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "JSON"),
        ("[]", "version"),
        ('{"protocol": 99}', "version"),
        ('{"protocol": 1, "verb": "cameras"}', "field"),
        ('{"protocol": 1, "verb": "rm", "input": "x", "options": {}}', "verb"),
        (
            '{"protocol": 1, "verb": "splats", "input": "x", "options": {"steps": "many"}}',
            "--steps",
        ),
        ('{"protocol": 1, "verb": "splats", "input": "x", "options": {"steps": -1}}', "--steps"),
        ('{"protocol": 1, "verb": "splats", "input": "x", "options": {"nope": 1}}', "nope"),
        ('{"protocol": 1, "verb": "splats", "input": "", "options": {}}', "input"),
        ('{"protocol": 1, "verb": "splats", "input": "x", "options": {}, "seed": true}', "--seed"),
        ('{"protocol": 1, "verb": "render", "input": "x", "options": {"scale": NaN}}', "finite"),
    ],
)
def test_bad_requests_get_a_sentence(text: str, word: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request(text)
    assert word in f"{caught.value.what} {caught.value.advice}"


def test_every_option_carries_its_help() -> None:
    for verb in VERBS.values():
        for field in dataclasses.fields(verb.options):
            assert len(verb.option_help(field.name)) > 10


def test_help_tells_what_the_presets_make_of_auto() -> None:
    assert (
        VERBS["splats"].option_help("steps").endswith("(0: 2500 fast, 7000 balanced, 20000 best)")
    )
    assert "free mode on CUDA 700 fast" in VERBS["mesh"].option_help("steps")
    assert "balanced: about 5 minutes" in VERBS["splats"].preset_help()


def test_request_is_plain_json() -> None:
    data = json.loads(Request(verb="cameras", input="x", options=CamerasOptions()).to_json())
    assert data["protocol"] == protocol.PROTOCOL
    assert data["options"]["frames"] == 0


def test_errors_stand_in_one_line_whatever_a_file_is_called() -> None:
    error = InputError("a\nb\0c\u202etxt.\ud800 can't be read.", "x\r\n" + "y" * 5000)
    assert error.what == str(error) == "a?b?c?txt.? can't be read."
    assert error.advice.startswith("x??yyy") and len(error.advice) == protocol.LONGEST_SENTENCE + 1
    assert InputError("漢字 🙂 é.ply — “so”…").what == "漢字 🙂 é.ply — “so”…"


def test_a_request_without_end_is_no_request() -> None:
    with pytest.raises(InputError, match="not JSON"):
        read_request("[" * 200_000)
