"""Small inputs for `fixed_seed`, made once in a folder: the same files then go to both sides of a
comparison, whatever has become of the code that drew them.
"""

import hashlib
import json
import math
import shutil
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from helpers import clips, furnished_room, ray_world, small_clip, turning_blob
from helpers.other_heads import small_character
from helpers.talking_face import talking_face
from PIL import Image

from backend.formats import character_file
from backend.media.video_parts import VideoParts
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.speech.espeak import speak

DONE = "inputs.json"  # name: sha256 of every file; written last
SIZE, FOCAL, FRAMES = (240, 180), 218.0, 20
LINE = "My baby brother made bubbles by the pool, and papa moved five big boats very far away."
FACE_FPS, FACE_SIDE = 25.0, 256


def make(folder: Path) -> str:
    """Fills `folder` unless it is complete; the sha256 of everything in it."""
    done = folder / DONE
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for part in PARTS:
            part(folder)
        done.write_text(json.dumps(_sums(folder), indent=1), encoding="utf-8")
    recorded = json.loads(done.read_text(encoding="utf-8"))
    if recorded != _sums(folder):
        raise SystemExit(f"{folder} is not as it was made: delete it, and both sides start anew.")
    return hashlib.sha256(json.dumps(recorded, sort_keys=True).encode()).hexdigest()


def _sums(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != DONE)
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }


def _walk(folder: Path) -> None:
    """A camera that goes around a room in which things move; its true cameras as Blender's side
    writes them."""
    world = ray_world.make_room(0, moving=_passing)
    random, frames, pictures = np.random.default_rng(0), [], []
    for i in range(FRAMES):
        share = i / (FRAMES - 1)
        a, high = math.radians(-125 + 70 * share), 1.9 + 0.4 * math.sin(2 * math.pi * share)
        place = np.array([4.0 * math.cos(a), 4.0 * math.sin(a), high]) + random.normal(0, 0.01, 3)
        pose = ray_world.look_at(place, np.array([0, 0, 0.8]))
        drawn = ray_world.render_image(world.at(share), pose, FOCAL, SIZE)
        drawn = drawn + random.normal(size=drawn.shape) * 0.008
        pictures.append(np.clip(drawn * 255, 0, 255).astype(np.uint8))
        lens = {"fl_x": FOCAL, "fl_y": FOCAL, "cx": SIZE[0] / 2, "cy": SIZE[1] / 2}
        size = {"w": SIZE[0], "h": SIZE[1]}
        frames.append({"index": i, "transform_matrix": pose.tolist(), **lens, **size})
    _write_lossless(folder / "walk.mkv", pictures)
    (folder / "poses.json").write_text(json.dumps({"frames": frames}), encoding="utf-8")


def _passing(share: float) -> tuple[ray_world.Box, ray_world.Sphere]:
    x, y = -3.0 + 4 * share, -2.2 + share
    box = ray_world.Box((x, -2.0, 0), (x + 0.7, -1.6, 1.5), 12)
    return box, ray_world.Sphere((2.4 - 3 * share, y, 0.7), 0.45, 13)


def _write_lossless(path: Path, pictures: list[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=12)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "bgr0"
        for pixels in pictures:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="bgr0")))
        container.mux(stream.encode(None))


def _photos(folder: Path) -> None:
    clips.write_photos(folder / "photos", 8)


def _room(folder: Path) -> None:
    """A furnished room with its splats and label images, and a CLIP that knows a little."""
    furnished_room.write(furnished_room.make(60, views=8, pieces=6), folder / "room")
    crops = small_clip.crops(furnished_room.make(40 + seed, views=6) for seed in range(2))
    config = small_clip.SmallClipConfig(width=12, embed_dim=48, batch=48, steps=60, varied=0.3)
    small_clip.train(crops, folder / "clip", config)


def _blob(folder: Path) -> None:
    """A ball that bends, with transparency; and without it, with masks for three images."""
    turning_blob.write(folder / "blob", frames=16, size=56)
    turning_blob.write(folder / "blob_plain", frames=16, size=56, alpha=False)
    (folder / "blob_masks").mkdir()
    for name in ("000.png", "006.png", "011.png"):
        alpha = Image.open(folder / "blob" / "images" / name).getchannel("A")
        alpha.save(folder / "blob_masks" / name)


def _line(folder: Path) -> None:
    """A spoken sentence, twice over, so that there are more than five seconds of it."""
    samples, rate, _ = speak(LINE, "en-us", 130)
    samples = np.concatenate([samples, samples])
    (folder / "line.txt").write_text(f"{LINE} {LINE}", encoding="utf-8")
    with wave.open(str(folder / "line.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 0.8 * 32767).astype("<i2").tobytes())


def _face(folder: Path) -> None:
    """A drawn head that talks, with that sentence as its sound."""
    rig, seconds = small_head(), 7.0
    skin = np.random.default_rng(0).choice(np.flatnonzero(rig.neutral[:, 2] > 3), 478)
    face = talking_face(rig, skin, int(seconds * FACE_FPS), size=FACE_SIDE, seed=3)
    face.colors = (rig.colors * (1 + 0.1 * np.sin(face.rest * 3))).clip(0, 1).astype(np.float32)
    parts = VideoParts(folder / "parts", FACE_FPS)
    for image in face.images():
        parts.add(image)
    parts.join(folder / "face.mp4", sound=folder / "line.wav")


def _character(folder: Path) -> None:
    character_file.write(folder / character_file.NAME, small_character())


def _hub(folder: Path) -> None:
    """What the verb `model` finds where it fetches from."""
    (folder / "hub").mkdir()
    (folder / "hub" / "open_clip_config.json").write_text('{"model_cfg": {}}', encoding="utf-8")
    (folder / "hub" / "open_clip_model.safetensors").write_bytes(bytes(range(256)) * 4000)


PARTS: tuple[Callable[[Path], None], ...] = (
    _walk,
    _photos,
    _room,
    _blob,
    _line,
    _face,
    _hub,
    _character,
)
