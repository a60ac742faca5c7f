"""The verb `segment` with networks that the test makes: a SAM, a segmenter, and what is neither."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import click_scene, tiny_onnx
from helpers.command_line import refusal, run
from PIL import Image

from backend.formats import capture, semantics_file, splat_ply
from backend.gaussians.options import RasterView
from backend.geometry.conventions import from_viewmat
from backend.semantics.click import scene_of
from backend.semantics.novel_views import render_image

VIEWS = 5


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Two balls before a wall, as a capture and the splats that it was rendered from."""
    folder = tmp_path_factory.mktemp("balls")
    arrays, owner = click_scene.splats()
    gaussians = scene_of(arrays, "cpu").gaussians
    splat_ply.write(folder / "splats.ply", arrays, ())
    (folder / "capture" / "images").mkdir(parents=True)
    frames = []
    for number in range(VIEWS):
        path = folder / "capture" / "images" / f"{number}.png"
        view = _view(number)
        Image.fromarray(render_image(gaussians, view)).save(path)
        fl_x, fl_y, cx, cy = click_scene.lens()
        pose = from_viewmat(view.viewmat.double().numpy())
        frames.append(
            capture.Frame(
                image=path, camera_to_world=pose, fl_x=fl_x, fl_y=fl_y, cx=cx, cy=cy,
                width=click_scene.SIZE[0], height=click_scene.SIZE[1],
            )
        )  # fmt: skip
    capture.write(folder / "capture", frames, None)
    return folder, owner


def _view(number: int) -> RasterView:
    """From a little left to a little right, all looking along z."""
    fl_x, fl_y, cx, cy = click_scene.lens()
    viewmat = torch.eye(4)
    viewmat[0, 3] = 0.3 * (number - (VIEWS - 1) / 2)
    return RasterView(
        viewmat=viewmat,
        K=torch.tensor([[fl_x, 0, cx], [0, fl_y, cy], [0, 0, 1]]),
        width=click_scene.SIZE[0],
        height=click_scene.SIZE[1],
        sh_degree=None,
        background=torch.zeros(3),
    )


@pytest.mark.parametrize("kind", ["sam", "segmenter"])
def test_regions_come_from_a_network(
    scene: tuple[Path, np.ndarray], tmp_path: Path, kind: str
) -> None:
    folder, owner = scene
    if kind == "sam":
        network = tiny_onnx.sam(tmp_path / "network")
    else:
        network = tiny_onnx.segmenter(tmp_path / "network" / "model.onnx").parent
    done = run(
        "segment", "--input", folder / "splats.ply", "--capture", folder / "capture",
        "--output", tmp_path / "out", f"--{kind}", network, "--side", "240", "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["settings"][kind] == str(network)
    labels = splat_ply.read(tmp_path / "out" / "splats.ply").extra[semantics_file.LABEL]
    red = owner == 0
    best = max(
        (red & (labels == k)).sum() / (red | (labels == k)).sum() for k in np.unique(labels[red])
    )
    assert best > 0.5


def test_what_is_no_network_is_refused_before_the_work(
    scene: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, _ = scene
    (tmp_path / "mobile_sam.pt").write_bytes(b"PK\3\4")
    job = ("segment", "--input", folder / "splats.ply", "--capture", folder / "capture")
    for option, path, words in (
        ("--sam", tmp_path / "mobile_sam.pt", "no longer read"),
        ("--sam", tmp_path, "no ONNX file with encoder"),
        ("--segmenter", tmp_path / "mobile_sam.pt", "no ONNX file"),
        ("--segmenter", tmp_path / "none.onnx", "There is no file"),
    ):
        error = refusal(*job, "--output", tmp_path / "out", option, path)
        assert words in error.what, error.what
