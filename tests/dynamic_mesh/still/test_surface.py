"""A mesh of splats: a painted ball, of which everything is known."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from helpers.command_line import backend
from PIL import Image

from backend.dynamic_mesh.still.fusion import (
    DepthFusionConfig,
    Grid,
    closed,
    fuse,
    make_grid,
    surface_of,
)
from backend.dynamic_mesh.still.looking import LookingView, SeenSplats, all_around
from backend.formats import mesh_sequence, splat_ply
from backend.formats.splat_arrays import SplatArrays
from backend.geometry.spherical_harmonics import SH_C0

COUNT, RADIUS = 4000, 0.8
BOX = (torch.full((3,), -0.9), torch.full((3,), 0.9))
SMALL = ("--detail", "48", "--views", "20", "--texture", "256", "--faces", "3000")


def ball(opacity: float = 4.0) -> SplatArrays:
    """Flat splats all over a ball, red above and blue below, and some of its surroundings."""
    k = np.arange(COUNT)
    height, angle = 1 - 2 * (k + 0.5) / COUNT, k * np.pi * (3 - np.sqrt(5))
    wide = np.sqrt(1 - height**2)
    out = np.stack([wide * np.cos(angle), wide * np.sin(angle), height], 1)
    turn = np.stack([1 + out[:, 2], -out[:, 1], out[:, 0], np.zeros(COUNT)], 1)  # z to `out`
    turn[:, 1:] = turn[:, [1, 2, 3]]
    colors = np.where(height[:, None] > 0, [0.9, 0.1, 0.1], [0.1, 0.1, 0.9])
    far = np.zeros(COUNT, np.uint8)
    far[::100] = 1
    return SplatArrays(
        means=np.asarray(RADIUS * out * np.where(far[:, None], 30, 1), np.float32),
        quats=np.asarray(turn / np.linalg.norm(turn, axis=1, keepdims=True), np.float32),
        log_scales=np.tile(np.log([0.03, 0.03, 0.002]).astype(np.float32), (COUNT, 1)),
        opacity_logits=np.full(COUNT, opacity, np.float32),
        sh=np.asarray((colors - 0.5) / SH_C0, np.float32)[:, None],
        extra={"surroundings": far},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("surface")
    splat_ply.write(folder / "ball.ply", ball())
    done = backend(
        "surface", "--input", folder / "ball.ply", "--output", folder / "mesh", *SMALL, "--closed"
    )
    assert done.returncode == 0, done.stderr
    return folder / "mesh"


@pytest.mark.process
def test_a_ball_is_found_closed_and_painted(made: Path) -> None:
    sequence = mesh_sequence.read(made / "mesh.npz")
    away = np.linalg.norm(sequence.rest, axis=1)
    assert abs(away / RADIUS - 1).mean() < 0.015 and abs(away / RADIUS - 1).max() < 0.05
    solid = trimesh.Trimesh(sequence.rest, sequence.faces, process=False)
    assert solid.is_watertight and solid.volume > 0
    assert solid.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.03)
    read = trimesh.load(made / "mesh.obj", process=False)
    assert len(read.faces) == len(sequence.faces) <= 3000
    assert read.visual.uv.min() >= 0 and read.visual.uv.max() <= 1
    texture = np.asarray(Image.open(made / "texture.png").convert("RGB"), np.float64) / 255
    middle = sequence.rest[sequence.faces].mean(1)
    assert sequence.uvs is not None
    at = (sequence.uvs.mean(1) * [256, -256] + [0, 256]).astype(int).clip(0, 255)
    shown = texture[at[:, 1], at[:, 0]]
    for side, color in ((1, [0.9, 0.1, 0.1]), (-1, [0.1, 0.1, 0.9])):
        there = side * middle[:, 2] > 0.15
        assert abs(shown[there] - color).mean() < 0.05
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["metrics"]["psnr_to_splats"] > 25 and manifest["metrics"]["outline"] > 0.95
    assert (made / "preview.png").is_file() and (made / "mesh.mtl").is_file()


def sphere_seen(view: LookingView) -> SeenSplats:
    """What a camera sees of the ball, exactly."""
    y, x = torch.meshgrid(
        torch.arange(view.height) + 0.5, torch.arange(view.width) + 0.5, indexing="ij"
    )
    K = view.K
    rays = torch.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], torch.ones_like(x)], -1)
    center = view.viewmat[:3, 3]
    a, b = rays.square().sum(-1), (rays * center).sum(-1)
    inside = b.square() - a * (center.square().sum() - RADIUS**2)
    depth = torch.where(inside > 0, (b - inside.clamp_min(0).sqrt()) / a, 0)
    alpha = (inside > 0).float()
    color = alpha[..., None].expand(-1, -1, 3)
    return SeenSplats(
        view=view, color=color, alpha=alpha, depth=depth, spread=torch.zeros_like(depth)
    )


def grid_of(detail: int, config: DepthFusionConfig) -> Grid:
    return make_grid(*BOX, detail, config)


def test_exact_depth_gives_the_surface_to_a_tenth_of_a_cell() -> None:
    config = DepthFusionConfig()
    looks = [sphere_seen(v) for v in all_around(BOX, 24, 128)]
    surface = surface_of(fuse(looks, grid_of(40, config), config))
    assert surface is not None
    away = np.linalg.norm(surface.vertices, axis=1)
    cell = 1.8 / 40
    assert abs(away - RADIUS).mean() < 0.1 * cell
    normals = surface.vertex_normals()
    assert (normals * surface.vertices).sum(1).mean() > 0.9 * RADIUS, "outside is out"


def test_what_is_unseen_stays_open_or_is_closed() -> None:
    """Cameras that look down from above leave the underside open; closed, it is solid there."""
    config = DepthFusionConfig()
    views = [v for v in all_around(BOX, 24, 96) if v.viewmat[2, 2] < -0.3]
    looks = [sphere_seen(v) for v in views]
    field = fuse(looks, grid_of(40, config), config)
    opened, shut = surface_of(field), surface_of(closed(field, looks, config))
    assert opened is not None and shut is not None
    assert not trimesh.Trimesh(opened.vertices, opened.faces, process=False).is_watertight
    assert opened.vertices[:, 2].min() > -0.75
    solid = trimesh.Trimesh(shut.vertices, shut.faces, process=False)
    assert solid.is_watertight and shut.vertices[:, 2].min() < -0.75


def test_depth_that_is_no_one_surface_counts_for_nothing() -> None:
    """The mean of a thing and of what is behind it lies between both, where nothing is."""
    config = DepthFusionConfig()
    looks = [sphere_seen(v) for v in all_around(BOX, 24, 96)]
    for seen in looks:
        seen.spread.fill_(1.0)
    assert surface_of(fuse(looks, grid_of(24, config), config)) is None


@pytest.mark.process
@pytest.mark.parametrize(
    ("opacity", "options", "sentence"),
    [
        (-4.0, (), "solid enough to show a surface"),
        (4.0, ("--paint", "photos"), "no photographs to paint from"),
        (4.0, ("--capture", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_gets_one_sentence(
    tmp_path: Path, opacity: float, options: tuple[str, ...], sentence: str
) -> None:
    splat_ply.write(tmp_path / "ball.ply", ball(opacity))
    done = backend(
        "surface", "--input", tmp_path / "ball.ply", "--output", tmp_path / "mesh", *SMALL, *options
    )
    assert done.returncode == 1 and sentence in done.stderr
    assert not (tmp_path / "mesh").exists()
