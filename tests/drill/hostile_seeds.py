"""Small good files of every kind that is read, and their readers: hostile ones are made of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from helpers import clips, random_splats, tiny_onnx
from helpers.foreign_solves import Model
from helpers.sounds import write_wav
from PIL import Image

from backend.cameras.colmap import gate as colmap_gate
from backend.cameras.colmap.colmap_command import ColmapTask
from backend.cameras.footage import mask_files, posed
from backend.formats import (
    capture,
    declared_sizes,
    depth_exr,
    gaussian_head_file,
    head_file,
    mesh_frames,
    mesh_numbers,
    mesh_sequence,
    motion_file,
    points_ply,
    semantics_file,
    tracks_file,
    vertex_animation,
)
from backend.formats.npz_file import Array
from backend.formats.splats import files
from backend.media import photos, picture_files, sound
from backend.media.decoding import Damage, decode, open_video, probe
from backend.networks import onnx_model
from backend.semantics.regions import label_images
from backend.talking_head.motion import poses, speaker_file
from backend.talking_head.motion.motion_translator import MotionTranslator, MotionTranslatorConfig
from backend.talking_head.rigs import flame_file, ict
from backend.talking_head.speech import viseme_encoder
from backend.talking_head.tracking import tflite_file

COUNTS = {
    "V": 4,
    "F": 2,
    "T": 3,
    "K": 2,
    "N": 3,
    "L": 2,
    "C": 1,
    "W": 4,
    "G": 1,
    "D": 4,
    "I": 2,
    "M": 1,
    "P": 1,
}
VALUES: dict[str, Any] = {"seconds": [0.0, 1.0, 2.0], "counts": [3], "vertex_counts": [2, 1, 1],
    "face_counts": [1, 1, 0], "fps": 24.0, "size": [64, 48], "focal": 50.0,
    "tree_pairs": [[0, 1]]}  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """A kind of file: how a good one is called and written, and what reads it."""

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]


def _archive(wanted: dict[str, Array]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        arrays: dict[str, Any] = {}
        for name, array in wanted.items():
            shape = [COUNTS[n] if isinstance(n, str) else n for n in array.shape]
            kind = {"U": "<U4", "i": "<i4", "u": "<u2", "f": "<f4"}.get(array.kinds[0], "<f4")
            arrays[name] = np.array(VALUES[name]) if name in VALUES else np.zeros(shape, kind)
        if wanted is semantics_file.WANTED:
            arrays["shares"] = arrays["shares"].astype(np.uint8)
        np.savez_compressed(path, **arrays)

    return write


def _splats(path: Path) -> None:
    files.write(path, random_splats.make(30), files.format_of(path))


def _picture(path: Path) -> None:
    Image.fromarray(clips.texture(64)).convert("RGB").save(path)


def _read_picture(path: Path) -> None:
    picture_files.picture_facts(path)
    photos._load(path)
    if path.suffix not in picture_files.PHONES:
        mask_files.two_tone(path, (64, 64))


def _read_video(path: Path) -> None:
    probe(path)
    with open_video(path) as container:
        for _ in zip(range(20), decode(container, path, Damage()), strict=False):
            pass


def _video(path: Path) -> None:
    random = np.random.default_rng(0)
    clips.write_video(path, [random.integers(0, 255, (48, 64, 3)).astype(np.uint8)] * 8)


def _capture(path: Path) -> None:
    frames = [
        {"file_path": f"images/{i}.png", "transform_matrix": np.eye(4).tolist()} for i in range(4)
    ]
    path.write_text(json.dumps({"w": 64, "h": 48, "fl_x": 50.0, "frames": frames}))


def _colmap(name: str, text: bool) -> tuple[Callable[[Path], None], Callable[[Path], object]]:
    def write(path: Path) -> None:
        Model(names=["0.png", "1.png", "2.png"]).write(path.parent)
        if not text:
            import pycolmap

            pycolmap.Reconstruction(path.parent).write_binary(path.parent)
            for other in path.parent.glob("*.txt"):
                other.unlink()

    def read(path: Path) -> None:
        work = path.parent / "work"
        work.mkdir(exist_ok=True)
        colmap_gate.read_model(
            ColmapTask(
                kind="model", model=str(path.parent), images="", work=str(work), output="", names=[]
            )
        )

    return write, read


def _speaker(path: Path) -> None:
    config = MotionTranslatorConfig(channels=4, coefficients=2, hidden=8, dilations=(1, 2))
    speaker_file.save_speaker(MotionTranslator(config), ["a", "b"], path)


def _encoder(path: Path) -> None:
    config = viseme_encoder.VisemeEncoderConfig(channels=4, hidden=8, dilations=(1, 2))
    viseme_encoder.save_encoder(viseme_encoder.VisemeEncoder(config), path)


def _onnx(path: Path) -> None:
    tiny_onnx.doubling(path)


def _mesh(path: Path) -> None:
    if path.suffix == ".obj":
        path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    else:
        path.write_bytes(b"\0" * 80 + b"\1\0\0\0" + b"\0" * 50)


def _posed(path: Path) -> None:
    pose = {"transform_matrix": np.eye(4).tolist(), "fl_x": 9.0, "fl_y": 9.0, "cx": 1, "cy": 1}
    path.write_text(
        json.dumps({"frames": [{**pose, "index": i, "w": 9, "h": 9} for i in range(4)]})
    )


def _vertex_animation(path: Path) -> None:
    vertex_animation.write(path, np.zeros((3, 4, 3), np.float32))


def _labels(path: Path) -> None:
    cv2.imwrite(str(path), np.zeros((8, 8), np.uint16))


def _read_outside_mesh(path: Path) -> None:
    declared_sizes.is_empty(path)
    mesh_numbers.has_no_places(path)
    mesh_numbers.is_misread(path)


def _flame(path: Path) -> None:
    path.write_bytes(b"\x80\x02}q\x00X\x01\x00\x00\x00fq\x01K\x01s.")


def _obj(path: Path) -> None:
    path.write_text("usemtl M_Face\n" + "v 0 0 0\n" * 30 + "f 1/1 2/2 3/3\n" * 10)


SPLATS = ("a.ply", "a.compressed.ply", "a.spz", "a.sog", "a.splat", "a.ksplat", "a.glb", "a.usdc")
PICTURES = ("a.png", "a.jpg", "a.tif", "a.webp", "a.bmp", "a.avif", "a.heic")


def _read_vertex_animation(path: Path) -> object:
    return vertex_animation.read(path, np.zeros((4, 3), np.float32))


def _nine_points(path: Path) -> None:
    points_ply.write(path, np.zeros((9, 3)), np.zeros((9, 3), np.uint8))


SEEDS = (
    *(Seed(name, _splats, files.read) for name in SPLATS),
    *(Seed(name, _picture, _read_picture) for name in PICTURES),
    Seed("a.mp4", _video, _read_video),
    Seed("a.mkv", _video, _read_video),
    Seed("b.wav", lambda p: write_wav(p, np.zeros((4000, 1)), 8000), sound.read_sound),
    Seed("c.mp4", clips.write_sound, sound.read_sound),
    Seed("points3D.ply", _nine_points,
         points_ply.read),
    Seed("transforms.json", _capture, capture.read),
    Seed("posed.json", _posed, lambda p: posed.read(p, 9)),
    Seed("depth.exr", lambda p: depth_exr.write(p, np.ones((9, 9), np.float32)), depth_exr.read),
    Seed("tracks.npz", lambda p: tracks_file.write(p, np.zeros((5, 4))), tracks_file.read),
    Seed("head.npz", _archive(head_file.WANTED), head_file.read),
    Seed("motion.npz", _archive(motion_file.WANTED), motion_file.read),
    Seed("semantics.npz", _archive(semantics_file.WANTED), semantics_file.read),
    Seed("gaussian_head.npz", _archive(gaussian_head_file.WANTED),
         lambda p: gaussian_head_file.read(p, 9, 2)),
    Seed("mesh.npz", _archive(mesh_sequence.WANTED), mesh_sequence.read),
    Seed("mesh_frames.npz", _archive(mesh_frames.WANTED), mesh_frames.read),
    Seed("poses.npz", _archive(poses.WANTED), poses.load),
    Seed("vat.png", _vertex_animation, _read_vertex_animation),
    Seed("label.png", _labels, lambda p: label_images.read_regions(p.parent, "label.jpg", 8, 8)),
    Seed("cameras.bin", *_colmap("cameras", False)),
    Seed("images.bin", *_colmap("images", False)),
    Seed("points3D.bin", *_colmap("points3D", False)),
    Seed("images.txt", *_colmap("images", True)),
    Seed("speaker.safetensors", _speaker, speaker_file.load_speaker),
    Seed("encoder.safetensors", _encoder, viseme_encoder.load_encoder),
    Seed("net.onnx", _onnx, onnx_model.load),
    Seed("face.tflite", lambda p: p.write_bytes(b"\x1c\0\0\0TFL3" + b"\0" * 64),
         tflite_file.read_tflite),
    Seed("flame.pkl", _flame, flame_file.read_arrays),
    Seed("generic_neutral_mesh.obj", _obj, lambda p: ict.read_ict(p.parent)),
    Seed("mesh.obj", _mesh, _read_outside_mesh),
    Seed("mesh.stl", _mesh, _read_outside_mesh),
    Seed("mesh.glb", _splats, _read_outside_mesh),
)  # fmt: skip
