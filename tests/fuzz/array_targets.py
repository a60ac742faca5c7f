"""Files of named arrays that our own verbs write and read again, and networks."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from helpers import tflite_writer, tiny_onnx

from backend.formats import (
    depth_exr,
    gaussian_head_file,
    head_file,
    mesh_frames,
    mesh_sequence,
    motion_file,
    onnx_header,
    semantics_file,
    tracks_file,
    vertex_animation,
)
from backend.networks import onnx_model
from backend.runtime import checkpoint
from backend.talking_head.motion import poses, speaker_file
from backend.talking_head.motion.motion_translator import (
    MotionTranslator,
    MotionTranslatorConfig,
)
from backend.talking_head.rigs import flame_file
from backend.talking_head.tracking import tflite_file

from .target import Target, several

F, I32 = np.float32, np.int32


def _head(path: Path) -> None:
    head = head_file.Head(
        name="a",
        vertices=np.eye(4, 3, dtype=F),
        faces=np.array([[0, 1, 2, -1], [0, 1, 2, 3]], I32),
        names=["jawOpen"],
        shapes=np.ones((1, 4, 3), F),
        colors=np.zeros((4, 3), F),
        lowest=np.zeros(1, F),
    )
    head_file.write(path, head)


def _motion(path: Path) -> None:
    curve = motion_file.Curve("jawOpen", "speech", np.arange(3, dtype=F), np.zeros(3, F))
    motion_file.write(path, motion_file.Motion(25.0, 3.0, [curve], "a.wav"))


def _semantics(path: Path) -> None:
    objects, shares = np.zeros((3, 3), np.uint16), np.full((3, 3), 85, np.uint8)
    semantics = semantics_file.Semantics(
        objects=objects, shares=shares, features=np.ones((2, 4), F), mean=np.zeros(4, F), model="m"
    )
    semantics_file.write(path, semantics)


def _sequence(path: Path) -> None:
    rest = np.eye(4, 3, dtype=F)
    nodes = mesh_sequence.Nodes(
        rest[:2], np.zeros((2, 2, 3, 4), F), np.zeros((4, 1), I32), np.ones((4, 1), F)
    )
    sequence = mesh_sequence.MeshSequence(
        rest=rest,
        faces=np.array([[0, 1, 2]], I32),
        positions=np.stack([rest, rest + 1]),
        seconds=np.array([0.0, 1.0]),
        colors=np.zeros((4, 3), F),
        uvs=np.zeros((1, 3, 2), F),
        nodes=nodes,
    )
    mesh_sequence.write(path, sequence)


def _frames(path: Path) -> None:
    rest, faces = np.eye(4, 3, dtype=F), np.array([[0, 1, 2]], I32)
    frame = mesh_frames.MeshFrame(rest, faces, np.zeros((4, 3), F), np.arange(4, dtype=I32))
    sequence = mesh_frames.MeshFrames(
        frames=[frame, frame],
        seconds=np.array([0.0, 1.0]),
        canonical=rest,
        canonical_faces=faces,
        canonical_tracks=np.stack([rest, rest]),
    )
    mesh_frames.write(path, sequence)


def _gaussian_head(path: Path) -> None:
    kinds = gaussian_head_file.GaussianHead.__dataclass_fields__
    shapes = {"corners": (2, 3), "rest_sizes": (2,), "means": (2, 3), "quats": (2, 4)}
    shapes |= {"scales": (2, 3), "opacities": (2,), "sh": (2, 4, 3), "mean_shapes": (1, 2, 3)}
    shapes |= {"color_shapes": (1, 2, 3), "latent_weights": (1, 1), "latent_bias": (1,)}
    shapes |= {"invented": (2,), "follow": (2,), "joint": (3,), "yaw_range": (2,)}
    arrays: dict[str, Any] = {name: np.zeros(shapes[name], F) for name in kinds}
    arrays["corners"] = np.array([[0, 1, 2], [1, 2, 3]], I32)
    gaussian_head_file.write(path, gaussian_head_file.GaussianHead(**arrays))


def _poses(path: Path) -> None:
    arrays: dict[str, Any] = {
        "times": np.zeros(2),
        "coefficients": np.zeros((2, 1), F),
        "focal": 30.0,
    }
    arrays |= {"rotations": np.zeros((2, 3, 3)), "translations": np.zeros((2, 3))}
    np.savez_compressed(path, names=np.array(["a"]), size=[4, 3], source="a.mp4", **arrays)


def _flame(path: Path) -> None:
    arrays = {key: np.zeros((2, 3)) for key in flame_file.KEYS}
    path.write_bytes(pickle.dumps(arrays, protocol=2))


def _network(path: Path) -> None:
    """A convolution and an activation."""
    writer = tflite_writer.Writer((1, 4, 4, 2))
    weights = writer.constant(np.ones((3, 1, 1, 2), F))
    bias = writer.constant(np.zeros(3, F))
    options = ("Conv2DOptions", {"StrideW": 1, "StrideH": 1, "Padding": 0})
    found = writer.step("CONV_2D", [0, weights, bias], (1, 4, 4, 3), options)
    writer.write(path, {"out": writer.step("RELU", [found], (1, 4, 4, 3))})


def _beside(folder: Path) -> None:
    """A network whose weights lie in a file of their own."""
    (folder / "w.bin").write_bytes(np.zeros((1, 3), F).tobytes())
    tiny_onnx.external(folder / "n.onnx", "w.bin")


def _speaker(path: Path) -> None:
    config = MotionTranslatorConfig(coefficients=1, channels=3, embedding=2, hidden=4)
    speaker_file.save_speaker(MotionTranslator(config), ["jawOpen"], path)


def _tensors(path: Path) -> None:
    checkpoint.save(path, {"means": torch.zeros(3, 3), "step": torch.zeros(1)}, {"step": 3})


def _texture(folder: Path) -> None:
    vertex_animation.write(folder / "t.png", np.random.default_rng(0).random((3, 4, 3)).astype(F))


def _read_texture(folder: Path) -> None:
    vertex_animation.read(folder / "t.png", np.zeros((4, 3), F))


TARGETS = (
    Target(name="head", file="h.npz", make=lambda f: _head(f / "h.npz"), read=head_file.read),
    Target(name="motion", file="m.npz", make=lambda f: _motion(f / "m.npz"), read=motion_file.read),
    Target(
        name="objects", file="s.npz", make=lambda f: _semantics(f / "s.npz"),
        read=semantics_file.read,
    ),
    Target(
        name="mesh-sequence", file="s.npz", make=lambda f: _sequence(f / "s.npz"),
        read=mesh_sequence.read,
    ),
    Target(
        name="mesh-frames", file="s.npz", make=lambda f: _frames(f / "s.npz"),
        read=mesh_frames.read,
    ),
    Target(
        name="gaussian-head", file="g.npz", make=lambda f: _gaussian_head(f / "g.npz"),
        read=lambda path: gaussian_head_file.read(path, 4, 1),
    ),
    Target(
        name="tracks", file="t.npz", make=lambda f: tracks_file.write(f / "t.npz", np.ones((5, 4))),
        read=tracks_file.read,
    ),
    Target(name="poses", file="p.npz", make=lambda f: _poses(f / "p.npz"), read=poses.load),
    Target(
        name="checkpoint", file="c.safetensors", make=lambda f: _tensors(f / "c.safetensors"),
        read=checkpoint.load,
    ),
    Target(
        name="speaker", file="s.safetensors", make=lambda f: _speaker(f / "s.safetensors"),
        read=speaker_file.load_speaker, share=0.5,
    ),
    Target(
        name="flame", file="f.pkl", make=lambda f: _flame(f / "f.pkl"),
        read=flame_file.read_arrays,
    ),
    Target(
        name="tflite", file="n.tflite", make=lambda f: _network(f / "n.tflite"),
        read=tflite_file.read_tflite,
    ),
    Target(
        name="onnx", file="n.onnx", make=lambda f: tiny_onnx.segmenter(f / "n.onnx"),
        read=onnx_model.load,
    ),
    Target(
        name="onnx-beside", file="n.onnx", make=_beside,
        read=onnx_header.read,
    ),
    Target(
        name="depth", file="d.exr",
        make=lambda f: depth_exr.write(f / "d.exr", np.ones((3, 4), F)), read=depth_exr.read,
    ),
    *several("vertex-texture", ("t.png", "t.json"), _texture, _read_texture),
)  # fmt: skip
