"""A folder with the interface of Audio2Face-3D v2.3, small enough for tests: names, shapes and
settings as NVIDIA publishes them, over a mesh of 60 vertices. Its network opens the jaw as loud as
the middle of its window is, and smiles for joy.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from helpers.tiny_onnx import F, Graph, Port

from backend.formats.arkit import BLENDSHAPES
from backend.geometry.arrays import Floats

EMOTIONS = ["amazement", "anger", "cheekiness", "disgust", "fear", "grief", "joy", "outofbreath",
            "pain", "sadness"]  # fmt: skip
WINDOW, CENTER, NEAR = 8320, 4160, 160
VERTICES, SKIN, TONGUE, JAW, EYES = 60, 12, 3, 15, 4
RESULT = SKIN + TONGUE + JAW + EYES
STILL = {n for n in BLENDSHAPES if n.startswith("eyeLook")} | {"tongueOut"}  # not solved for
TONGUES = ("tongueTipUp", "tongueStretch")
MOVED = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker", "browInnerUp")


def folder(path: Path, **config: float | str) -> Path:
    """Writes all nine files."""
    path.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    mean = rng.normal(0, 6, (VERTICES, 3)).astype(np.float32)
    shapes = {n: rng.normal(0, 1, (VERTICES, 3)).astype(np.float32) for n in BLENDSHAPES}
    basis = rng.normal(0, 1, (SKIN, VERTICES, 3)).astype(np.float32)
    basis[: len(MOVED)] = [shapes[name] for name in MOVED]  # so each of these numbers is a weight
    tongues = {n: rng.normal(0, 1, (20, 3)).astype(np.float32) for n in TONGUES}
    rest = rng.normal(0, 2, (20, 3)).astype(np.float32)
    tongue = np.stack([*tongues.values(), rest * 0])
    np.savez(
        path / "model_data.npz",
        shapes_matrix_skin=basis, shapes_mean_skin=mean,
        lip_open_pose_delta=shapes["jawOpen"] * 0.1, eye_close_pose_delta=shapes["eyeBlinkLeft"],
        shapes_matrix_tongue=tongue, shapes_mean_tongue=rest,
        neutral_jaw=np.zeros((5, 3), np.float32), saccade_rot_matrix=np.zeros((50, 2), np.float32),
    )  # fmt: skip
    names = np.array(["neutral", *BLENDSHAPES], "S")
    mask = np.arange(0, VERTICES, dtype=np.int32)
    archive = {"poseNames": names, "neutral": mean, "frontalMask": mask, **shapes}
    _save(path / "bs_skin.npz", archive)
    tongue_names = np.array(["neutral", *TONGUES], "S")
    _save(path / "bs_tongue.npz", {"poseNames": tongue_names, "neutral": rest, **tongues})
    _settings(path, config, float(np.linalg.norm(np.ptp(mean, axis=0))))
    starts = np.array([0, 40], np.int32)
    np.savez(
        path / "implicit_emo_db.npz", emo_db=rng.normal(0, 1, (80, 16)).astype(np.float32),
        emo_spec_names=np.array(["a", "g2a_neutral"], "S"), emo_spec_start=starts,
        emo_spec_size=np.array([40, 40], np.int32),
    )  # fmt: skip
    network(path / "network.onnx")
    return path


def network(path: Path, result: int = RESULT, window: int = WINDOW) -> Path:
    """Number 0 is how loud the middle is, 1 and 2 how much joy there is, and the right eye's angle
    about y is 15 degrees.
    """
    g = Graph()
    middle = g.op(
        "Slice", "input", *(g.const(v, np.int64) for v in ([CENTER - NEAR], [CENTER + NEAR], [2]))
    )
    loud = g.op("ReduceMean", g.op("Abs", middle), axes=[2], keepdims=1)
    at = 16 + EMOTIONS.index("joy")
    joy = g.op("Slice", "emotion", *(g.const(v, np.int64) for v in ([at], [at + 1], [2])))
    table = np.zeros((2, result))
    table[0, 0], table[1, 1:3] = 4, 0.5
    angles = np.zeros((1, 1, result))
    angles[..., -3] = 15
    both = g.op("Concat", loud, joy, axis=2)
    g.op("Add", g.op("MatMul", both, g.const(table)), g.const(angles), out="result")
    inputs: list[Port] = [("input", F, ["b", 1, window]), ("emotion", F, ["b", 1, 26])]
    return g.save(path, inputs, [("result", F, ["b", 1, result])])


def _save(path: Path, arrays: dict[str, Any]) -> None:
    np.savez(path, **arrays)


def _settings(path: Path, config: dict[str, Any], diagonal: float) -> None:
    info: dict[str, Any] = {
        "id": {"type": "regression", "actor": "tiny", "version": "2.3", "output": "geometry"},
        "audio_params": {"buffer_len": WINDOW, "buffer_ofs": CENTER, "samplerate": 16000},
        "params": {
            "implicit_emotion_len": 16, "explicit_emotions": EMOTIONS,
            "default_emotion": [0.0] * 10, "num_shapes_skin": SKIN, "num_verts_skin": VERTICES,
            "num_shapes_tongue": TONGUE, "num_verts_tongue": 20, "result_jaw_size": JAW,
            "result_eyes_size": EYES,
        },
    }  # fmt: skip
    how: dict[str, float | str] = {
        "input_strength": 1.0, "upper_face_smoothing": 0.001, "lower_face_smoothing": 0.0023,
        "upper_face_strength": 1.0, "lower_face_strength": 1.0, "face_mask_level": 0.6,
        "face_mask_softness": 0.0085, "skin_strength": 1.0, "blink_strength": 1.0,
        "lip_open_offset": 0.0, "eyelid_open_offset": 0.0, "tongue_strength": 1.0,
        "tongue_height_offset": 0.0, "tongue_depth_offset": 0.0, "eyeballs_strength": 1.0,
        "saccade_strength": 0.6, "source_shot": "g2a_neutral", "source_frame": 33, **config,
    }  # fmt: skip
    for name, poses in (("skin", BLENDSHAPES), ("tongue", TONGUES)):
        count = len(poses)
        fit = {
            "numPoses": count, "strengthL1regularization": 0.1, "strengthL2regularization": 0.1,
            "strengthTemporalSmoothing": 0.0, "strengthSymmetry": 0.0, "templateBBSize": diagonal,
            "bsSolveActivePoses": [int(pose not in STILL) for pose in poses],
            "bsSolveCancelPoses": [-1] * count, "bsSolveSymmetryPoses": [-1] * count,
            "bsWeightMultipliers": [1.0] * count, "bsWeightOffsets": [0.0] * count,
        }  # fmt: skip
        write_json(path / f"bs_{name}_config.json", {"blendshape_params": fit})
    write_json(path / "network_info.json", info)
    write_json(path / "model_config.json", {"config": how})


def write_json(path: Path, told: Any) -> None:
    path.write_text(json.dumps(told))


def change(path: Path, **values: Any) -> None:
    """Sets values anywhere in a JSON file, by their keys."""

    def walk(told: Any) -> Any:
        if isinstance(told, dict):
            return {key: values.get(key, walk(value)) for key, value in told.items()}
        return told

    write_json(path, walk(json.loads(path.read_text())))


def replace(path: Path, **arrays: Floats | None) -> None:
    """Changes arrays of an archive; None leaves one out."""
    kept = {**np.load(path), **arrays}
    _save(path, {name: array for name, array in kept.items() if array is not None})
