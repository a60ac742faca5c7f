"""Where the object is: masks for a few pictures, splats of it, transparent pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import turning_blob
from PIL import Image

from backend.dynamic_mesh.footage import load as footage, masks
from backend.formats import capture, splat_ply
from backend.gaussians.model import Gaussians


def test_transparent_masks_count_by_their_transparency(tmp_path: Path) -> None:
    clear = np.full((8, 8, 4), 255, np.uint8)
    clear[:, :4, 3] = 0
    Image.fromarray(clear).save(tmp_path / "a.png")
    found = masks.read_mask(tmp_path / "a.png", (8, 8))
    assert (found[:, :4] == 0).all() and (found[:, 4:] == 255).all()
    labels = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert("P")
    labels.putpalette(list(range(256)) * 3)
    labels.save(tmp_path / "b.png")
    assert (masks.read_mask(tmp_path / "b.png", (8, 8)) > 0).sum() == 63


def test_masks_of_zeros_and_ones_are_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "a.png")
    assert (masks.read_mask(tmp_path / "a.png", (8, 8)) == 255 * np.eye(8)).all()


def test_splats_of_the_object_are_masks(tmp_path: Path) -> None:
    """Words, brush and picking choose splats; drawn through the cameras they say where the object
    is.
    """
    turning_blob.write(tmp_path / "clip", frames=6, size=64)
    vertices, _ = turning_blob.ball(28, 40)
    count = len(vertices)
    gaussians = Gaussians(
        means=torch.tensor(vertices).float(),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        log_scales=torch.full((count, 3), -3.5),
        opacity_logits=torch.full((count,), 4.0),
        sh0=torch.zeros(count, 1, 3),
        sh_rest=torch.zeros(count, 0, 3),
    )
    splat_ply.write(tmp_path / "object.ply", gaussians.to_arrays())
    source = capture.read(tmp_path / "clip")
    given = footage.load(source, None, 0.0)
    found = footage.load(source, tmp_path / "object.ply", 0.0)
    assert found.masks_from == "splats" and given.masks_from == "alpha"
    first = masks.of_splats(tmp_path / "object.ply", source)[0]
    with Image.open(source.frames[0].image) as image:
        inside, seen = first > 127, np.asarray(image.getchannel("A")) > 127
    assert (inside & seen).sum() / (inside | seen).sum() > 0.78


def test_pictures_that_the_object_has_left_are_left_out(tmp_path: Path) -> None:
    turning_blob.write(tmp_path / "clip", frames=8, size=48)
    for k in (2, 5):
        path = tmp_path / "clip" / "images" / f"{k:03d}.png"
        Image.fromarray(np.zeros((48, 48, 4), np.uint8)).save(path)
    found = footage.load(capture.read(tmp_path / "clip"), None, 0.0)
    assert [m.name for m in found.views] == [f"{k:03d}.png" for k in (0, 1, 3, 4, 6, 7)]
    assert np.allclose(np.diff(found.seconds), np.array([1, 2, 1, 2, 1]) / 24, atol=1e-6)


def test_what_is_held_out_teaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint = turning_blob.paint
    monkeypatch.setattr(
        turning_blob, "paint", lambda vertices: paint(vertices * 2.5)
    )  # something to follow
    turning_blob.write(tmp_path / "clip", frames=24, size=160)
    source = capture.read(tmp_path / "clip")
    before = footage.load(source, None, 0.0, holdout=8)
    assert before.held == [4, 12, 20]
    for index in before.held:
        path = source.frames[index].image
        with Image.open(path) as image:
            spoilt = np.roll(np.asarray(image), 5, axis=1)
        spoilt[..., :3] = np.random.default_rng(index).integers(0, 255, spoilt[..., :3].shape)
        Image.fromarray(spoilt).save(path)
    after = footage.load(source, None, 0.0, holdout=8)
    for index, (a, b) in enumerate(zip(before.views, after.views, strict=True)):
        assert (
            torch.equal(a.viewmat, b.viewmat)
            and torch.equal(a.tracks.ids, b.tracks.ids)
            and torch.equal(a.tracks.rays, b.tracks.rays)
        )
        assert torch.equal(a.levels[0].color, b.levels[0].color) == (index not in before.held)
    assert sum(len(m.tracks.ids) for m in before.views) > 0
