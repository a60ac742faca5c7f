"""Video whose colours or lines are not a still picture's: HLG, PQ, wide colours, fields."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from helpers import clips
from PIL import Image

from backend.media import high_dynamic_range, video
from backend.media.frames import Footage

WHITE_HLG, WHITE_PQ = 0.75, 0.5807  # signals of 203 nits, ITU-R BT.2408


def frame_of(rgb: tuple[float, float, float], trc: ColorTrc, shade: float = 0.0) -> av.VideoFrame:
    """Ten bits, BT.2020, of one colour; `shade` makes it darker towards the right."""
    r, g, b = (np.array(v) * (1 - shade * np.linspace(0, 1, 64)) for v in rgb)
    y = 0.2627 * r + 0.678 * g + 0.0593 * b
    planes = (219 * y + 16, 224 * (b - y) / 1.8814 + 128, 224 * (r - y) / 1.4746 + 128)
    frame = av.VideoFrame(64, 48, "yuv444p10le")
    for plane, row in zip(frame.planes, planes, strict=True):
        values = np.zeros((48, plane.line_size // 2), np.uint16)
        values[:, :64] = np.round(4 * row)
        plane.update(values.tobytes())
    frame.colorspace, frame.color_range = Colorspace.BT2020, ColorRange.MPEG
    frame.color_trc, frame.color_primaries = trc, ColorPrimaries.BT2020
    return frame


def shown(rgb: tuple[float, float, float], trc: ColorTrc) -> np.ndarray:
    """(3,) sRGB in 0..255."""
    return high_dynamic_range.tone_mapped(frame_of(rgb, trc), 64, 48)[24, 32].astype(float)


@pytest.mark.parametrize(("trc", "white"), [
    (ColorTrc.ARIB_STD_B67, WHITE_HLG), (ColorTrc.SMPTE2084, WHITE_PQ),
])  # fmt: skip
def test_white_is_bright_greys_rise_and_highlights_do_not_clip(trc: ColorTrc, white: float) -> None:
    assert shown((white,) * 3, trc).min() >= 225 and shown((white,) * 3, trc).max() <= 240
    greys = [shown((v,) * 3, trc)[1] for v in np.linspace(0, white, 12)]
    assert greys[0] == 0 and (np.diff(greys) > 0).all()
    above = [shown((v,) * 3, trc)[1] for v in np.linspace(white, min(1.0, white + 0.15), 4)]
    assert (np.diff(above) > 0).all() and above[-1] <= 255
    assert np.ptp(shown((white / 2,) * 3, trc)) <= 2, "grey stays grey"


def test_both_curves_agree_on_the_same_light() -> None:
    """50 nits: HLG 0.5 on a display of 1000 nits shows (1/12)^1.2 of it, PQ 0.4402."""
    nits = 1000 * (1 / 12) ** 1.2
    power = (nits / 10_000) ** 0.1593017578125
    pq = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    hlg = shown((0.5,) * 3, ColorTrc.ARIB_STD_B67)
    assert np.abs(hlg - shown((pq,) * 3, ColorTrc.SMPTE2084)).max() <= 1
    linear = nits / 203
    wanted = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert hlg == pytest.approx([wanted] * 3, abs=1.5)


def test_colours_of_the_wide_gamut_keep_their_hue() -> None:
    red, green, blue = (
        shown(tuple(0.6 if i == k else 0.3 for i in range(3)), ColorTrc.ARIB_STD_B67)  # type: ignore[arg-type]
        for k in range(3)
    )
    assert red.argmax() == 0 and green.argmax() == 1 and blue.argmax() == 2


def write(path: Path, frames: list[av.VideoFrame], codec: str = "ffv1", **options: str) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        first = frames[0]
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, first.format.name
        context = stream.codec_context
        context.color_trc, context.color_primaries = first.color_trc, first.color_primaries
        context.colorspace, context.color_range = first.colorspace, first.color_range
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def extracted(path: Path, tmp_path: Path, count: int = 30) -> tuple[Footage, list[np.ndarray]]:
    footage = video.extract(path, tmp_path / f"{path.stem}-frames", count, 0)
    return footage, [np.asarray(Image.open(footage.folder / n), float) for n in footage.names]


@pytest.mark.parametrize(("trc", "said"), [
    (ColorTrc.ARIB_STD_B67, "HLG"), (ColorTrc.SMPTE2084, "PQ"), (ColorTrc.BT2020_10, "BT.2020"),
])  # fmt: skip
def test_footage_is_tone_mapped_and_that_is_said(trc: ColorTrc, said: str, tmp_path: Path) -> None:
    frames = [frame_of((0.5 + i / 100, 0.4, 0.3), trc, shade=0.5) for i in range(6)]
    path = write(tmp_path / "a.mkv", frames)
    footage, pictures = extracted(path, tmp_path)
    assert len(footage.told) == 1 and said in footage.told[0] and "tone-mapped" in footage.told[0]
    wanted = high_dynamic_range.tone_mapped(frames[0], 64, 48)
    assert np.abs(pictures[0] - wanted).mean() < 3
    by_number = video.extract_indices(path, tmp_path / "n", [0, 2, 4], 0)
    assert by_number.told == footage.told


def test_ordinary_footage_is_left_alone_and_nothing_is_said(tmp_path: Path) -> None:
    clips.write_video(tmp_path / "a.mkv", [clips.texture(96, i)[:64] for i in range(6)])
    footage, _ = extracted(tmp_path / "a.mkv", tmp_path)
    assert not footage.told


# ---- fields
def glide(shift: float) -> np.ndarray:
    """A soft pattern moved to the left by so many pixels."""
    x = np.arange(128) + shift
    y = np.arange(96)[:, None]
    value = 128 + 60 * np.sin(2 * np.pi * x / 32) + 40 * np.sin(2 * np.pi * (y / 48 + x / 64))
    return np.repeat(value.clip(0, 255).astype(np.uint8)[..., None], 3, 2)


@pytest.mark.parametrize("order", ["tff", "bff"])
def test_interlaced_footage_is_made_whole_and_that_is_said(order: str, tmp_path: Path) -> None:
    woven = []
    for i in range(12):
        early, late = glide(8 * i), glide(8 * i + 4)
        picture = early.copy()
        rows = slice(1, None, 2) if order == "tff" else slice(0, None, 2)
        picture[rows] = late[rows]
        woven.append(picture)
    frames = [
        av.VideoFrame.from_ndarray(w, format="rgb24").reformat(format="yuv420p") for w in woven
    ]
    options = {"x264-params": f"{order}=1", "crf": "3"}
    path = write(tmp_path / "a.mkv", frames, "libx264", **options)
    footage, pictures = extracted(path, tmp_path)
    assert footage.told == ("The footage is interlaced; its frames were deinterlaced.",)
    assert len(footage.names) == 12 and footage.times == pytest.approx(np.arange(12) / 25, abs=1e-3)
    for i in range(2, 10):
        combs = np.abs(np.diff(pictures[i][..., 0], 2, axis=0)).mean()
        torn = np.abs(np.diff(woven[i][..., 0].astype(float), 2, axis=0)).mean()
        assert combs < 0.25 * torn
        moments = [np.abs(pictures[i] - glide(8 * i + s)).mean() for s in (0, 4)]
        assert min(moments) < 4, "one of the two fields' moments"
    assert video.extract_indices(path, tmp_path / "n", [3, 5, 7], 0).told == footage.told
