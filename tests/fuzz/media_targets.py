"""Pictures, sounds and videos, as footage and as masks."""

import itertools
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pillow_heif
from PIL import Image

from backend.cameras.footage import images, mask_files
from backend.dynamic_mesh.footage import masks
from backend.formats import picture_header
from backend.media import decoding, open_image, photos, picture_files, sound
from backend.semantics.regions import label_images

from .target import Target

PICTURES = ("png", "jpg", "webp", "tif", "bmp", "gif")


def _pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)


def _picture(folder: Path, ending: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0xA405] = 28
    image = Image.fromarray(_pixels())
    told: dict[str, Any] = {} if ending in ("bmp", "gif") else {"exif": exif}
    image.save(folder / f"a.{ending}", **told)


def _heic(folder: Path) -> None:
    pillow_heif.from_pillow(Image.fromarray(_pixels())).save(folder / "a.heic", quality=30)


def _read_picture(path: Path) -> None:
    """Everything that any verb asks of a picture."""
    picture_header.stored_size(path)
    picture_files.picture_facts(path)
    with open_image.opened(path) as image:
        photos.exif_focal(image)
        image.convert("RGB").load()
    if path.suffix != ".heic":  # which is made a JPEG first
        images.read_image(path, color=True)


def _read_mask(path: Path) -> None:
    masks.read_mask(path, (16, 12))
    mask_files.two_tone(path, (16, 12))


def _sound(folder: Path) -> None:
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes(np.zeros((400, 2), "<i2").tobytes())


def _video(folder: Path, ending: str) -> None:
    codec = {"mp4": "libx264", "avi": "mjpeg"}[ending]
    with av.open(str(folder / f"a.{ending}"), "w") as container:
        stream: Any = container.add_stream(codec, rate=12)
        stream.width, stream.height = 32, 16
        stream.pix_fmt = "yuv420p" if ending == "mp4" else "yuvj420p"
        stream.thread_count = 1
        for _ in range(4):
            pixels = np.zeros((16, 32, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def _read_video(path: Path) -> None:
    decoding.probe(path)
    decoding.frame_times(path)
    decoding.reach(path)
    with decoding.open_video(path) as container:
        frames = decoding.decode(container, path, decoding.Damage())
        for _, frame in itertools.islice(frames, 5):
            frame.to_ndarray(format="rgb24")


TARGETS = (
    *(
        Target(
            name=f"picture-{ending}",
            file=f"a.{ending}",
            make=lambda folder, ending=ending: _picture(folder, ending),  # type: ignore[misc]
            read=_read_picture,
            share=1.0 if ending in ("png", "jpg", "tif") else 0.5,
        )
        for ending in PICTURES
    ),
    Target(name="picture-heic", file="a.heic", make=_heic, read=_read_picture, share=0.5),
    Target(name="mask", file="a.png", make=lambda f: _picture(f, "png"), read=_read_mask),
    Target(
        name="regions",
        file="a.png",
        make=lambda folder: _picture(folder, "png"),
        read=lambda path: label_images.read_regions(path.parent, "a.jpg", 16, 12),
    ),
    Target(name="sound", file="a.wav", make=_sound, read=sound.read_sound),
    Target(name="video-mp4", file="a.mp4", make=lambda f: _video(f, "mp4"), read=_read_video),
    Target(name="video-avi", file="a.avi", make=lambda f: _video(f, "avi"), read=_read_video),
)
