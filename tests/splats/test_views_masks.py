"""Masks in training: what is masked has no say."""

from pathlib import Path

import numpy as np
import torch
from helpers import clips
from PIL import Image

from backend.formats import capture
from backend.splats.views import load_views


def test_masked_pixels_draw_no_gradient(tmp_path: Path) -> None:
    clips.write_capture(tmp_path, 8, (40, 30))
    found = capture.read(tmp_path)
    (tmp_path / "masks").mkdir()
    mask = np.full((30, 40), 255, np.uint8)
    mask[:, :20] = 0
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    frames = [
        capture.Frame(**{**f.__dict__, "mask": tmp_path / "masks" / "a.png"}) for f in found.frames
    ]
    capture.write(tmp_path, frames, found.points)
    view = load_views(capture.read(tmp_path), 10_000, 0, lambda *_: None).full[0]
    assert view.mask is not None and view.mask[:, 20:].all() and not view.mask[:, :20].any()
    image = torch.zeros(30, 40, 3, requires_grad=True)
    target = view.forgiving(view.target(torch.zeros(3), "cpu"), image)
    (image - target).abs().mean().backward()
    assert image.grad is not None
    assert (image.grad[:, :20] == 0).all() and (image.grad[:, 20:] != 0).any()
