"""Splats through the cameras of a capture: colours, transparency, sizes, and what is refused."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from helpers import clips
from helpers.command_line import refusal, run
from PIL import Image

from backend.formats import splat_ply
from backend.formats.capture import Frame
from backend.formats.splat_ply import SplatArrays
from backend.gaussians.model import from_arrays
from backend.gaussians.options import RasterOptions
from backend.geometry.spherical_harmonics import SH_C0
from backend.protocol import InputError
from backend.semantics.rendering.render_job import _check, parse_background, render_frame
from backend.semantics.rendering.render_verb import RenderOptions

RED = (0.8, 0.2, 0.1)
FRAME = Frame(
    image=Path("a.png"),
    camera_to_world=np.diag([1.0, -1.0, -1.0, 1.0]),
    fl_x=20.0,
    fl_y=20.0,
    cx=16.0,
    cy=12.0,
    width=32,
    height=24,
)


def one_splat(ahead: float = 1.0, size: float = 0.15) -> SplatArrays:
    """A red ball before the camera at the origin, which looks along +z."""
    return SplatArrays(
        means=np.array([[0.0, 0.0, ahead]], np.float32),
        quats=np.array([[1, 0, 0, 0]], np.float32),
        log_scales=np.full((1, 3), np.log(size), np.float32),
        opacity_logits=np.array([4.0], np.float32),
        sh=((np.array([[RED]]) - 0.5) / SH_C0).astype(np.float32),
    )


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("transparent", None),
        ("white", (1.0, 1.0, 1.0)),
        ("black", (0.0, 0.0, 0.0)),
        ("0,0.5,1", (0.0, 0.5, 1.0)),
    ],
)
def test_backgrounds_are_read(text: str, color: tuple[float, ...] | None) -> None:
    assert parse_background(text) == color


@pytest.mark.parametrize(
    "text", ["mauve", "", "0,1", "0,0,1.01", "0,-0.01,0", "nan,0,0", "1,1,1,1"]
)
def test_what_is_no_background_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no colour"):
        parse_background(text)


def rendered(background: tuple[float, float, float] | None, scale: float = 1.0) -> torch.Tensor:
    return render_frame(from_arrays(one_splat()), FRAME, scale, background, RasterOptions())


def test_transparency_is_straight_and_a_background_shines_through() -> None:
    clear, white = rendered(None), rendered((1.0, 1.0, 1.0))
    assert clear.shape == (24, 32, 4) and white.shape == (24, 32, 3)
    alpha = clear[..., 3:]
    assert 0.95 < float(alpha[12, 16, 0]) <= 1 and float(alpha[0, 0, 0]) == 0
    seen = alpha[..., 0] > 0.1  # fading out, the colour stays what it is
    assert (clear[..., :3][seen] - torch.tensor(RED)).abs().max() < 1e-3
    assert (white - (clear[..., :3] * alpha + (1 - alpha))).abs().max() < 1e-5


@pytest.mark.parametrize(("scale", "size"), [(0.5, (12, 16)), (2.0, (48, 64)), (0.01, (1, 1))])
def test_scale_is_of_the_picture(scale: float, size: tuple[int, int]) -> None:
    image = rendered((0.0, 0.0, 0.0), scale)
    assert image.shape[:2] == size
    if scale >= 0.5:
        place = np.array(np.unravel_index(int(image[..., 0].argmax()), size)) + 0.5
        assert np.abs(place - np.array(size) / 2).max() <= 0.5 + scale


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with splats.ply and a capture of three cameras."""
    clips.write_capture(tmp_path / "capture", 3, (32, 24))
    splat_ply.write(tmp_path / "splats.ply", one_splat(0.0, 0.05))
    return tmp_path


def arguments(source: Path, *more: str) -> list[str | Path]:
    given = ("--input", source / "splats.ply", "--capture", source / "capture")
    return ["render", *given, "--output", source / "out", "--device", "cpu", *more]


def test_a_picture_a_camera_and_a_video(source: Path) -> None:
    done = run(*arguments(source, "--video", "12", "--background", "0.2,0.4,0.6"))
    assert done.returncode == 0, done.stderr
    assert "3 pictures of 1 splats" in done.stderr
    manifest = json.loads((source / "out" / "manifest.json").read_text())
    assert manifest["metrics"] == {"pictures": 3.0, "splats": 1.0}
    images = [np.asarray(Image.open(source / "out" / f"{n:04d}.png")) for n in (1, 2, 3)]
    assert all(image.shape == (24, 32, 3) for image in images)
    assert images[0][0, 0].tolist() == [51, 102, 153]
    assert any((image != images[0]).any() for image in images[1:])
    with av.open(str(source / "out" / "video.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert film.streams.video[0].average_rate == 12
    assert len(frames) == 3 and frames[0].shape == (24, 32, 3)


def test_one_picture_is_called_so_and_no_video_is_made_unasked(source: Path) -> None:
    path = source / "capture" / "transforms.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "frames": data["frames"][:1]}))
    done = run(*arguments(source))
    assert done.returncode == 0 and "1 picture of 1 splats" in done.stderr
    assert np.asarray(Image.open(source / "out" / "0001.png")).shape == (24, 32, 4)
    assert not (source / "out" / "video.mp4").exists()


def test_what_it_does_is_told(source: Path) -> None:
    said = run(*arguments(source)).stderr
    assert "[1/2] Reading the splats" in said and "[2/2] Rendering" in said


def test_two_pictures_are_several(source: Path) -> None:
    path = source / "capture" / "transforms.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "frames": data["frames"][:2]}))
    assert "2 pictures of 1 splats" in run(*arguments(source)).stderr


@pytest.mark.parametrize("background", [None, (1.0, 1.0, 1.0)])
def test_what_is_brighter_than_white_is_white(background: tuple[float, float, float]) -> None:
    bright = one_splat()
    bright.sh[:] *= 20
    image = render_frame(from_arrays(bright), FRAME, 1.0, background, RasterOptions())
    assert float(image.max()) == 1


def options_for(source: Path, scale: float, video: float = 0.0) -> RenderOptions:
    return RenderOptions(capture=str(source / "capture"), scale=scale, video=video)


def resize(source: Path, widths: tuple[int, ...], height: int = 24) -> None:
    """Other sizes for the cameras; pictures are not looked at."""
    path = source / "capture" / "transforms.json"
    data = json.loads(path.read_text())
    for frame, width in zip(data["frames"], widths, strict=False):
        frame |= {"w": width, "h": height, "fl_x": 20, "fl_y": 20, "cx": 1, "cy": 1}
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("widths", "height", "more", "sentence"),
    [
        ((10_001,) * 3, 10_000, (), "too large"),
        ((32,) * 3, 1, ("--video", "12"), "two pixels at least"),
        ((32, 33, 32), 24, ("--video", "12"), "differ in size"),
    ],
)
def test_sizes_that_can_not_be_are_refused(
    source: Path, widths: tuple[int, ...], height: int, more: tuple[str, ...], sentence: str
) -> None:
    resize(source, widths, height)
    assert sentence in refusal(*arguments(source, *more)).what
    assert not (source / "out").exists()


@pytest.mark.parametrize(
    ("width", "height", "scale", "fits"),
    [
        (10_000, 10_000, 1.0, True),
        (10_001, 10_000, 1.0, False),
        (20_000, 20_000, 0.5, True),
        (20_001, 20_000, 0.5, False),
        (1, 24, 1.0, True),
    ],
)
def test_the_most_pixels_are_those_after_scaling(
    source: Path, width: int, height: int, scale: float, fits: bool
) -> None:
    resize(source, (width,) * 3, height)
    if fits:
        assert len(_check(options_for(source, scale=scale))) == 3
    else:
        with pytest.raises(InputError, match="too large"):
            _check(options_for(source, scale=scale))


@pytest.mark.parametrize(("scale", "fits"), [(0.1, True), (0.099, False)])
def test_a_video_has_two_pixels_at_least(source: Path, scale: float, fits: bool) -> None:
    resize(source, (20,) * 3, 24)
    if fits:
        assert _check(options_for(source, scale=scale, video=12))
    else:
        with pytest.raises(InputError, match="two pixels"):
            _check(options_for(source, scale=scale, video=12))


def test_what_is_missing_is_named(source: Path) -> None:
    given = ("--input", source / "splats.ply", "--output", source / "out", "--device", "cpu")
    assert "--capture is needed" in refusal("render", *given).what
    nothing = splat_ply.take(one_splat(), np.zeros(0, np.int64))
    splat_ply.write(source / "splats.ply", nothing)
    assert "no splats" in refusal(*arguments(source)).what


def test_the_antialiased_filter_dims_what_is_smaller_than_a_pixel() -> None:
    small = one_splat(size=0.005)
    peaks = [
        float(
            render_frame(from_arrays(small), FRAME, 1.0, None, RasterOptions(rasterize_mode=mode))[
                ..., 3
            ].max()
        )
        for mode in ("classic", "antialiased")
    ]
    assert peaks[1] < 0.2 * peaks[0]
