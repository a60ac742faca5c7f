"""The mesh of an Audio2Face-3D network, and the shapes that are published for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...formats.gate import is_file
from ...formats.npz_file import ANY_TEXT, NUMBERS, WHOLE, Array, read_npz
from ...geometry.arrays import Doubles, Floats
from ...protocol import InputError
from .settings import ADVICE, FitSettings, Liveliness, NetworkInfo

WHAT, SHAPES = "a mesh of Audio2Face-3D", "shapes of Audio2Face-3D"


@dataclass(frozen=True, kw_only=True)
class Moving:
    """A mesh that the network moves: its mean, and what each of S numbers does to it."""

    mean: Floats  # (V, 3)
    basis: Floats  # (S, V, 3)


@dataclass(frozen=True, kw_only=True)
class NetworkHead:
    """What model_data.npz holds that is used. y is up, z to the front."""

    skin: Moving
    lip_open: Floats  # (V, 3) added for lips that part
    eye_close: Floats  # (V, 3) added for lids that close
    tongue: Moving
    saccades: Floats  # (F, 2) degrees about x and y, 30 a second


@dataclass(frozen=True, kw_only=True)
class MeshShapes:
    """Named shapes of a mesh, seen at M of its vertices."""

    names: tuple[str, ...]  # of all P
    places: NDArray[np.int64]  # (M,) vertices that count
    neutral: Floats  # (V, 3)
    deltas: Doubles  # (K, M, 3) of the active ones


def read_head(path: Path, info: NetworkInfo) -> NetworkHead:
    """InputError where it does not belong to the network."""
    wanted = {
        "shapes_matrix_skin": Array(NUMBERS, (info.skin, "V", 3)),
        "shapes_mean_skin": Array(NUMBERS, ("V", 3)),
        "lip_open_pose_delta": Array(NUMBERS, ("V", 3)),
        "eye_close_pose_delta": Array(NUMBERS, ("V", 3)),
        "shapes_matrix_tongue": Array(NUMBERS, (info.tongue, "U", 3)),
        "shapes_mean_tongue": Array(NUMBERS, ("U", 3)),
        "saccade_rot_matrix": Array(NUMBERS, ("F", 2), optional=True),
    }
    told = {n: np.asarray(a, np.float32) for n, a in read_npz(path, wanted, WHAT, ADVICE).items()}
    _demand_finite(path, told.values())
    return NetworkHead(
        skin=Moving(mean=told["shapes_mean_skin"], basis=told["shapes_matrix_skin"]),
        lip_open=told["lip_open_pose_delta"],
        eye_close=told["eye_close_pose_delta"],
        tongue=Moving(mean=told["shapes_mean_tongue"], basis=told["shapes_matrix_tongue"]),
        saccades=told.get("saccade_rot_matrix", np.zeros((1, 2), np.float32)),
    )


def read_poses(path: Path, settings: FitSettings, vertices: int) -> MeshShapes:
    """InputError where they belong to another mesh or other settings."""
    count = len(settings.active)
    heads = {
        "poseNames": Array(ANY_TEXT, ("P",)),
        "neutral": Array(NUMBERS, (vertices, 3)),
        "frontalMask": Array(WHOLE, ("M",), optional=True),
    }
    told = read_npz(path, heads, SHAPES, ADVICE)
    names = [_text(name) for name in told["poseNames"].tolist()]
    names = names[1:] if len(names) == count + 1 and names[0] == "neutral" else names
    places = told.get("frontalMask", np.arange(vertices)).astype(np.int64)
    active = [name for name, used in zip(names, settings.active, strict=False) if used]
    if len(names) != count or len(set(names)) < count or not active:
        raise InputError(
            f"{path.name} has {len(names)} shapes, but its settings are for {count}.", ADVICE
        )
    if not len(places) or places.min() < 0 or places.max() >= vertices:
        raise InputError(f"{path.name} names vertices that the mesh does not have.", ADVICE)
    wanted = {name: Array(NUMBERS, (vertices, 3)) for name in active}
    shapes = read_npz(path, wanted, SHAPES, ADVICE)
    deltas = np.stack([shapes[name][places].astype(np.float64) for name in active])
    _demand_finite(path, (deltas, told["neutral"]))
    neutral = np.asarray(told["neutral"], np.float32)
    return MeshShapes(names=tuple(names), places=places, neutral=neutral, deltas=deltas)


def implicit_emotion(path: Path, info: NetworkInfo, how: Liveliness) -> Floats:
    """(E,) the shade of an emotion that the settings name. InputError where it is not there."""
    wanted = {
        "emo_db": Array(NUMBERS, ("N", info.implicit)),
        "emo_spec_names": Array(ANY_TEXT, ("C",)),
        "emo_spec_start": Array(WHOLE, ("C",)),
        "emo_spec_size": Array(WHOLE, ("C",)),
    }
    told = read_npz(path, wanted, "a table of emotions of Audio2Face-3D", ADVICE)
    names = [_text(name) for name in told["emo_spec_names"].tolist()]
    if how.source_shot in names:
        number = names.index(how.source_shot)
        row = int(told["emo_spec_start"][number]) + how.source_frame
        if how.source_frame < told["emo_spec_size"][number] and 0 <= row < len(told["emo_db"]):
            shade = np.asarray(told["emo_db"][row], np.float32)
            _demand_finite(path, (shade,))
            return shade
    raise InputError(f"{path.name} has no frame {how.source_frame} of {how.source_shot}.", ADVICE)


def beside(folder: Path, name: str) -> Path | None:
    """A file by its name, or with an actor's name added to that, if there is just one such."""
    stem, end = name.rsplit(".", 1)
    if is_file(folder / name):
        return folder / name
    others = [
        path
        for path in sorted(folder.glob(f"{stem}_*.{end}"))
        if "config" in stem or "config" not in path.name
    ]
    return others[0] if len(others) == 1 else None


def _text(name: bytes | str) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def _demand_finite(path: Path, arrays: Iterable[NDArray[Any]]) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(f"{path.name} is damaged: some of its numbers are none.", ADVICE)
