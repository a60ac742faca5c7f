"""Frames from videos and photos: upright, sharp, evenly spread, honest about the lens."""

from pathlib import Path

import av
import numpy as np
import pytest
from helpers import clips
from PIL import Image, ImageFilter

from backend.media import frames, photos, video
from backend.protocol import InputError


def numbered(count: int, size: tuple[int, int] = (96, 64)) -> list[np.ndarray]:
    """Pictures whose brightness tells their number."""
    return [
        np.full((size[1], size[0], 3), 20 + 200 * i // count, np.uint8) // 2
        + clips.texture(96)[:64] // 2
        for i in range(count)
    ]


def test_extract_spreads_over_the_clip(tmp_path: Path) -> None:
    clips.write_video(tmp_path / "a.mp4", numbered(48), fps=24)
    footage = video.extract(tmp_path / "a.mp4", tmp_path / "f", 8, 0)
    assert len(footage.names) == 8
    assert (footage.width, footage.height) == (96, 64)
    assert footage.times == sorted(footage.times)
    assert footage.fps == pytest.approx(24)
    assert all(abs(t - (i + 0.5) * 0.25) <= 0.13 for i, t in enumerate(footage.times))


def test_the_sharpest_of_each_stretch_is_taken(tmp_path: Path) -> None:
    images = []
    for i in range(24):
        image = Image.fromarray(clips.texture(96, 1)).crop((i, 0, i + 64, 64))
        images.append(
            np.asarray(image if i % 4 == 2 else image.filter(ImageFilter.GaussianBlur(2)))
        )
    clips.write_video(tmp_path / "a.mp4", images, fps=24)
    footage = video.extract(tmp_path / "a.mp4", tmp_path / "f", 6, 0)
    assert [round(t * 24) % 4 for t in footage.times] == [2] * 6


def test_range_and_indices(tmp_path: Path) -> None:
    clips.write_video(tmp_path / "a.mp4", numbered(48), fps=24)
    part = video.extract(tmp_path / "a.mp4", tmp_path / "f", 5, 0, start=0.5, end=1.5)
    assert part.times[0] >= 0.5
    assert part.times[-1] <= 1.5
    chosen = video.extract_indices(tmp_path / "a.mp4", tmp_path / "g", [3, 10, 40], 0)
    assert [round(t * 24) for t in chosen.times] == [3, 10, 40]
    assert chosen.fps == pytest.approx(24)
    with pytest.raises(InputError):
        video.extract(tmp_path / "a.mp4", tmp_path / "h", 5, 0, start=9.0)
    with pytest.raises(InputError):
        video.extract_indices(tmp_path / "a.mp4", tmp_path / "h", [3, 10, 400], 0)


def key_frames_only(path: Path, count: int = 48) -> bytes:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"g": "1"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for picture in numbered(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


def test_truncated_video_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    whole = key_frames_only(tmp_path / "a.mkv")
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    footage = video.extract(tmp_path / "cut.mkv", tmp_path / "f", 60, 0)
    assert 3 <= len(footage.names) < 40
    assert "the picture ends at" in footage.damage and "of 2.0 s" in footage.damage
    assert not video.extract(tmp_path / "a.mkv", tmp_path / "g", 60, 0).damage


def test_frames_damaged_in_the_middle_are_left_out_and_told(tmp_path: Path) -> None:
    whole = bytearray(key_frames_only(tmp_path / "a.mkv"))
    with av.open(str(tmp_path / "a.mkv")) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    for place, size in packets[20:26]:
        whole[place + 30 : place + size - 4] = b"\x5a" * (size - 34)
    (tmp_path / "hurt.mkv").write_bytes(whole)
    footage = video.extract(tmp_path / "hurt.mkv", tmp_path / "f", 60, 0)
    found = {round(t * 24) for t in footage.times or []}
    assert found >= set(range(20)) | set(range(27, 48)), "what follows the damage is read"
    assert not found & set(range(21, 26))
    assert "frames can't be decoded (the first after 0.8 s)" in footage.damage
    late = video.extract(tmp_path / "hurt.mkv", tmp_path / "late", 60, 0, start=1.2)
    assert not late.damage, "the range asked for is whole"
    with pytest.raises(InputError, match="can't be decoded"):
        video.extract_indices(tmp_path / "hurt.mkv", tmp_path / "g", [3, 10, 40], 0)


def test_a_picture_that_changes_its_size(tmp_path: Path) -> None:
    """Two raw streams one after the other, as some recorders write them."""
    parts = []
    for number, size in enumerate(((96, 64), (64, 96))):
        with av.open(str(tmp_path / f"{number}.h264"), "w") as container:
            stream = container.add_stream("libx264", rate=24)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for picture in numbered(24):
                frame = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(np.resize(picture, (size[1], size[0], 3))), format="rgb24"
                )
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        parts.append((tmp_path / f"{number}.h264").read_bytes())
    (tmp_path / "both.h264").write_bytes(b"".join(parts))
    footage = video.extract(tmp_path / "both.h264", tmp_path / "f", 20, 0)
    sizes = {Image.open(tmp_path / "f" / name).size for name in footage.names}
    assert sizes == {(footage.width, footage.height)} == {(96, 64)} and len(footage.names) >= 8
    assert "changes its size after" in footage.damage
    with pytest.raises(InputError, match="changes its size"):
        video.extract_indices(tmp_path / "both.h264", tmp_path / "g", [3, 10, 40], 0)


@pytest.mark.parametrize("kind", ["yuv420p10le", "gray10le"])
def test_ten_bits(tmp_path: Path, kind: str) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, kind
        for picture in numbered(12):
            container.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=kind)
                )
            )
        container.mux(stream.encode(None))
    footage = video.extract(tmp_path / "a.mkv", tmp_path / "f", 12, 0)
    first = np.asarray(Image.open(tmp_path / "f" / footage.names[0]), float)
    want = (
        numbered(12)[0]
        if "yuv" in kind
        else np.repeat(np.asarray(Image.fromarray(numbered(12)[0]).convert("L"))[..., None], 3, 2)
    )
    assert not footage.damage and np.abs(first - want).mean() < 12


def test_photos_are_turned_upright_and_in_order(tmp_path: Path) -> None:
    for name in ("10.jpg", "2.jpg", "1.jpg"):
        image = Image.fromarray(clips.texture(80)[:60])
        exif = image.getexif()
        exif[0x0112] = 6  # turn 90 degrees clockwise
        exif.get_ifd(0x8769)[0xA405] = 28  # 35 mm equivalent
        image.save(tmp_path / name, exif=exif)
    footage = photos.gather(tmp_path, tmp_path / "f", 10, 0)
    assert footage.sources == ["1.jpg", "2.jpg", "10.jpg"]
    assert footage.fps == 0, "photos have no rate"
    assert (footage.width, footage.height) == (60, 80)
    assert footage.focal == pytest.approx(28 * 100 / 43.2666, rel=1e-3)


@pytest.mark.parametrize("kind", ["png", "tif", "BMP", "jpg"])
def test_pictures_without_loss_stay_without(tmp_path: Path, kind: str) -> None:
    for name in ("1", "2", "3"):
        Image.fromarray(clips.texture(80)).save(tmp_path / f"{name}.{kind}")
    footage = photos.gather(tmp_path, tmp_path / "f", 10, 0)
    with (
        Image.open(tmp_path / f"1.{kind}") as given,
        Image.open(tmp_path / "f" / footage.names[0]) as kept,
    ):
        assert kept.format == ("JPEG" if kind == "jpg" else "PNG")
        assert kind == "jpg" or (np.asarray(given) == np.asarray(kept)).all()


def test_a_large_profile_of_colours_does_not_come_along(tmp_path: Path) -> None:
    for name in ("1", "2", "3"):
        Image.fromarray(clips.texture(80)).save(
            tmp_path / f"{name}.tif", icc_profile=bytes(1_200_000)
        )
    footage = photos.gather(tmp_path, tmp_path / "f", 10, 0)
    assert frames.thumbnail(tmp_path / "f" / footage.names[0]).size


def test_sharpness_falls_with_blur() -> None:
    image = Image.fromarray(clips.texture(96)).convert("L")
    assert frames.sharpness(np.asarray(image)) > 4 * frames.sharpness(
        np.asarray(image.filter(ImageFilter.GaussianBlur(2)))
    )


def test_video_that_does_not_tell_its_length(tmp_path: Path) -> None:
    """A raw stream has no duration anywhere; frames still come from all of it."""
    clips.write_video(tmp_path / "a.mp4", numbered(48), fps=24)
    with (
        av.open(str(tmp_path / "a.mp4")) as source,
        av.open(str(tmp_path / "a.h264"), "w", format="h264") as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    footage = video.extract(tmp_path / "a.h264", tmp_path / "f", 8, 0)
    assert len(footage.names) >= 7
    assert footage.times[-1] > 1.5


def test_pictures_of_sixteen_bits() -> None:
    values = np.array([[0, 30_000, 65_535]], np.uint16)
    assert np.asarray(frames.to_eight_bit(Image.fromarray(values))).tolist() == [[0, 117, 255]]
    assert np.asarray(
        frames.to_eight_bit(Image.fromarray(np.array([[0.0, 0.5]], np.float32)))
    ).tolist() == [[0, 128]]


def test_sound_videos_are_not_called_damaged(tmp_path: Path) -> None:
    """One frame a second: the last one is shown for a second after it begins. And sound that goes
    on after the picture.
    """
    clips.write_video(tmp_path / "slow.mp4", numbered(10), fps=1)
    assert not video.extract(tmp_path / "slow.mp4", tmp_path / "f", 10, 0).damage
    with av.open(str(tmp_path / "long.mkv"), "w") as container:
        picture, sound = (
            container.add_stream("libx264", rate=24),
            container.add_stream("aac", rate=44100),
        )
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        for pixels in numbered(24):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(picture.encode(None))
        for i in range(130):  # three seconds
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 44100, 1024 * i
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    assert not video.extract(tmp_path / "long.mkv", tmp_path / "g", 10, 0).damage


def test_a_start_in_a_stream_that_can_not_seek(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.h264"), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for picture in numbered(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    footage = video.extract(tmp_path / "a.h264", tmp_path / "f", 8, 0, start=1.2)
    assert len(footage.names) >= 4 and min(footage.times or [0]) >= 1.2
