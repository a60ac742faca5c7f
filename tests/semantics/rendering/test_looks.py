"""Objects, heat and labels as pictures: exact numbers, colours of the list, and no purple."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import clips
from helpers.command_line import refusal, run
from helpers.cut_scenes import BALL, FLOOR, ball, floor, scene
from PIL import Image

from backend.formats import capture, semantics_file, splat_ply
from backend.formats.splat_ply import SplatArrays
from backend.gaussians.model import from_arrays
from backend.gaussians.options import RasterOptions
from backend.geometry.heat_colors import heat
from backend.semantics.rendering.label_pictures import read_labels, write_labels, write_masks
from backend.semantics.rendering.painting import heat_of, object_colors
from backend.semantics.rendering.render_job import render_frame

EYE = np.array([[1.0, 0, 0, 0], [0, 0, -1, -3], [0, 1, 0, 0.6], [0, 0, 0, 1]])
FRAME = capture.Frame(
    image=Path("a.png"), camera_to_world=EYE, fl_x=60.0, fl_y=60.0, cx=32.0, cy=24.0,
    width=64, height=48,
)  # fmt: skip
COLORS = np.array([[1.0, 0, 0], [0, 0, 1]], np.float32)
CPU = torch.device("cpu")


def _scene() -> tuple[SplatArrays, np.ndarray]:
    return scene((ball(), BALL), (floor(), FLOOR))


def test_objects_have_the_colors_of_the_list() -> None:
    arrays, labels = _scene()
    paint = object_colors(labels, COLORS, CPU)
    image = render_frame(from_arrays(arrays), FRAME, 1.0, (0.0, 0.0, 0.0), RasterOptions(), paint)
    assert image[24, 32].tolist() == pytest.approx([1, 0, 0], abs=0.02)
    assert image[40, 8, 2] > 0.9 > 0.1 > image[40, 8, 0]
    none = object_colors(np.full_like(labels, -1), COLORS, CPU).colors
    assert torch.allclose(none, torch.tensor(0.2))


@pytest.mark.parametrize("background", [None, (1.0, 1.0, 1.0)])
def test_heat_is_blended_before_it_gets_its_color(
    background: tuple[float, float, float] | None,
) -> None:
    """Half a red splat over a blue one: the ramp's middle, which is green, not purple."""
    arrays, labels = _scene()
    arrays.opacity_logits[:] = 0
    arrays.sh[:] = -2  # black: nothing of their own shines through
    fits = np.where(labels == BALL, 1.0, 0.0).astype(np.float32)
    paint = heat_of(fits, arrays, CPU)
    image = render_frame(from_arrays(arrays), FRAME, 1.0, background, RasterOptions(), paint)
    colors, alpha = image[..., :3].numpy(), image[..., 3:].numpy() if background is None else 1.0
    ramp = 0.75 * heat(np.linspace(0, 1, 400))
    solid = np.broadcast_to(alpha, (48, 64, 1))[..., 0] > 0.99
    if background is not None:
        solid[:] = False
        solid[24:28, 28:36] = True  # in the ball, where nothing is clear
    near = np.abs(colors[solid][:, None] - ramp[None]).max(2).min(1)
    assert near.max() < 0.05


def test_linear_light_does_not_bend_the_numbers() -> None:
    arrays, labels = _scene()
    paint = heat_of(np.full(len(labels), 0.5, np.float32), arrays, CPU)
    model = from_arrays(arrays)
    plain = render_frame(model, FRAME, 1.0, None, RasterOptions(), paint)
    linear = render_frame(model, FRAME, 1.0, None, RasterOptions(blend="linear"), paint)
    assert torch.equal(plain, linear)


def test_label_pictures_and_masks_come_back_exactly(tmp_path: Path) -> None:
    labels = np.array([[-1, 0, 1], [300, 65_533, 0]], np.int32)
    write_labels(tmp_path / "labels" / "0001.png", labels)
    assert Image.open(tmp_path / "labels" / "0001.png").mode.startswith("I;16")
    assert (read_labels(tmp_path / "labels" / "0001.png") == labels).all()
    write_masks(tmp_path / "masks", ["a", "Ball / of *wool*"], [tmp_path / "labels" / "0001.png"])
    mask = np.asarray(Image.open(tmp_path / "masks" / "001-Ball-of-wool" / "0001.png"))
    assert (mask == 255 * (labels == 1)).all()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A segmentation of the ball and the floor, and a capture of one camera."""
    arrays, labels = _scene()
    arrays.extra[semantics_file.LABEL] = labels.astype(np.uint16)
    arrays.extra["fit"] = (labels == BALL).astype(np.float32)
    (tmp_path / "objects").mkdir()
    splat_ply.write(tmp_path / "objects" / "splats.ply", arrays)
    records = [{"id": i, "name": n, "color": c.tolist()} for i, (n, c) in
               enumerate(zip(("Ball", "Floor"), COLORS, strict=True))]  # fmt: skip
    (tmp_path / "objects" / "objects.json").write_text(json.dumps(records))
    clips.write_capture(tmp_path / "capture", 2, (64, 48))
    path = tmp_path / "capture" / "transforms.json"
    data = json.loads(path.read_text())
    frame = {"w": 64, "h": 48, "fl_x": 60, "fl_y": 60, "cx": 32, "cy": 24}
    data["frames"] = [{**data["frames"][0], **frame, "transform_matrix": EYE.tolist()}]
    path.write_text(json.dumps(data))
    return tmp_path


def _arguments(source: Path, *more: str) -> list[str | Path]:
    given = ("--input", source / "objects" / "splats.ply", "--capture", source / "capture")
    return ["render", *given, "--output", source / "out", "--device", "cpu", *more]


@pytest.mark.process
def test_objects_and_labels_as_a_user_asks_for_them(source: Path) -> None:
    done = run(*_arguments(source, "--objects", "--labels", "--background", "black"))
    assert done.returncode == 0, done.stderr
    image = np.asarray(Image.open(source / "out" / "0001.png"))
    labels = read_labels(source / "out" / "labels" / "0001.png")
    assert set(np.unique(labels)) == {-1, BALL, FLOOR}
    assert labels[24, 32] == BALL and labels[40, 8] == FLOOR and labels[2, 2] == -1
    assert (image[labels == BALL].argmax(1) == 0).mean() > 0.95
    for number, name in enumerate(("000-Ball", "001-Floor")):
        mask = np.asarray(Image.open(source / "out" / "masks" / name / "0001.png"))
        assert (mask == 255 * (labels == number)).all()
    done = run(*_arguments(source, "--heat-of", "fit"))
    assert done.returncode == 0, done.stderr
    hot = np.asarray(Image.open(source / "out" / "0001.png"))
    assert (
        hot.shape == (48, 64, 4)
        and hot[24, 32, 0] > hot[24, 32, 2]
        and hot[40, 8, 2] > hot[40, 8, 0]
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--objects", "--heat", "ball"), "not both"),
        (("--heat-of", "warmth"), "no property 'warmth'"),
        (("--heat", "ball"), "Words need what Segment"),
    ],
)
def test_what_can_not_be_shown_is_said(source: Path, more: tuple[str, ...], sentence: str) -> None:
    assert sentence in refusal(*_arguments(source, *more)).what


@pytest.mark.process
def test_splats_without_objects_have_no_labels(source: Path) -> None:
    splat_ply.write(source / "objects" / "splats.ply", ball())
    assert "have no objects" in refusal(*_arguments(source, "--labels")).what
