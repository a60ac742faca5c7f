"""Pictures, films and sounds from outside: only formats that these come in, and only of a size that
memory is given for.
"""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from helpers import clips
from helpers.sounds import write_wav
from PIL import EpsImagePlugin, Image

from backend.formats.limits import MOST_PIXELS
from backend.formats.picture_header import stored_size
from backend.media import decoding, open_image, photos, sound
from backend.media.open_image import TooLargePicture, opened, opened_bytes
from backend.media.open_media import open_media
from backend.media.picture_files import picture_facts
from backend.protocol import InputError
from tests.drill.hostile_bombs import png
from tests.drill.hostile_files import OTHERS

KINDS = ("png", "jpg", "tif", "webp", "bmp")


def test_postscript_under_a_pictures_name_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ghostscript(*_: object, **__: object) -> None:
        raise AssertionError("Ghostscript was asked")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", ghostscript)
    for name in ("a.png", "a.jpg", "a.eps"):
        (tmp_path / name).write_bytes(OTHERS["PostScript"])
        for read in (picture_facts, photos._load):
            with pytest.raises(InputError, match="can't be read"):
                read(tmp_path / name)
    assert "EPS" not in open_image.formats()


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_are_read_off_headers(kind: str, tmp_path: Path) -> None:
    for size in ((37, 21), (300, 5)):
        path = tmp_path / f"a.{kind}"
        image = Image.fromarray(np.zeros((*size[::-1], 3), np.uint8))
        image.save(path)
        assert stored_size(path) == picture_facts(path).size == size
        if kind == "webp":
            image.save(path, lossless=True)
            assert stored_size(path) == size
            image.convert("RGBA").save(path, exif=b"Exif\0\0" + b"\0" * 20)
            assert stored_size(path) == size
        data = path.read_bytes()
        for cut in (0, 3, 11, 15):
            path.write_bytes(data[:cut])
            assert stored_size(path) is None


def test_pictures_of_too_many_pixels_are_told_before_they_are_unpacked(tmp_path: Path) -> None:
    side = int(MOST_PIXELS**0.5) + 1
    data = png(side, side, 2)
    (tmp_path / "a.png").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TooLargePicture, match="far too large"), opened(tmp_path / "a.png"):
            pass
        with pytest.raises(TooLargePicture), opened_bytes(data, "a.png"):
            pass
        (tmp_path / "a.png").write_bytes(png(2**31 - 1, 2**31 - 1, 0))
        with pytest.raises(TooLargePicture), opened(tmp_path / "a.png"):
            pass
        with opened_bytes(png(9_500, 9_500, 2), "b.png") as image:  # where Pillow begins to warn
            assert image.size == (9_500, 9_500)


def test_sixteen_bits_become_eight_as_before() -> None:
    from backend.media.frames import to_eight_bit

    values = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    exact = (values.astype(np.float64) / 257).round().astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(to_eight_bit(Image.fromarray(values))), exact)


def test_playlists_and_pipes_are_no_films(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    lists = {
        "hls": OTHERS["a playlist"],
        "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    }
    for data in lists.values():
        for name in ("a.mp4", "a.m3u8", "a.sdp", "a.ffconcat"):
            path = tmp_path / name
            path.write_bytes(data)
            with pytest.raises(InputError, match="not a video"):
                decoding.probe(path)
            with pytest.raises(InputError, match="can't be read as sound"):
                sound.read_sound(path)
    os.mkfifo(tmp_path / "b.mp4")
    for read in (decoding.probe, sound.read_sound, open_media):
        with pytest.raises(InputError, match="no ordinary file"):
            read(tmp_path / "b.mp4")


def test_films_and_sounds_are_read(tmp_path: Path) -> None:
    pictures = [np.full((48, 64, 3), 40 * i, np.uint8) for i in range(4)]
    for name in ("a.mp4", "a.mkv", "a.avi", "a.mov", "a.ts"):
        clips.write_video(tmp_path / name, pictures)
        assert decoding.probe(tmp_path / name).width == 64
    for width in (1, 2):
        write_wav(tmp_path / "a.wav", np.zeros((8000, 1)), 8000, width)
        assert len(sound.read_sound(tmp_path / "a.wav")) == pytest.approx(16_000, abs=64)


def test_frames_of_too_many_pixels_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips.write_video(tmp_path / "a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 3)
    monkeypatch.setattr(decoding, "MOST_FRAME_PIXELS", 1000)
    with pytest.raises(InputError, match=r"not a video|no frame"):
        decoding.probe(tmp_path / "a.mp4")
