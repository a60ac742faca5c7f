"""Splats in Blender's own renderers: trained for its light or for everyone else's, drawn by Cycles
of 5.3 (ENGINE=BLENDER_EEVEE: by EEVEE), beside the photos and beside our rasteriser.

The scene is the hard case: dark things before a bright ground. Blender 5.3 must be set up
(`make test` does it).

Each of Cycles' rays stops at one splat, by chance (Sun et al. 2025, Stochastic Ray Tracing of
Transparent 3D Gaussians), so its pictures are noisy, most where dark lies before bright. Every view
is drawn with two seeds: in the product of their two differences from a picture the noise cancels
out, in a square it would count as error. EEVEE has no seed, so its noise does count; and it draws
only where there is a graphics context, which a virtual screen with Mesa has, too.
"""

import json
import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import torch
from helpers import ray_world
from PIL import Image

from backend.formats import splat_ply
from backend.gaussians.light import linear_to_srgb, srgb_to_linear
from backend.gaussians.model import from_arrays
from backend.gaussians.options import as_cycles_draws, options_for
from backend.gaussians.rasterize import rasterize
from backend.geometry.conventions import to_viewmat
from tests.benchmarks.dark_scene import dark_things
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.splat_scenes import ARC, FILMED, FOCAL, SIZE, Scene
from tests.benchmarks.splat_truth import write_footage
from tests.benchmarks.table import ROOT, Row, Table, say

ENGINE = os.environ.get("ENGINE", "CYCLES")
NAME = {"CYCLES": "Cycles 5.3", "BLENDER_EEVEE": "EEVEE 5.3"}[ENGINE]
SAMPLES = int(os.environ.get("SAMPLES", "48"))  # rays a pixel
BLOCK = 4  # pixels whose light is averaged before they are compared
BLENDS = ("srgb", "linear")
PRESET = os.environ.get("PRESET", "fast")
SEED = int(os.environ.get("SEED", "0"))


def run(table: Table) -> None:
    scene = dark_things(SEED)
    footage = write_footage(scene, SEED, table.scratch / "footage")
    capture = table.scratch / "capture"
    solved = backend("cameras", footage, capture, "--preset", "balanced")
    if isinstance(solved, str):
        say(solved)
        return
    poses = _between(scene)
    photos = [_photo(scene, pose) for pose in poses]
    shown = []
    for blend in BLENDS:
        output = table.scratch / blend
        manifest = backend(
            "splats", capture, output, "--preset", PRESET, "--blend", blend, "--holdout", "0"
        )
        if isinstance(manifest, str):
            say(manifest)
            return
        ply = output / "splats.ply"
        rendered = [_rendered(ply, poses, table.scratch / f"{blend} {NAME} {n}", n) for n in (1, 2)]
        ours = [_ours(ply, pose) for pose in poses]
        for metric, value in _figures(photos, rendered, ours).items():
            unit = "dB" if "PSNR" in metric else ""
            table.add(
                Row(f"dark things, {blend}, {PRESET}", metric, value, unit, SEED, *cost(manifest))
            )
        shown.append(rendered[0][0][..., :3])
    strip = np.concatenate([photos[0], *shown], 1)
    Image.fromarray((strip.clip(0, 1) * 255).round().astype(np.uint8)).save(
        table.scratch / "photo, srgb, linear.png"
    )


def _between(scene: Scene) -> list[np.ndarray]:
    """Places on the arc, between two pictures."""
    step = ARC / (FILMED - 1)
    return [scene.camera(-ARC / 2 + (number + 0.5) * step) for number in (9, 29)]


def _photo(scene: Scene, pose: np.ndarray) -> np.ndarray:
    return ray_world.render_image(scene.world, pose, FOCAL, SIZE)


def _rendered(ply: Path, poses: list[np.ndarray], folder: Path, seed: int) -> list[np.ndarray]:
    """(H, W, 4) as Blender draws them, on black: sRGB, and alpha."""
    folder.mkdir(exist_ok=True)
    job = {
        "engine": ENGINE,
        "ply": str(ply),
        "poses": [pose.tolist() for pose in poses],
        "width": SIZE[0],
        "height": SIZE[1],
        "focal": FOCAL,
        "samples": SAMPLES // 2,
        "seed": seed,
        "folder": str(folder),
        "root": str(ROOT),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    python = ROOT / ".venv-bpy53" / inside
    script = ROOT / "tests" / "benchmarks" / "blender_render.py"
    command = [str(python), str(script), str(folder / "job.json")]
    subprocess.run(command, check=True, capture_output=True)
    found = []
    for number in range(len(poses)):
        raw = cv2.imread(str(folder / f"{number:03d}.png"), cv2.IMREAD_UNCHANGED)
        image = cv2.cvtColor(raw, cv2.COLOR_BGRA2RGBA).astype(np.float64) / 65535
        light = srgb_to_linear(torch.from_numpy(image[..., :3])) * image[..., 3:]
        found.append(np.concatenate([linear_to_srgb(light).numpy(), image[..., 3:]], -1))
    return found


@torch.no_grad()
def _ours(ply: Path, pose: np.ndarray) -> np.ndarray:
    """(H, W, 4) by our rasteriser in linear light, on black, whatever they were trained for."""
    arrays = splat_ply.read(ply)
    model = from_arrays(arrays)
    width, height = SIZE[0], SIZE[1]
    K = torch.tensor([[FOCAL, 0, width / 2], [0, FOCAL, height / 2], [0, 0, 1.0]])
    drawn = rasterize(
        model.means,
        model.quats,
        model.scales,
        model.opacities,
        model.sh(model.sh_degree),
        torch.from_numpy(to_viewmat(pose)).float()[None],
        K[None],
        width,
        height,
        sh_degree=model.sh_degree,
        options=as_cycles_draws(options_for(arrays.notes)),
    )
    return torch.cat([drawn.image[0].clamp(0, 1), drawn.alpha[0]], -1).numpy()


def _blocks(image: np.ndarray) -> np.ndarray:
    """Means of squares of pixels, of their light; sRGB in and out."""
    height, width = (side // BLOCK * BLOCK for side in image.shape[:2])
    light = srgb_to_linear(torch.from_numpy(image[:height, :width]).double())
    means = light.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, -1).mean((1, 3))
    return np.asarray(linear_to_srgb(means))


def _figures(
    photos: list[np.ndarray], rendered: list[list[np.ndarray]], ours: list[np.ndarray]
) -> dict[str, float]:
    """`rendered`: the same views with two seeds."""
    colors = [[_blocks(image[..., :3]) for image in images] for images in (*rendered, ours)]
    first, second, drawn = colors
    photographed = [_blocks(image) for image in photos]

    def psnr(one: list[np.ndarray], other: list[np.ndarray], truth: list[np.ndarray]) -> float:
        errors = [((a - t) * (b - t)).mean() for a, b, t in zip(one, other, truth, strict=True)]
        return float(np.mean([-10 * np.log10(max(error, 1e-9)) for error in errors]))

    alphas = [np.concatenate([i[..., 3].ravel() for i in images]) for images in (*rendered, ours)]
    return {
        f"{NAME} to the photos, PSNR": psnr(first, second, photographed),
        "our linear rasteriser to the photos, PSNR": psnr(drawn, drawn, photographed),
        f"{NAME} to our linear rasteriser, PSNR": psnr(first, second, drawn),
        f"with its noise, {NAME} to the photos, PSNR": psnr(first, first, photographed),
        "mean difference of alpha": float(np.abs(sum(alphas[:2]) / 2 - alphas[2]).mean()),
    }
