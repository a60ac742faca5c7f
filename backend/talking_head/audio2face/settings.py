"""What the settings beside an Audio2Face-3D network say: what it takes and gives, and how its
faces are made lively.

Names and meanings as NVIDIA's Audio2Face-3D SDK and training framework publish them (parse_helper,
network_info.json, model_config.json, bs_skin_config.json).
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...formats.json_file import read_record
from ...protocol import InputError

ADVICE = "Get the network's folder again, from the list in Get a Voice Model."
LONGEST, MOST = 160_000, 4096  # samples of a window; numbers of a part of the result


@dataclass(frozen=True, kw_only=True)
class NetworkInfo:
    """What a network takes and gives."""

    actor: str
    window: int  # samples
    center: int  # which of them is the moment that is answered for
    emotions: tuple[str, ...]
    usual: tuple[float, ...]  # how much of each, where none is asked for
    implicit: int  # numbers of the shade of an emotion
    skin: int
    tongue: int
    jaw: int
    eyes: int

    @property
    def result(self) -> int:
        """Numbers of a moment."""
        return self.skin + self.tongue + self.jaw + self.eyes


@dataclass(frozen=True, kw_only=True)
class Liveliness:
    """What is done to the network's answers. Seconds, degrees, units of its mesh."""

    input_strength: float
    upper_face_smoothing: float
    lower_face_smoothing: float
    upper_face_strength: float
    lower_face_strength: float
    face_mask_level: float
    face_mask_softness: float
    skin_strength: float
    lip_open_offset: float
    eyelid_open_offset: float
    tongue_strength: float
    tongue_height_offset: float
    tongue_depth_offset: float
    eyeballs_strength: float
    saccade_strength: float
    source_shot: str  # whose shade of an emotion is used
    source_frame: int


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How weights of shapes are told_how; the lists have an entry for each pose."""

    active: tuple[int, ...]
    opposed: tuple[int, ...]  # two of the same number exclude each other
    symmetric: tuple[int, ...]  # two of the same number should be alike
    gains: tuple[float, ...]
    offsets: tuple[float, ...]
    l1: float
    l2: float
    temporal: float
    symmetry: float
    diagonal: float  # of the box around the mesh that the strengths are for


def network_info(path: Path) -> NetworkInfo:
    """InputError for what is not about a regression network of Audio2Face-3D."""
    told = read_record(path)
    kind = _part(told, "id", path).get("type")
    if kind != "regression":
        raise InputError(
            f"{path.name} is about a {kind or 'nameless'} network; Audio2Face-3D v2.3 is a "
            "regression network.",
            "Choose the folder of v2.3: Claire, James or Mark.",
        )
    audio, params = _part(told, "audio_params", path), _part(told, "params", path)
    rate = _whole(audio, "samplerate", path, 1_000_000)
    if rate != 16_000:
        raise InputError(f"{path.name} wants {rate:,} samples a second, not 16,000.", ADVICE)
    emotions = params.get("explicit_emotions")
    if not isinstance(emotions, list) or not all(isinstance(name, str) for name in emotions):
        raise _useless(path, "explicit_emotions")
    window = _whole(audio, "buffer_len", path, LONGEST)
    return NetworkInfo(
        actor=str(told["id"].get("actor", "")),
        window=window,
        center=_whole(audio, "buffer_ofs", path, window),
        emotions=tuple(emotions),
        usual=tuple(_numbers(params, "default_emotion", path, len(emotions))),
        implicit=_whole(params, "implicit_emotion_len", path, MOST),
        skin=_whole(params, "num_shapes_skin", path, MOST),
        tongue=_whole(params, "num_shapes_tongue", path, MOST),
        jaw=_whole(params, "result_jaw_size", path, MOST),
        eyes=_whole(params, "result_eyes_size", path, MOST),
    )


def liveliness(path: Path) -> Liveliness:
    """InputError where a setting is missing, or is no number."""
    told = _part(read_record(path), "config", path)
    names = [n for n in Liveliness.__dataclass_fields__ if not n.startswith("source_")]
    shot = told.get("source_shot")
    if not isinstance(shot, str):
        raise _useless(path, "source_shot")
    told_how = Liveliness(
        **{name: _number(told, name, path) for name in names},
        source_shot=shot,
        source_frame=_whole(told, "source_frame", path, 10**9),
    )
    if told_how.face_mask_softness <= 0:
        raise _useless(path, "face_mask_softness")
    return told_how


def fit_settings(path: Path) -> FitSettings:
    """InputError where one is missing, or the lists do not belong together."""
    told = _part(read_record(path), "blendshape_params", path)
    count = _whole(told, "numPoses", path, MOST)

    def whole(name: str) -> tuple[int, ...]:
        return tuple(round(value) for value in _numbers(told, name, path, count))

    strengths = {
        key: _number(told, name, path)
        for key, name in (
            ("l1", "strengthL1regularization"),
            ("l2", "strengthL2regularization"),
            ("temporal", "strengthTemporalSmoothing"),
            ("symmetry", "strengthSymmetry"),
            ("diagonal", "templateBBSize"),
        )
    }
    if min(strengths.values()) < 0 or strengths["diagonal"] <= 0:
        raise _useless(path, "strengths above zero")
    return FitSettings(
        active=whole("bsSolveActivePoses"),
        opposed=whole("bsSolveCancelPoses"),
        symmetric=whole("bsSolveSymmetryPoses"),
        gains=tuple(_numbers(told, "bsWeightMultipliers", path, count)),
        offsets=tuple(_numbers(told, "bsWeightOffsets", path, count)),
        **strengths,
    )


def _part(told: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = told.get(key)
    if not isinstance(value, dict):
        raise _useless(path, key)
    return value


def _number(told: dict[str, Any], key: str, path: Path) -> float:
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _useless(path, key)
    return float(value)


def _whole(told: dict[str, Any], key: str, path: Path, most: int) -> int:
    value = told.get(key)
    if type(value) is not int or not 0 <= value <= most:
        raise _useless(path, key)
    return value


def _numbers(told: dict[str, Any], key: str, path: Path, count: int) -> list[float]:
    values = told.get(key)
    if not isinstance(values, list) or len(values) != count:
        raise _useless(path, key)
    return [_number({key: value}, key, path) for value in values]


def _useless(path: Path, key: str) -> InputError:
    return InputError(f"{path.name} does not tell {key}, as Audio2Face-3D's does.", ADVICE)
