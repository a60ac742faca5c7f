"""Options and requests: what a value may be, to its very ends, and what is said beyond."""

import dataclasses
import json
from typing import Any, get_args, get_origin

import pytest

from backend import protocol
from backend.protocol import InputError, SplatsmithError
from backend.verbs import VERBS, find_verb, read_request

FIELDS = [
    (name, field) for name, verb in VERBS.items() for field in dataclasses.fields(verb.options)
]
NAMED = [f"{verb}-{field.name}" for verb, field in FIELDS]
# Default, least and most of every number: command lines and saved scenes count on these.
# Who changes one of these changes what others' files mean, and should do so knowingly.
NUMBERS = """
cameras  frames 0 0 5000  max_side 0 0 16384  start 0 0 -
cameras  end 0 0 -  focal_mm 0 0 10000
splats   steps 0 0 1000000  max_splats 0 0 20000000  max_pixels 0 0 100000000
splats   holdout 8 0 1000  sh_degree 3 0 3
render   scale 1 0.01 8  video 0 0 240
convert  degree 4 0 4  spz_version 3 2 4
segment  views 0 0 1000  side 0 0 4096
select   threshold 0.5 0 1
speech   fps 24 1 1000  intensity 1 0 3  jaw 1 0 3
speech   closure 1 0 5  smoothing 0 0 1
speech   lead 0 -1000 1000  blinks 15 0 120  sway 1 0 5
speech   tolerance 0.01 0 0.2  emotion_strength 0.7 0 1
speech   expression 1 0 3  gaze 1 0 2
head     variety 0 0 3
face     fps 0 0 1000  start 0 0 -  end 0 0 -
face     gaussians -1 -1 500000
face     smoothing 0 0 1  tolerance 0.06 0 0.2
talk     size 0 0 4096  yaw 0 -180 180  pitch 0 -80 80
talk     turn 0 -360 360  invented 1 0 1
mesh     fps 0 0 1000  faces 0 0 200000  steps 0 0 1000000
mesh     side 0 0 4096
mesh     texture 0 0 4096  holdout 8 0 1000
bones    bones 40 1 1000
register faces 10000 100 500000
surface  detail 0 0 1024  faces 0 0 2000000  texture 0 0 8192  views 0 0 1000
"""
CONTRACT = {
    (verb, name): (default, low, high)
    for verb, *words in map(str.split, NUMBERS.strip().splitlines())
    for name, default, low, high in zip(*[iter(words)] * 4, strict=True)
}
SWITCHES = {
    "cameras": {"lock_focal": False, "depth": True},
    "splats": {
        "refine_cameras": False, "exposure": False, "antialiased": False, "beyond": False,
    },
    "render": {"antialiased": False, "objects": False, "labels": False},
    "select": {"rest": False, "plain": True, "clean": False, "each": False, "fill": False},
    "model": {"agree": False},
    "shapes": {"only_landmarks": False},
    "face": {"agree": False, "teach": True, "assume_speech": False, "trust_clips": False},
    "speech": {"trust_transcript": False, "assume_speech": False},
    "talk": {"head_motion": True},
    "surface": {"closed": False},
}  # fmt: skip


def make_options(verb: Any, values: dict[str, Any]) -> Any:
    return find_verb(verb).make_options(values)


def refused(verb: str, **values: Any) -> str:
    with pytest.raises(InputError) as caught:
        make_options(verb, values)
    return caught.value.what


def test_every_number_is_in_the_contract() -> None:
    assert {
        (verb, field.name) for verb, field in FIELDS if field.type in (int, float)
    } == CONTRACT.keys()


@pytest.mark.parametrize(("verb", "name"), CONTRACT, ids="-".join)
def test_numbers_are_taken_to_their_ends_and_no_further(verb: str, name: str) -> None:
    kinds: dict[str, Any] = {f.name: f.type for f in dataclasses.fields(VERBS[verb].options)}
    kind = kinds[name]
    default, low, high = CONTRACT[verb, name]
    assert getattr(make_options(verb, {}), name) == kind(default)
    step = 1 if kind is int else 1e-6
    for end, beyond in ((low, -step), (high, step)):
        if end != "-":
            assert getattr(make_options(verb, {name: kind(end)}), name) == kind(end)
            assert f"--{name.replace('_', '-')} must be" in refused(
                verb, **{name: kind(end) + beyond}
            )
    if high == "-":
        assert getattr(make_options(verb, {name: 1e9}), name) == 1e9


@pytest.mark.parametrize("verb", VERBS)
def test_switches_stand_as_people_expect(verb: str) -> None:
    options = make_options(verb, {})
    found = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(options)
        if field.type is bool
    }
    assert found == SWITCHES.get(verb, {})


@pytest.mark.parametrize(("verb", "field"), FIELDS, ids=NAMED)
def test_defaults_are_values_that_the_checks_take(verb: str, field: dataclasses.Field) -> None:
    assert getattr(make_options(verb, {field.name: field.default}), field.name) == field.default


@pytest.mark.parametrize(("verb", "field"), FIELDS, ids=NAMED)
def test_values_of_other_kinds_are_refused(verb: str, field: dataclasses.Field) -> None:
    """No guessing: "5" is no number, 1 is no yes, 2.5 is no whole number."""
    wrong: dict[Any, list[Any]] = {
        int: ["5", 2.5, True, None],
        float: ["0.5", True, None],
        bool: [1, "yes", None],
        str: [5, None],
    }
    kind: Any = "literal" if get_origin(field.type) is not None else field.type
    for value in wrong.get(kind, ["no such word", 5, None]):
        assert f"--{field.name.replace('_', '-')} must be" in refused(verb, **{field.name: value})


def test_words_to_choose_from_are_named() -> None:
    assert refused("mesh", mode="loose") == "--mode must be one of tracked, free, not 'loose'."
    for word in ("tracked", "free"):
        assert make_options("mesh", {"mode": word}).mode == word


def test_whole_numbers_pass_for_others() -> None:
    fps = make_options("speech", {"fps": 25}).fps
    assert fps == 25 and type(fps) is float


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_are_finite(value: float) -> None:
    assert refused("cameras", start=value) == "--start must be a finite number."


def test_bounds_are_said() -> None:
    assert refused("cameras", start=-0.5) == "--start must be at least 0, not -0.5."
    assert refused("speech", fps=0.5) == "--fps must be between 1 and 1000, not 0.5."
    assert refused("splats", sh_degree=4) == "--sh-degree must be between 0 and 3, not 4."
    assert refused("speech", lead=2000) == "--lead must be between -1000 and 1000, not 2000.0."


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(InputError) as caught:
        make_options("splats", {"zeal": 1, "ardour": 2})
    assert "'ardour'" in caught.value.what and "steps" in caught.value.advice
    for verb in ("rm", "", 7, None, ["splats"]):
        with pytest.raises(InputError, match="no verb"):
            make_options(verb, {})


# ------------------------------------------------------------------------------ requests
def request(**changes: Any) -> str:
    data = {"protocol": protocol.PROTOCOL, "verb": "bones", "input": "x", "options": {}}
    return json.dumps({**data, **changes})


def test_a_request_says_only_what_differs() -> None:
    found = read_request(request())
    assert (found.preset, found.device, found.seed, found.title, found.context) == (
        "balanced",
        "auto",
        0,
        "",
        {},
    )
    assert found.options == make_options("bones", {})


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_seeds_are_31_bits(seed: int) -> None:
    assert read_request(request(seed=seed)).seed == seed


@pytest.mark.parametrize(("wrong", "word"), [
    ({"seed": -1}, "--seed"), ({"seed": 2**31}, "--seed"), ({"seed": 1.0}, "--seed"),
    ({"preset": "quick"}, "--preset"), ({"device": "tpu"}, "--device"),
    ({"input": "a\0b"}, "input"), ({"input": 7}, "input"), ({"options": []}, "field"),
    ({"more": 1}, "field"), ({"protocol": 99}, "version"), ({"protocol": None}, "version"),
], ids=str)  # fmt: skip
def test_requests_that_are_refused(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request(request(**wrong))
    assert word in f"{caught.value.what} {caught.value.advice}"


# ------------------------------------------------------------------------------ events
def test_lines_are_plain_ascii_and_have_a_longest() -> None:
    line = protocol.encode(protocol.Preview("é" * 100))
    assert line.isascii()
    longest = protocol.encode(
        protocol.Preview("x" * (64 * 1024 - len(protocol.encode(protocol.Preview("")))))
    )
    assert len(longest) == 64 * 1024 and protocol.decode(longest) is not None
    assert protocol.decode(longest[:-1] + b" \n") is None


def test_events_say_unknown_until_they_know() -> None:
    progress = protocol.decode(b'{"type": "progress", "step": 1, "total": 0}')
    assert isinstance(progress, protocol.Progress) and progress.eta < 0 and progress.metrics == {}
    assert protocol.Progress(1, 0).eta == -1
    assert not protocol.Cancelled().resumable
    assert protocol.JobState(status="running") == protocol.JobState(
        status="running", stage="", step=0, total=0, pid=0, error="", advice=""
    )


@pytest.mark.parametrize("line", [
    b'{"type": "progress", "step": true, "total": 1}',
    b'{"type": "progress", "step": 1.0, "total": 1}',
    b'{"type": "progress", "step": 1, "total": 1, "eta": true}',
    b'{"type": "progress", "step": 1, "total": 1, "eta": "soon"}',
    b'{"type": "progress", "step": 1, "total": 1, "metrics": {"a": 1, "b": "x"}}',
    b'{"type": "progress", "step": 1, "total": 1, "metrics": {"a": true}}',
    b'{"type": "progress", "step": 1, "total": 1, "metrics": [1]}',
    b'{"type": "cancelled", "resumable": 1}', b'{"type": "preview", "path": 7}',
    b'{"type": "preview"}', b"null", b"7",
])  # fmt: skip
def test_events_with_a_wrong_value_are_no_events(line: bytes) -> None:
    assert protocol.decode(line) is None


def test_whole_numbers_are_numbers_in_events_too() -> None:
    event = protocol.decode(
        b'{"type": "progress", "step": 1, "total": 1, "eta": 3, "metrics": {"a": 1, "b": 0.5}}'
    )
    assert event == protocol.Progress(1, 1, 3, {"a": 1, "b": 0.5})


def test_metrics_that_json_lacks_leave_the_others() -> None:
    line = protocol.encode(
        protocol.Result("m", "done", {"a": float("inf"), "b": 1.0, "c": float("nan")})
    )
    assert json.loads(line)["metrics"] == {"b": 1.0}


def test_errors_carry_what_and_advice() -> None:
    error = InputError("It is broken.", "Mend it.")
    assert (str(error), error.what, error.advice) == ("It is broken.", "It is broken.", "Mend it.")
    codes = [kind.code for kind in SplatsmithError.__subclasses__()]
    assert len(set(codes)) == len(codes) and "INTERNAL" not in codes
    assert set(get_args(protocol.Preset)) == {"fast", "balanced", "best"}
