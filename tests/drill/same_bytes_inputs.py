"""Small inputs for `same_bytes`, each made once in a folder of its name."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from helpers import clips, furnished_room, splat_renders, turning_blob
from helpers.other_heads import small_character
from helpers.sounds import write_wav
from helpers.talking_face import TalkingFace, talking_face

from backend.formats import character_file, gaussian_head_file, splat_ply
from backend.media.video_parts import VideoParts
from backend.media.video_writer import VideoWriter
from backend.talking_head.fitting.head_motion import HeadMotion
from backend.talking_head.gaussian_head import files
from backend.talking_head.gaussian_head.learn import LearnConfig, learn_head
from backend.talking_head.gaussian_head.training import HeadTrainingConfig
from backend.talking_head.head_job import write_head
from backend.talking_head.motion import poses
from backend.talking_head.rigs.drawing import draw, portrait
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.speech.espeak import speak

RATE = 25.0
LINE = "My baby brother made bubbles by the pool."


def _walk(folder: Path, frames: int, size: tuple[int, int]) -> None:
    pictures = [
        clips.ray_cast(clips.camera_on_arc(i / (frames - 1)), 0.95 * size[0], size)
        for i in range(frames)
    ]
    clips.write_video(folder / "walk.mp4", pictures)


def walk(folder: Path) -> None:
    """A camera that goes around the corner of a room: the twelve frames of the fault."""
    _walk(folder, 12, (320, 240))


def steps(folder: Path) -> None:
    """The same, as short as it can be solved."""
    _walk(folder, 7, (160, 120))


def capture(folder: Path) -> None:
    """Pictures with their cameras."""
    clips.write_capture(folder, 6, (64, 48), 60.0)


def splats(folder: Path) -> None:
    """A few hundred Gaussians, all harmonics among them."""
    splat_ply.write(folder / "splats.ply", splat_renders.scene(400), ())


def room(folder: Path) -> None:
    """Splats of furniture, with the pictures that they were made from."""
    furnished_room.write(furnished_room.make(60, views=4, pieces=3), folder)


def blob(folder: Path) -> None:
    """A ball that bends."""
    turning_blob.write(folder / "blob", frames=8, size=32)


def line(folder: Path) -> None:
    """A spoken sentence and its words."""
    samples, rate, _ = speak(LINE, "en-us", 130)
    write_wav(folder / "line.wav", samples[:, None] * 0.8, rate)
    (folder / "line.txt").write_text(LINE, encoding="utf-8")


def _film(folder: Path, seconds: float, side: int) -> tuple[TalkingFace, Path]:
    rig = small_head()
    skin = np.random.default_rng(0).choice(np.flatnonzero(rig.neutral[:, 2] > 3), 478)
    face = talking_face(rig, skin, round(seconds * RATE), size=side, seed=3)
    face.colors = (rig.colors * (1 + 0.1 * np.sin(face.rest * 3))).clip(0, 1).astype(np.float32)
    line(folder)
    parts = VideoParts(folder / "parts", RATE)
    for image in face.images():
        parts.add(image)
    parts.join(folder / "face.mp4", sound=folder / "line.wav")
    return face, folder / "face.mp4"


def film(folder: Path) -> None:
    """A drawn head that talks for seven seconds, which is enough to learn how it speaks."""
    _film(folder, 7.0, 256)


def glance(folder: Path) -> None:
    """Half a second of a head that opens its mouth, without a sound."""
    rig, side = small_head(), 320
    writer = VideoWriter(folder / "face.mp4", RATE, side, side)
    for share in np.linspace(0, 1, 12):
        said = np.zeros(len(rig.names), np.float32)
        said[rig.names.index("jawOpen")] = 0.5 * share
        view = portrait(side, 0.05 + 0.1 * share, height=34.0)
        writer.add(draw(rig, rig.posed(rig.neutral, said), view))
    writer.close()


def bust(folder: Path) -> None:
    """What `face` leaves of a head, learned for a few steps only."""
    face, path = _film(folder, 0.4, 64)
    count = len(face.views)
    motion = HeadMotion(
        names=face.rig.names,
        times=np.arange(count) / RATE,
        coefficients=face.coefficients,
        rotations=np.stack([v.rotation for v in face.views]),
        translations=np.stack([v.translation for v in face.views]),
        rest=face.rest,
        focal=face.views[0].focal,
        width=64,
        height=64,
        residual=0.0,
    )
    every = np.arange(count)
    config = LearnConfig(gaussians=300, side=64, training=HeadTrainingConfig(steps=3))
    learned = learn_head(path, face.rig, motion, every[:-1], every[-1:], 1280, config)
    whole = learned.whole
    write_head(folder, whole.rig, whole.motion.rest)
    files.save(folder / gaussian_head_file.NAME, learned)
    poses.save(folder / poses.NAME, whole.motion, path)


def person(folder: Path) -> None:
    """A character without shapes."""
    character_file.write(folder / character_file.NAME, small_character())


def hub(folder: Path) -> None:
    """What the verb `model` finds where it fetches from."""
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {}}), encoding="utf-8")
    (folder / "open_clip_model.safetensors").write_bytes(bytes(range(256)) * 4000)


MAKERS: dict[str, Callable[[Path], None]] = {
    make.__name__: make
    for make in (walk, steps, capture, splats, room, blob, line, film, glance, bust, person, hub)
}
